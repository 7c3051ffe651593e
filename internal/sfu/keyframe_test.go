package sfu

import (
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

const millisecond = mono.Instant(time.Millisecond)

func TestKeyframeRequestsAreThrottledAndRepeated(t *testing.T) {
	k := keyframeRequests{interval: 300 * time.Millisecond}
	const start = 10_000 * millisecond
	at := func(ms mono.Instant) mono.Instant { return start + ms*millisecond }
	for _, step := range []struct {
		what string
		now  mono.Instant
		call func(mono.Instant) bool
		ask  bool
		due  mono.Instant
	}{
		{"the first who wants one", at(0), k.want, true, at(500)},
		{"a second, while the first waits", at(20), k.want, false, at(500)},
		{"the clock, too early", at(400), k.expire, false, at(500)},
		{"the clock, when nothing came", at(500), k.expire, true, at(1000)},
		{"it comes", at(600), func(mono.Instant) bool { k.arrived(); return false }, false, 0},
		{"the clock, after it came", at(1000), k.expire, false, 0},
		{"somebody soon after the last request", at(610), k.want, false, at(800)},
		{"the clock, when it may ask again", at(800), k.expire, true, at(1300)},
		{"it comes", at(810), func(mono.Instant) bool { k.arrived(); return false }, false, 0},
		{"somebody long after", at(5000), k.want, true, at(5500)},
	} {
		if ask := step.call(step.now); ask != step.ask || k.due != step.due {
			t.Errorf("%s: ask %v, due after %d ms", step.what, ask, (k.due-start)/millisecond)
		}
	}
}

func TestKeyframeRequestsAreNotRepeatedForEver(t *testing.T) {
	k := keyframeRequests{interval: 300 * time.Millisecond}
	now := 1000 * millisecond
	asked := 0
	if k.want(now) {
		asked++
	}
	for k.due != 0 {
		if now = k.due; k.expire(now) {
			asked++
		}
	}
	if asked != 1+maxKeyframeRetries {
		t.Errorf("asked %d times for a keyframe that nobody sees", asked)
	}
	// Whoever still wants one is served as often as the interval allows.
	if !k.want(now.Add(time.Second)) || k.due != 0 {
		t.Errorf("a new wish: due %d", k.due)
	}
	if k.want(now.Add(time.Second+100*time.Millisecond)) || k.due != now.Add(time.Second+300*time.Millisecond) {
		t.Errorf("a wish just after it: due %d", k.due)
	}
	k.arrived()
	if !k.want(now.Add(time.Minute)) || k.due == 0 {
		t.Error("not repeated any more, though one was seen meanwhile")
	}
}

func TestLongKeyframeIntervalHoldsForRepetitionsToo(t *testing.T) {
	k := keyframeRequests{interval: 2 * time.Second}
	k.want(millisecond)
	if want := millisecond.Add(2 * time.Second); k.due != want {
		t.Errorf("repeated at %d, want %d", k.due, want)
	}
}

func TestReceiverHasABudgetOfKeyframes(t *testing.T) {
	var k keyframeBudget
	now := mono.Instant(time.Hour)
	taken := 0
	for range 1000 { // 100 s of asking all the time
		if k.take(now) {
			taken++
		}
		now = now.Add(100 * time.Millisecond)
	}
	if want := keyframeBudgetBurst + 33; taken < want-1 || taken > want {
		t.Errorf("%d in 100 s, want %d", taken, want)
	}
	now = now.Add(time.Minute)
	for i := range keyframeBudgetBurst {
		if !k.take(now) {
			t.Errorf("only %d after a pause", i)
		}
		if !k.take(now) {
			t.Error("the same request is taken for another")
		}
		now = now.Add(keyframeBudgetOnce)
	}
	if k.take(now) {
		t.Error("more than there may be")
	}
}

func TestOneReceiverCannotAskForKeyframesAllTheTime(t *testing.T) {
	c := newRigCall(t)
	c.alice.sendRTP(videoPacket(0, 0, true, true, 100))
	c.bob.take()
	c.alice.take()
	asked := 0
	for range 100 {
		c.bob.sendRTCP(rtp.AppendPLI(nil, 9, c.consumer.ssrc))
		asked += c.alice.take().plis()
		c.alice.sendRTP(videoPacket(uint16(asked), 0, true, true, 100))
		c.advance(100 * time.Millisecond)
	}
	if asked < 5 || asked > keyframeBudgetBurst+5 {
		t.Errorf("the sender was asked %d times in 10 s", asked)
	}
}

func TestProducersDelayBetweenRequestsIsKept(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	p, err := alice.transport.Produce(ProducerOptions{
		Kind: ortc.Video, RTPParameters: videoParameters(), KeyFrameRequestDelay: 2 * time.Second,
	})
	check(t, err)
	c := bob.consume(p)
	alice.sendRTP(videoPacket(1, 0, true, false, 100))
	alice.sendRTP(videoPacket(2, 0, true, true, 100)) // the answer
	if n := alice.take().plis(); n != 1 {
		t.Fatalf("%d requests at first", n)
	}
	bob.sendRTCP(rtp.AppendPLI(nil, 9, c.ssrc))
	r.advance(1900 * time.Millisecond)
	if n := alice.take().plis(); n != 0 {
		t.Errorf("%d requests within the delay", n)
	}
	r.advance(200 * time.Millisecond)
	if n := alice.take().plis(); n != 1 {
		t.Errorf("%d requests after it", n)
	}
}
