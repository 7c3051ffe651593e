package loadtest

import (
	"strings"
	"testing"
	"time"
)

func exampleReport() *Report {
	r := &Report{
		Senders: 1, Receivers: 10, Duration: 2 * time.Second, Joining: 500 * time.Millisecond,
		Sent: 1000, Expected: 10_000, Received: 9_990, Lost: 10, Recovered: 5, Duplicates: 1, Faults: 2, Silent: 3,
	}
	r.Latency.Add(time.Millisecond)
	r.Connect.Add(20 * time.Millisecond)
	return r
}

func TestSummaryOfAReport(t *testing.T) {
	s := Summarise("fanout", exampleReport())
	if s.Seconds != 2 || s.PacketsPerSecond != 4995 || s.LossPercent != 0.1 || s.JoinsPerSecond != 20 || s.Latency.P50 != 1 || s.Connect.Max != 20 {
		t.Errorf("%+v", s)
	}
	s.Charge(map[Moment]Figures{
		Alone:    {CPU: time.Second, Resident: 10 << 20},
		Joined:   {CPU: time.Second + 10*time.Millisecond},
		Begun:    {CPU: 2 * time.Second, GC: time.Second, Drops: map[string]uint64{"old": 5, "more": 1}},
		Measured: {CPU: 2*time.Second + 19980*time.Microsecond, GC: time.Second + 1998*time.Microsecond, Resident: 20 << 20, Drops: map[string]uint64{"old": 5, "more": 4}},
	}, "a clock")
	c := s.Server
	if c.CPUMicrosPerPacket != 2 || c.CPUMillisPerJoin != 1 || c.ResidentMiB != 20 || c.ResidentPerReceiver != 1024 || *c.GCPercent != 10 {
		t.Errorf("%+v", c)
	}
	if len(c.Drops) != 1 || c.Drops["more"] != 3 {
		t.Errorf("drops %v", c.Drops)
	}
	var text strings.Builder
	s.LatencyBy = "the end"
	if err := s.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"fanout: 1 senders, 10 receivers, 2.0 s", "4995/s; 9990 of 10000 received, 10 lost (0.1000 %), 5 of them",
		"1 doubled, 2 wrong, 3 receivers", "p50 1.00 ms", "to the end", "20.0 a second", "2.00 CPU-µs per packet sent (1.0 % of a core, by a clock)",
		"1.00 ms per join", "garbage collector 10.00 %", "dropped more: 3", "20.0 MiB resident, 1024 KiB",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &text)
		}
	}
}

func TestNothingReceivedHasNoCost(t *testing.T) {
	s := Summarise("fanout", &Report{Receivers: 1, Duration: time.Second})
	if s.Charge(map[Moment]Figures{}, ""); s.Server != nil || s.LossPercent != 0 {
		t.Errorf("%+v", s)
	}
}

func TestTableHasMediansAndRatios(t *testing.T) {
	of := func(profile string, receivers int, micros, p99 float64) *Summary {
		return &Summary{Profile: profile, Senders: 1, Receivers: receivers, Latency: Quantiles{P99: p99}, Server: &Cost{CPUMicrosPerPacket: micros}}
	}
	var table strings.Builder
	if err := WriteTable(&table, []*Summary{
		of("fanout", 200, 3, 5), of("fanout", 50, 7, 0), of("fanout", 200, 2, 7), of("fanout", 200, 9, 6),
		of(ProfileLimit, 200, 1, 1), of(ProfileLimit, 200, 2, 1), of("meeting", 200, 4, 0),
		{Profile: "audio", Senders: 3, Receivers: 5},
	}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(table.String()), "\n")
	if len(lines) != 7 {
		t.Fatalf("%d lines:\n%s", len(lines), &table)
	}
	for i, want := range []string{
		"| load | runs |", "| --- |", "| audio 3 → 5 | 1 |", "| fanout 1 → 50 | 1 | 0 | 7.00 (7.00 to 7.00) | – |",
		"| fanout 1 → 200 | 3 | 0 | 3.00 (2.00 to 9.00) | 2.00 | 0.0000 % | 0.00 / 6.00 |",
		"| limit 1 → 200 | 2 | 0 | 1.50 (1.00 to 2.00) | – |", "| meeting 1 → 200 | 1 | 0 | 4.00 (4.00 to 4.00) | – |",
	} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is\n%s\nwant\n%s", i, lines[i], want)
		}
		if columns := strings.Count(lines[i], "|"); columns != 12 {
			t.Errorf("line %d has %d columns", i, columns-1)
		}
	}
}
