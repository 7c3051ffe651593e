package loadtest

import (
	"context"
	"net"
	"testing"
	"time"
)

func startBareLoop(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := ListenBareLoop()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- ServeBareLoop(ctx, conn) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return conn
}

func TestBareLoopSendsWholeFramesToAll(t *testing.T) {
	loop := startBareLoop(t)
	var moments []Moment
	report, err := RunBare(withPatience(t), loop.LocalAddr().(*net.UDPAddr).AddrPort(), BareLoad{
		Receivers: 20, Warmup: 100 * time.Millisecond, Duration: 1500 * time.Millisecond,
		At: func(m Moment) error { moments = append(moments, m); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	// Each receiver decrypts two packets or more in that time.
	if !report.Whole(0) || report.Latency.Count() != report.Received || report.Received < report.Expected*9/10 {
		t.Errorf("%s", report)
	}
	if report.Sent < 200 || report.Expected != report.Sent*20 || len(moments) != 2 {
		t.Errorf("moments %v\n%s", moments, report)
	}
}

func TestBareReceiverSeesWhatIsWrong(t *testing.T) {
	join := make([]byte, joinSize)
	inbound, err := bareContext(join)
	if err != nil {
		t.Fatal(err)
	}
	r := &bareReceiver{inbound: inbound}
	r.receive([]byte("garbage"), ancillary{segment: 7})
	if got := r.stats(false).Undecryptable; got != 1 {
		t.Errorf("%d faults of garbage", got)
	}
	packet := make([]byte, 100)
	copy(packet, []byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 3})
	for i := range bareDecryptEvery {
		packet[3] = byte(i)
		r.receive(packet, ancillary{segment: len(packet)})
	}
	if got := r.stats(false).Undecryptable; got != 2 {
		t.Errorf("%d faults of garbage and of one that was not encrypted", got)
	}
}

func TestBareLoadEndsWithItsContext(t *testing.T) {
	loop := startBareLoop(t)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := RunBare(ctx, loop.LocalAddr().(*net.UDPAddr).AddrPort(), BareLoad{
		Receivers: 1, Duration: time.Hour, At: func(Moment) error { cancel(); return nil },
	})
	if err == nil {
		t.Error("a load of an hour has ended by itself")
	}
}
