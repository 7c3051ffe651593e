package bwe_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/rtp"
)

func isTop(s sample) bool { return s.layer == len(ladder)-1 }

func TestReceiverOnAFastPathSoonHasTheHighestLayer(t *testing.T) {
	for _, rate := range []bwe.Bitrate{4_000_000, 10_000_000, 100_000_000} {
		r := newRun(newOurs(), newPath(rate)).until(10 * time.Second)
		if got := r.first(0, isTop); got > 2*time.Second {
			t.Errorf("%d: after %v", rate, got)
		}
		f := r.figures(3*time.Second, 10*time.Second)
		if f.changes > 0 || f.padding > 0 {
			t.Errorf("%d: %d changes of layer and %.2f padding once it has it", rate, f.changes, f.padding)
		}
		if f.estimate > 6_000_000 {
			t.Errorf("%d: estimate %d, of what nothing was sent to confirm", rate, f.estimate)
		}
	}
}

func TestEstimateUsesABottleneckWithoutFillingItsQueue(t *testing.T) {
	for _, rate := range []bwe.Bitrate{200_000, 500_000, 1_000_000, 2_000_000} {
		r := newRun(newOurs(), newPath(rate))
		r.follows = true
		f := r.until(60*time.Second).figures(10*time.Second, 60*time.Second)
		if share := float64(f.delivered) / float64(rate); share < 0.8 {
			t.Errorf("%d: uses %.2f of it", rate, share)
		}
		if f.queue > 90*ms || f.queue95 > 200*ms || f.lost > 0.002 {
			t.Errorf("%d: %v in the queue, 95 %% less than %v, %.3f lost", rate, f.queue, f.queue95, f.lost)
		}
	}
}

func TestLayersAreStillAtABottleneck(t *testing.T) {
	for _, rate := range []bwe.Bitrate{250_000, 700_000, 1_000_000, 2_000_000} {
		r := newRun(newOurs(), newPath(rate)).until(90 * time.Second)
		f := r.figures(30*time.Second, 90*time.Second)
		if f.changes > 4 {
			t.Errorf("%d: %d changes of layer in a minute", rate, f.changes)
		}
		if f.queue95 > 150*ms || f.lost > 0.002 {
			t.Errorf("%d: queue up to %v, %.3f lost", rate, f.queue95, f.lost)
		}
		if f.padding > 0.03 {
			t.Errorf("%d: %.3f of it is padding", rate, f.padding)
		}
	}
}

func TestEstimateFollowsABottleneckThatComesAndGoes(t *testing.T) {
	for _, follows := range []bool{false, true} {
		for _, bottleneck := range []bwe.Bitrate{150_000, 300_000, 700_000, 1_500_000} {
			p := newPath(5_000_000)
			r := newRun(newOurs(), p)
			r.follows = follows
			r.each = comes(p, 20*time.Second, 45*time.Second, bottleneck)
			r.until(75 * time.Second)
			name := fmt.Sprintf("%d, follows %v", bottleneck, follows)
			down := r.first(20*time.Second, func(s sample) bool { return s.estimate <= bottleneck })
			if down > time.Second {
				t.Errorf("%s: estimate is below it after %v", name, down)
			}
			if f := r.figures(30*time.Second, 45*time.Second); f.queue > 130*ms || float64(f.estimate) > 1.35*float64(bottleneck) {
				t.Errorf("%s: queue %v, estimate %d", name, f.queue, f.estimate)
			}
			up := r.first(45*time.Second, func(s sample) bool { return s.estimate >= 2_700_000 })
			if up > 15*time.Second {
				t.Errorf("%s: back up after %v", name, up)
			}
		}
	}
}

func TestRandomLossDoesNotMoveTheEstimate(t *testing.T) {
	for _, loss := range []float64{0.02, 0.05, 0.1} {
		for _, follows := range []bool{false, true} {
			p := newPath(5_000_000)
			r := newRun(newOurs(), p)
			r.follows = follows
			r.each = func(now time.Duration) {
				if now == 10*time.Second {
					p.loss = loss
				}
			}
			r.until(40 * time.Second)
			before, after := r.figures(8*time.Second, 10*time.Second), r.figures(10*time.Second, 40*time.Second)
			if float64(after.lowest) < 0.95*float64(before.lowest) {
				t.Errorf("%.2f, follows %v: fell to %d from %d", loss, follows, after.lowest, before.lowest)
			}
		}
	}
}

func TestRandomLossDoesNotKeepTheEstimateDown(t *testing.T) {
	for _, loss := range []float64{0.02, 0.05, 0.1} {
		p := newPath(5_000_000)
		p.loss = loss
		r := newRun(newOurs(), p).until(30 * time.Second)
		if got := r.first(0, isTop); got > 10*time.Second {
			t.Errorf("%.2f: highest layer after %v", loss, got)
		}
	}
}

// TestHeavyRandomLossIsTriedOnce: that a third is lost must be taken for a full
// path at first, but not for ever.
func TestHeavyRandomLossIsTriedOnce(t *testing.T) {
	p := newPath(5_000_000)
	r := newRun(newOurs(), p)
	r.each = func(now time.Duration) {
		if now == 10*time.Second {
			p.loss = 0.3
		}
	}
	r.until(60 * time.Second)
	before := r.figures(8*time.Second, 10*time.Second)
	if after := r.figures(20*time.Second, 60*time.Second); float64(after.lowest) < 0.9*float64(before.lowest) {
		t.Errorf("%d at the least, %d before", after.lowest, before.lowest)
	}
}

func TestPolicerBringsTheEstimateDown(t *testing.T) {
	for _, follows := range []bool{false, true} {
		p := newPath(5_000_000)
		r := newRun(newOurs(), p)
		r.follows = follows
		r.each = func(now time.Duration) {
			if now == 10*time.Second {
				p.policed, p.rate = true, 1_000_000
			}
		}
		r.until(70 * time.Second)
		if got := r.first(10*time.Second, func(s sample) bool { return s.sent*80 < 1_250_000 }); got > 3*time.Second {
			t.Errorf("follows %v: sends less after %v", follows, got)
		}
		// About a tenth may be taken for random, so a stream that follows the
		// estimate closely goes on losing as much.
		if f := r.figures(20*time.Second, 70*time.Second); f.lost > 0.17 || !follows && f.lost > 0.08 || f.delivered < 500_000 {
			t.Errorf("follows %v: %.3f lost, %d arrives", follows, f.lost, f.delivered)
		}
	}
}

func TestEstimateIsBackSoonAfterABlackout(t *testing.T) {
	for _, length := range []time.Duration{time.Second, 5 * time.Second, 20 * time.Second} {
		p := newPath(5_000_000)
		r := newRun(newOurs(), p)
		end := 10*time.Second + length
		r.each = func(now time.Duration) { p.broken = now >= 10*time.Second && now < end }
		r.until(end + 20*time.Second)
		if got := r.first(end, isTop); got > 3*time.Second {
			t.Errorf("%v: highest layer %v after it", length, got)
		}
		if f := r.figures(end-sampleTime, end); length > time.Second && f.estimate > 600_000 {
			t.Errorf("%v: still sends %d into it", length, f.estimate)
		}
	}
}

func TestJitterDoesNotMoveTheEstimate(t *testing.T) {
	for _, jitter := range []time.Duration{3 * ms, 8 * ms, 15 * ms} {
		p := newPath(5_000_000)
		p.jitter = jitter
		r := newRun(newOurs(), p).until(60 * time.Second)
		if f := r.figures(15*time.Second, 60*time.Second); f.lowest < 2_700_000 {
			t.Errorf("%v: fell to %d", jitter, f.lowest)
		}
	}
}

func TestEstimateIsKeptWhileLittleIsSent(t *testing.T) {
	r := newRun(newOurs(), newPath(10_000_000)).until(10 * time.Second)
	before := r.estimator.estimate()
	all := ladder
	defer func() { ladder = all }()
	ladder = nil // the camera is off
	r.until(120 * time.Second)
	if got := r.estimator.estimate(); got != before {
		t.Errorf("%d after minutes of audio only, %d before", got, before)
	}
	ladder = all
	r.until(121 * time.Second)
	if !isTop(r.samples[len(r.samples)-1]) {
		t.Error("the highest layer is not back at once")
	}
}

func TestAudioAloneIsNotProbed(t *testing.T) {
	all := ladder
	defer func() { ladder = all }()
	ladder = nil
	o := newOurs()
	r := newRun(o, newPath(5_000_000)).until(30 * time.Second)
	if f := r.figures(0, 30*time.Second); f.padding > 0 || o.probes > 0 {
		t.Errorf("%d probes, %.2f padding", o.probes, f.padding)
	}
	if got := o.Estimate(); got != 600_000 {
		t.Errorf("estimate %d", got)
	}
}

func TestTCPBesideDoesNotEndTheVideo(t *testing.T) {
	r := newRun(newOurs(), newPath(3_000_000))
	r.competing, r.follows = newReno(), true
	f := r.until(90*time.Second).figures(30*time.Second, 90*time.Second)
	if f.delivered < 400_000 || f.delivered > 2_000_000 {
		t.Errorf("%d of 3 Mbit/s", f.delivered)
	}
}

func TestTwoReceiversShareAPath(t *testing.T) {
	p := newPath(2_000_000)
	first, second := newRun(newOurs(), p), newRun(newOurs(), p)
	first.follows, second.follows = true, true
	second.nextFrame = 13 * ms
	for now := ms; now <= 90*time.Second; now += ms {
		first.until(now)
		if now > 20*time.Second {
			second.until(now)
		} else {
			second.now = now
			second.samples = make([]sample, now/sampleTime)
		}
	}
	a, b := first.figures(50*time.Second, 90*time.Second), second.figures(50*time.Second, 90*time.Second)
	if share := float64(a.delivered) / float64(a.delivered+b.delivered); share < 0.25 || share > 0.75 {
		t.Errorf("%d and %d", a.delivered, b.delivered)
	}
	if sum := a.delivered + b.delivered; sum < 1_400_000 {
		t.Errorf("%d of 2 Mbit/s in all", sum)
	}
}

func TestEstimateKeepsWithinLimits(t *testing.T) {
	o := &ours{SendEstimator: bwe.NewSendEstimator(bwe.SendEstimatorOptions{Start: 300_000, Min: 200_000, Max: 800_000})}
	if o.Estimate() != 300_000 {
		t.Errorf("begins with %d", o.Estimate())
	}
	p := newPath(10_000_000)
	r := newRun(o, p).until(10 * time.Second)
	if got := o.Estimate(); got != 800_000 {
		t.Errorf("%d, want the most", got)
	}
	p.rate = 100_000
	if r.until(20 * time.Second); o.Estimate() != 200_000 {
		t.Errorf("%d, want the least", o.Estimate())
	}
	o.SetLimits(bwe.SendEstimatorOptions{Min: 500_000, Start: 900_000})
	if o.Estimate() != 500_000 {
		t.Errorf("%d, want the new least", o.Estimate())
	}
}

// rembOnly is a receiver that estimates by itself.
type rembOnly struct {
	*ours
	sentAt    map[uint16]time.Duration
	receiver  *bwe.ReceiveEstimator
	due       time.Duration
	lost, all int
}

func newREMBOnly(r *run) *rembOnly {
	o := &rembOnly{ours: newOurs(), sentAt: map[uint16]time.Duration{}, receiver: bwe.NewReceiveEstimator(bwe.ReceiveEstimatorOptions{})}
	r.estimator = o
	r.arrives = func(a arrival) {
		o.receiver.Receive(at(a.at), rtp.AbsSendTime(at(o.sentAt[a.seq])), a.sizeBytes)
		delete(o.sentAt, a.seq)
	}
	return o
}

func (o *rembOnly) sent(now time.Duration, seq uint16, sizeBytes int) {
	o.sentAt[seq] = now
	o.all++
	o.SentUnnumbered(at(now), sizeBytes)
}

func (o *rembOnly) feedback(time.Duration, []byte) {}

func (o *rembOnly) tick(now time.Duration, a bwe.Allocation) int {
	if now >= o.due {
		o.due = now + 500*ms
		for seq, sent := range o.sentAt {
			if now-sent > time.Second {
				o.lost++
				delete(o.sentAt, seq)
			}
		}
		o.receiver.ReportLoss(o.lost, o.all)
		o.ReportLoss(at(now), o.lost, o.all)
		o.lost, o.all = 0, 0
		if estimate, ok := o.receiver.Estimate(at(now)); ok {
			o.REMB(at(now), estimate)
		}
	}
	return o.ours.tick(now, a)
}

func TestReceiverWithREMBOnlyGetsTheHighestLayer(t *testing.T) {
	p := newPath(5_000_000)
	r := newRun(nil, p)
	newREMBOnly(r)
	r.each = comes(p, 40*time.Second, 60*time.Second, 700_000)
	r.until(100 * time.Second)
	if got := r.first(0, isTop); got > 20*time.Second {
		t.Errorf("highest layer after %v", got)
	}
	if down := r.first(40*time.Second, func(s sample) bool { return s.estimate < 800_000 }); down > 3*time.Second {
		t.Errorf("down after %v", down)
	}
	if f := r.figures(45*time.Second, 60*time.Second); f.lost > 0.02 || f.queue > 200*ms {
		t.Errorf("%.3f lost, queue %v", f.lost, f.queue)
	}
}

func TestREMBIsALimitBesideFeedback(t *testing.T) {
	r := newRun(newOurs(), newPath(5_000_000))
	o := r.estimator.(*ours)
	r.until(5 * time.Second)
	o.REMB(at(5*time.Second), 400_000)
	if o.Estimate() != 400_000 {
		t.Errorf("%d", o.Estimate())
	}
	if r.until(14 * time.Second); o.Estimate() != 400_000 {
		t.Errorf("%d nine seconds later", o.Estimate())
	}
	if r.until(16 * time.Second); o.Estimate() < 2_000_000 {
		t.Errorf("%d once it is too old", o.Estimate())
	}
}

func TestReportsOfLossAreAllThatIsKnown(t *testing.T) {
	e := bwe.NewSendEstimator(bwe.SendEstimatorOptions{})
	e.SetRoundTrip(80 * ms)
	if e.RoundTrip() != 80*ms {
		t.Errorf("round trip %v", e.RoundTrip())
	}
	now := time.Duration(0)
	second := func(rate bwe.Bitrate, lost func(sent float64) float64) {
		n := int(rate / 8 / 1000)
		for i := range n {
			e.SentUnnumbered(at(now+time.Duration(i)*time.Second/time.Duration(n)), 1000)
		}
		now += time.Second
		e.ReportLoss(at(now), int(lost(float64(n))), n)
	}
	for range 10 {
		second(min(e.Estimate(), 2_000_000), func(float64) float64 { return 0 })
	}
	if e.Estimate() < 1_500_000 {
		t.Errorf("%d after ten seconds without loss", e.Estimate())
	}
	for range 10 {
		second(e.Estimate(), func(sent float64) float64 { return max(0, sent-500_000/8/1000) })
	}
	if e.Estimate() > 700_000 {
		t.Errorf("%d behind a policer of 500 kbit/s", e.Estimate())
	}
}

func TestEstimatorSurvivesGarbage(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	e := bwe.NewSendEstimator(bwe.SendEstimatorOptions{})
	var recorder bwe.Recorder
	now := at(0)
	for i := range 50_000 {
		now = now.Add(time.Duration(random.Int64N(int64(5 * ms))))
		e.Sent(now, uint16(random.Uint32())>>random.IntN(16), random.IntN(100_000))
		recorder.Receive(mono.Instant(random.Int64N(int64(time.Hour))), uint16(random.Uint32())>>random.IntN(16))
		if i%20 == 0 {
			reader := rtp.NewRTCPReader(recorder.AppendFeedback(nil, 1, 2, 1200))
			var p rtp.RTCPPacket
			if reader.Next(&p) && !e.Feedback(now, p) {
				t.Fatal("a report is not read")
			}
			e.ReportLoss(now, random.IntN(10)-5, random.IntN(10)-5)
			e.REMB(now, bwe.Bitrate(random.Uint64()>>random.IntN(60)))
			e.Tick(now)
		}
		if got := e.Estimate(); got < 30_000 || got > 100_000_000 {
			t.Fatalf("%d", got)
		}
	}
}

// steadyRun returns what sends a packet, and what reports the last 20.
func steadyRun() (send, report func()) {
	e := bwe.NewSendEstimator(bwe.SendEstimatorOptions{})
	var recorder bwe.Recorder
	var p rtp.RTCPPacket
	buffer := make([]byte, 0, 1500)
	now, seq := at(0), uint16(0)
	send = func() {
		now = now.Add(3 * ms)
		seq++
		e.Sent(now, seq, 1100)
		recorder.Receive(now.Add(20*ms), seq)
	}
	report = func() {
		for range 20 {
			send()
		}
		reader := rtp.NewRTCPReader(recorder.AppendFeedback(buffer[:0], 1, 2, 1200))
		if !reader.Next(&p) || !e.Feedback(now.Add(40*ms), p) {
			panic("no report")
		}
		e.Tick(now)
		e.Estimate()
	}
	return send, report
}

func TestSendEstimatorDoesNotAllocate(t *testing.T) {
	_, report := steadyRun()
	report()
	if allocs := testing.AllocsPerRun(2000, report); allocs != 0 {
		t.Errorf("%v allocations for 20 packets and a report", allocs)
	}
}

func BenchmarkSent(b *testing.B) {
	e := bwe.NewSendEstimator(bwe.SendEstimatorOptions{})
	now, seq := at(0), uint16(0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(10 * ms)
		seq++
		e.Sent(now, seq, 1100)
	}
}

func BenchmarkSendFeedback(b *testing.B) {
	e := bwe.NewSendEstimator(bwe.SendEstimatorOptions{})
	var recorder bwe.Recorder
	var p rtp.RTCPPacket
	buffer := make([]byte, 0, 1500)
	now, seq := at(0), uint16(0)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += 20 {
		b.StopTimer()
		for range 20 {
			now = now.Add(3 * ms)
			seq++
			e.Sent(now, seq, 1100)
			recorder.Receive(now.Add(20*ms), seq)
		}
		reader := rtp.NewRTCPReader(recorder.AppendFeedback(buffer[:0], 1, 2, 1200))
		reader.Next(&p)
		b.StartTimer()
		e.Feedback(now.Add(40*ms), p)
	}
}

func TestEstimateBearsLongAndShortPaths(t *testing.T) {
	for _, delay := range []time.Duration{ms, 100 * ms, 250 * ms} {
		p := newPath(5_000_000)
		p.delay = delay
		r := newRun(newOurs(), p)
		r.back.delay = delay
		r.each = comes(p, 20*time.Second, 40*time.Second, 700_000)
		r.until(75 * time.Second)
		if got := r.first(0, isTop); got > 5*time.Second {
			t.Errorf("%v: highest layer after %v", delay, got)
		}
		if got := r.first(20*time.Second, func(s sample) bool { return s.estimate <= 700_000 }); got > time.Second+2*delay {
			t.Errorf("%v: down after %v", delay, got)
		}
		if f := r.figures(25*time.Second, 40*time.Second); f.queue95 > 150*ms || f.delivered < 400_000 {
			t.Errorf("%v: queue up to %v, %d arrives", delay, f.queue95, f.delivered)
		}
		if got := r.first(40*time.Second, isTop); got > 15*time.Second {
			t.Errorf("%v: back up after %v", delay, got)
		}
		if got := r.estimator.(*ours).RoundTrip(); got < 2*delay || got > 2*delay+150*ms {
			t.Errorf("%v: round trip of %v", delay, got)
		}
	}
}
