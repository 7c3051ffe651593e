package pionlog

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestOnlyWarningsPassAndAtDebugLevel(t *testing.T) {
	for _, test := range []struct {
		level slog.Level
		lines int
	}{{slog.LevelDebug, 4}, {slog.LevelInfo, 0}} {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: test.level}))
		l := New(logger, "DTLS").NewLogger("dtls")
		l.Trace("x")
		l.Tracef("%d", 1)
		l.Debug("x")
		l.Debugf("%d", 1)
		l.Info("x")
		l.Infof("%d", 1)
		l.Warn("x")
		l.Warnf("%d", 1)
		l.Error("x")
		l.Errorf("%d", 1)
		if got := strings.Count(out.String(), `level=DEBUG msg="DTLS: `); got != test.lines || strings.Count(out.String(), "\n") != test.lines {
			t.Errorf("at level %v:\n%s", test.level, out.String())
		}
	}
}
