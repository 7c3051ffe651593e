package sfu

import (
	"math"
	"testing"
)

func TestLossIsOfTheLastReports(t *testing.T) {
	var m lossMeter
	m.note(5, 0) // says nothing
	if m.value() != nil {
		t.Error("known before the first report")
	}
	for _, report := range []struct {
		lost, expected int64
		want           float64
	}{{10, 100, 0.1}, {0, 100, 0.0875}, {-3, 100, 0.0765625}, {300, 100, 0.1919921875}} {
		m.note(report.lost, report.expected)
		if got := *m.value(); math.Abs(got-report.want) > 1e-9 {
			t.Errorf("after %d of %d: %v, want %v", report.lost, report.expected, got, report.want)
		}
	}
}
