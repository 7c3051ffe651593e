package sfu

import (
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
)

// doubts are what a receiver's line has shown it does not carry, although the
// bitrates say so: the way to a higher spatial layer leads over a keyframe, several
// times as large as other frames, which a narrow line with a short queue loses.
// Then nothing is seen, the layer is taken away again, and without a memory of it
// tried again as soon as the line is free: for as long as the call lasts.
// Guarded by the sendMu of the consumer's transport.
type doubts struct {
	rose  mono.Instant // when a higher spatial layer was given last
	to    int          // which; 0: it has been taken away since
	until mono.Instant // when a doubted one may be tried as if nothing had been
	layer int          // the lowest that is doubted
	times int          // how often in a row it was taken away soon
}

const (
	// doubtfulTime is how long a layer has to be kept, or it was given in vain. An
	// estimate falls within one second, and probes may raise it once more.
	doubtfulTime = 8 * time.Second
	// provenTime is how long one has to be kept for its failures to be forgotten.
	provenTime = 30 * time.Second
	// doubtTime is how long the first failure counts; the second counts twice as
	// long, and so on.
	doubtTime = time.Minute
	// maxDoubt: the line has to seem three times as wide.
	maxDoubt = 4
)

// note takes in that a receiver who prefers one choice is given another than
// before.
func (d *doubts) note(now mono.Instant, before, after, preferred int) {
	from, to := before/maxTemporal, after/maxTemporal
	if to > from {
		d.rose, d.to = now, to
	}
	if to >= from || from < d.to || d.to == 0 {
		return
	}
	switch kept := now.Sub(d.rose); {
	case preferred/maxTemporal < from: // it is not wanted any more
	case kept < doubtfulTime:
		d.doubt(now)
	case kept >= provenTime:
		*d = doubts{}
	}
	d.to = 0
}

// doubt takes in that the layer given last was given in vain.
func (d *doubts) doubt(now mono.Instant) {
	if now >= d.until {
		d.layer = d.to
	}
	d.layer, d.times = min(d.layer, d.to), min(d.times+1, maxDoubt)
	d.until = now.Add(time.Duration(d.times) * doubtTime)
}

// apply makes doubted layers above the current choice cost half of their bitrate
// more for each time that they failed.
func (d *doubts) apply(now mono.Instant, current int, bitrates *[choices]bwe.Bitrate) {
	if now >= d.until {
		return
	}
	for i := max(d.layer, current/maxTemporal+1) * maxTemporal; i < choices; i++ {
		bitrates[i] += bitrates[i] * bwe.Bitrate(d.times) / 2
	}
}
