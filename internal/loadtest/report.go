package loadtest

import (
	"strings"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
)

// Report is what a load has shown. The counters are of the time measured.
type Report struct {
	Senders, Receivers int
	Duration           time.Duration

	Sent uint64 // packets by all senders
	// Expected is how many of them the receivers should have got; Received may
	// differ from it by what was on its way when the counters were read.
	Expected  uint64
	Received  uint64 // each packet once
	Lost      int64  // never came, though later ones did
	Recovered uint64 // came as a retransmission
	Reordered uint64
	// Duplicates came twice.
	Duplicates uint64
	// Faults are packets that were foreign, shifted, unannounced, malformed or
	// could not be decrypted.
	Faults uint64
	// Silent is how many receivers got nothing of one of their streams.
	Silent int

	Latency Histogram
	// Joining is how long it took until all receivers were in.
	Joining  time.Duration
	Connect  Histogram // of each: ICE and DTLS, signalling included
	Keyframe Histogram // from the beginning of joining to the first keyframe
	// Keyframes is how many the senders have sent since they began.
	Keyframes uint64
}

// add counts what a receiver has got between two looks at its figures.
func (r *Report) add(before, after ReceiverStats) {
	r.Latency.Merge(&after.Latency)
	r.Connect.Add(after.Connected)
	r.Faults += after.Unknown + after.Undecryptable + after.Malformed - before.Unknown - before.Undecryptable - before.Malformed
	silent := false
	for i, now := range after.Streams {
		was := before.Streams[i]
		r.Received += now.Packets - was.Packets
		r.Lost += now.Lost - was.Lost
		r.Recovered += now.Recovered - was.Recovered
		r.Reordered += now.Reordered - was.Reordered
		r.Duplicates += now.Duplicates - was.Duplicates
		r.Faults += now.Foreign + now.Shifted - was.Foreign - was.Shifted
		silent = silent || now.Packets == was.Packets
		if now.Kind == ortc.Video && now.Keyframes > 0 {
			r.Keyframe.Add(now.FirstKeyframe)
		}
	}
	if silent {
		r.Silent++
	}
}

// Whole tells that everything came, once and as it was sent: what is missing
// is at most a share of allowed (0.001 is a thousandth) of the packets.
func (r *Report) Whole(allowed float64) bool {
	return r.Silent == 0 && r.Faults == 0 && r.Duplicates == 0 && r.Received > 0 &&
		float64(r.Lost) <= allowed*float64(r.Received)
}

// String is the report in a few lines of text.
func (r *Report) String() string {
	var b strings.Builder
	_ = Summarise("load", r).Write(&b) // a Builder takes everything
	return b.String()
}

func (r *Report) packetsPerSecond() float64 { return perSecond(float64(r.Received), r.Duration) }

func (r *Report) joinsPerSecond() float64 { return perSecond(float64(r.Receivers), r.Joining) }

func perSecond(n float64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return n / d.Seconds()
}

func (r *Report) lossPercent() float64 {
	expected := float64(r.Received) + float64(r.Lost)
	if expected == 0 {
		return 0
	}
	return 100 * float64(r.Lost) / expected
}
