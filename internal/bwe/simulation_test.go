package bwe_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/rtp"
)

// estimator is what a run drives: ours, or another to compare it with. Times
// are since the start of the run.
type estimator interface {
	sent(now time.Duration, seq uint16, sizeBytes int)
	feedback(now time.Duration, packet []byte)
	// tick is called each 10 ms and returns how much padding to send.
	tick(now time.Duration, a bwe.Allocation) int
	estimate() bwe.Bitrate
}

// ours is SendEstimator and Prober, as the sfu uses them.
type ours struct {
	*bwe.SendEstimator
	prober bwe.Prober
	probes int
}

func newOurs() *ours { return &ours{SendEstimator: bwe.NewSendEstimator(bwe.SendEstimatorOptions{})} }

func (o *ours) sent(now time.Duration, seq uint16, sizeBytes int) { o.Sent(at(now), seq, sizeBytes) }

func (o *ours) feedback(now time.Duration, packet []byte) {
	r := rtp.NewRTCPReader(packet)
	var p rtp.RTCPPacket
	for r.Next(&p) {
		o.Feedback(at(now), p)
	}
}

func (o *ours) tick(now time.Duration, a bwe.Allocation) int {
	o.Tick(at(now))
	active := o.prober.Active()
	padding := o.prober.Tick(at(now), o.SendEstimator, a)
	if !active && o.prober.Active() {
		o.probes++
	}
	return padding
}

func (o *ours) estimate() bwe.Bitrate { return o.Estimate() }

// ladder is what simulcast of three encodings with two temporal layers each
// offers.
var ladder = []bwe.Bitrate{90_000, 150_000, 300_000, 500_000, 1_500_000, 2_500_000}

// run is a receiver of audio and one video, and the path to it.
type run struct {
	estimator estimator
	path      *path
	back      *path // of the feedback
	competing *reno
	random    *rand.Rand
	recorder  bwe.Recorder
	// follows has the video be of just the rate of the estimate, up to the
	// top of the ladder, as if an encoder were asked; else it has layers.
	follows bool
	// each is called before each ms.
	each func(now time.Duration)
	// arrives is called for each packet that arrives.
	arrives func(arrival)

	now        time.Duration
	seq        uint16
	layer      int
	allocation bwe.Allocation
	nextFrame  time.Duration
	keyframe   bool
	onTheWay   []arrival
	reports    []reply

	samples []sample
	current sample
}

type arrival struct {
	at        time.Duration
	seq       uint16
	sizeBytes int
	padding   bool
}

type reply struct {
	at     time.Duration
	packet []byte
}

// sample is what was seen in 100 ms.
type sample struct {
	at        time.Duration
	estimate  bwe.Bitrate
	layer     int
	sent      int // bytes
	padding   int // bytes
	delivered int // bytes
	packets   int // sent
	dropped   int // packets
	queue     time.Duration
}

const sampleTime = 100 * ms

func newRun(e estimator, p *path) *run {
	return &run{
		estimator: e, path: p, back: newPath(100_000_000), layer: bwe.Paused, seq: 65_000,
		random: rand.New(rand.NewPCG(7, 8)), current: sample{},
	}
}

// until plays the run up to a time.
func (r *run) until(end time.Duration) *run {
	for ; r.now < end; r.now += ms {
		if r.each != nil {
			r.each(r.now)
		}
		r.step()
	}
	return r
}

func (r *run) step() {
	if r.competing != nil {
		r.competing.step(r.now, r.path)
	}
	if r.now%(100*ms) == 0 {
		r.allocate()
	}
	if r.now%(20*ms) == 0 {
		r.send(110, false)
	}
	if r.now >= r.nextFrame {
		r.nextFrame += time.Second / 30
		r.sendFrame()
	}
	if r.now%(10*ms) == 0 {
		for padding := r.estimator.tick(r.now, r.allocation); padding > 0; padding -= 1000 {
			r.send(min(max(padding, 100), 1000), true)
		}
	}
	r.receive()
	r.observe()
}

const audioRate = 50_000

func (r *run) allocate() {
	demands := []bwe.Demand{{Layers: ladder, Preferred: len(ladder) - 1, Current: r.layer}}
	chosen := []int{0}
	r.allocation = bwe.Allocate(r.estimator.estimate(), audioRate, demands, chosen)
	if chosen[0]/2 != r.layer/2 {
		r.keyframe = true
	}
	r.layer = chosen[0]
}

// sendFrame sends a frame at once, as it comes from the sender.
func (r *run) sendFrame() {
	var rate bwe.Bitrate
	switch {
	case r.follows:
		rate = min(max(r.estimator.estimate(), audioRate+50_000)-audioRate, ladder[len(ladder)-1])
	case r.layer != bwe.Paused:
		rate = ladder[r.layer]
	default:
		return
	}
	sizeBytes := float64(rate) / 8 / 30 * (0.7 + 0.6*r.random.Float64())
	if r.keyframe && !r.follows {
		sizeBytes *= 5
		r.keyframe = false
	}
	for left := int(sizeBytes); left > 0; left -= 1100 {
		r.send(min(max(left, 100), 1100), false)
	}
}

func (r *run) send(sizeBytes int, padding bool) {
	r.seq++
	r.estimator.sent(r.now, r.seq, sizeBytes)
	r.current.sent += sizeBytes
	r.current.packets++
	if padding {
		r.current.padding += sizeBytes
	}
	if at, ok := r.path.send(r.now, sizeBytes); ok {
		r.onTheWay = append(r.onTheWay, arrival{at, r.seq, sizeBytes, padding})
	} else {
		r.current.dropped++
	}
}

// receive lets the packets arrive that are due, and the reports on them.
func (r *run) receive() {
	n := 0
	for ; n < len(r.onTheWay) && r.onTheWay[n].at <= r.now; n++ {
		a := r.onTheWay[n]
		r.recorder.Receive(at(a.at), a.seq)
		if r.arrives != nil {
			r.arrives(a)
		}
		if !a.padding {
			r.current.delivered += a.sizeBytes
		}
	}
	r.onTheWay = r.onTheWay[n:]
	if r.now%(100*ms) == 50*ms && r.recorder.Pending() {
		packet := r.recorder.AppendFeedback(nil, 1, 2, 1200)
		if at, ok := r.back.send(r.now, len(packet)); ok {
			r.reports = append(r.reports, reply{at, packet})
		}
	}
	for len(r.reports) > 0 && r.reports[0].at <= r.now {
		r.estimator.feedback(r.now, r.reports[0].packet)
		r.reports = r.reports[1:]
	}
}

func (r *run) observe() {
	r.current.queue = max(r.current.queue, r.path.queue(r.now))
	if (r.now+ms)%sampleTime != 0 {
		return
	}
	r.current.at, r.current.estimate, r.current.layer = r.now, r.estimator.estimate(), r.layer
	r.samples = append(r.samples, r.current)
	r.current = sample{}
}

// between returns the samples of a span.
func (r *run) between(from, to time.Duration) []sample {
	return r.samples[from/sampleTime : min(int(to/sampleTime), len(r.samples))]
}

// figures are what the samples of a span come to.
type figures struct {
	estimate, lowest bwe.Bitrate // mean, least
	delivered        bwe.Bitrate // media that arrived
	queue, queue95   time.Duration
	padding          float64 // share of what was sent
	lost             float64 // share of packets
	changes          int     // of layer
}

func (r *run) figures(from, to time.Duration) (f figures) {
	samples := r.between(from, to)
	f.lowest = samples[0].estimate
	var sent, padding, delivered, packets, dropped int
	var queues []time.Duration
	for i, s := range samples {
		f.estimate += s.estimate / bwe.Bitrate(len(samples))
		f.lowest = min(f.lowest, s.estimate)
		sent, padding, delivered = sent+s.sent, padding+s.padding, delivered+s.delivered
		f.queue += s.queue / time.Duration(len(samples))
		queues = append(queues, s.queue)
		packets, dropped = packets+s.packets, dropped+s.dropped
		if i > 0 && s.layer != samples[i-1].layer {
			f.changes++
		}
	}
	slices.Sort(queues)
	f.queue95 = queues[len(queues)*95/100]
	f.lost = float64(dropped) / float64(max(packets, 1))
	f.padding = float64(padding) / float64(max(sent, 1))
	f.delivered = bwe.Bitrate(float64(delivered*8) / (to - from).Seconds())
	return f
}

// first returns how long after from a sample was such that ok; never is an
// hour.
func (r *run) first(from time.Duration, ok func(sample) bool) time.Duration {
	for _, s := range r.samples[from/sampleTime:] {
		if ok(s) {
			return s.at + ms - from
		}
	}
	return time.Hour
}
