package sctp

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog passes Pion's warnings on at debug level: they are about what peers send,
// which is nothing that an operator could act on. The rest is dropped.
type pionLog struct{ logger *slog.Logger }

var (
	_ logging.LoggerFactory = pionLog{}
	_ logging.LeveledLogger = pionLog{}
)

// NewLogger implements logging.LoggerFactory.
func (l pionLog) NewLogger(string) logging.LeveledLogger { return l }

func (l pionLog) Trace(string)          {}
func (l pionLog) Tracef(string, ...any) {}
func (l pionLog) Debug(string)          {}
func (l pionLog) Debugf(string, ...any) {}
func (l pionLog) Info(string)           {}
func (l pionLog) Infof(string, ...any)  {}
func (l pionLog) Warn(message string)   { l.logger.Debug("SCTP: " + message) }
func (l pionLog) Error(message string)  { l.logger.Debug("SCTP: " + message) }

func (l pionLog) Warnf(format string, args ...any)  { l.debugf(format, args) }
func (l pionLog) Errorf(format string, args ...any) { l.debugf(format, args) }

func (l pionLog) debugf(format string, args []any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("SCTP: " + fmt.Sprintf(format, args...))
	}
}
