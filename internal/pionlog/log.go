// Package pionlog passes what Pion's libraries log on to ours.
//
// Their warnings are about what peers send, which is nothing that an operator
// could act on, so they become debug messages. The rest is dropped.
package pionlog

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// Factory implements logging.LoggerFactory and logging.LeveledLogger. Any
// goroutine may use it.
type Factory struct {
	logger *slog.Logger
	prefix string
}

var (
	_ logging.LoggerFactory = Factory{}
	_ logging.LeveledLogger = Factory{}
)

// New returns a factory whose messages begin with the name of the protocol.
func New(logger *slog.Logger, protocol string) Factory {
	return Factory{logger: logger, prefix: protocol + ": "}
}

// NewLogger implements logging.LoggerFactory.
func (f Factory) NewLogger(string) logging.LeveledLogger { return f }

// Trace, Debug and Info drop what they get.
func (f Factory) Trace(string)          {}
func (f Factory) Tracef(string, ...any) {}
func (f Factory) Debug(string)          {}
func (f Factory) Debugf(string, ...any) {}
func (f Factory) Info(string)           {}
func (f Factory) Infof(string, ...any)  {}

// Warn and Error log at debug level.
func (f Factory) Warn(message string)               { f.logger.Debug(f.prefix + message) }
func (f Factory) Warnf(format string, args ...any)  { f.debugf(format, args) }
func (f Factory) Error(message string)              { f.logger.Debug(f.prefix + message) }
func (f Factory) Errorf(format string, args ...any) { f.debugf(format, args) }

func (f Factory) debugf(format string, args []any) {
	if f.logger.Enabled(context.Background(), slog.LevelDebug) {
		f.logger.Debug(f.prefix + fmt.Sprintf(format, args...))
	}
}
