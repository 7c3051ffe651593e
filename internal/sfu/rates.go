package sfu

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/bwe"
	"github.com/takoserver/takos-call/internal/mono"
	"github.com/takoserver/takos-call/internal/ortc"
)

// ratesInterval is how often the bitrates of layers are measured. Shorter, and
// each keyframe is a new bitrate; longer, and what begins is sent blindly.
const ratesInterval = 500 * time.Millisecond

// layerRates are the bitrates of a producer's layers, of each by itself. A
// simulcast encoding is a spatial layer. Written under recvMu, read by whoever
// divides bandwidth.
type layerRates struct {
	bitrates [maxSpatial][maxTemporal]atomic.Uint64
	// independent is whether a spatial layer does without those below, as in
	// simulcast and, but for keyframes, K-SVC. Constant.
	independent bool

	// Guarded by recvMu.
	due mono.Instant
	at  mono.Instant
	was [maxSpatial][maxTemporal]uint64
	raw [maxSpatial][maxTemporal]uint64 // the last measurement as it was
}

// newLayerRates are those of a producer before its first packet.
func newLayerRates(p ortc.RTPParameters) layerRates {
	mode := p.Encodings[0].ScalabilityMode
	return layerRates{independent: len(p.Encodings) > 1 ||
		strings.HasPrefix(mode, "S") || ortc.ParseScalabilityMode(mode).KSVC}
}

// measureRates measures the bitrates of p's layers if that is due. The recvMu of
// p's transport is held.
func (p *Producer) measureRates(now mono.Instant) {
	r := &p.rates
	if now < r.due {
		return
	}
	r.due = now.Add(ratesInterval)
	var bytes [maxSpatial][maxTemporal]uint64
	for i := range p.encodings {
		s := p.encodings[i].stream
		if s == nil {
			continue
		}
		for spatial := range s.layerBytes {
			at := spatial
			if len(p.encodings) > 1 {
				at = min(i, maxSpatial-1)
			}
			for temporal, n := range s.layerBytes[spatial] {
				bytes[at][temporal] += n
			}
		}
	}
	elapsed := now.Sub(r.at).Seconds()
	for spatial := range bytes {
		for temporal, n := range bytes[spatial] {
			was := r.was[spatial][temporal]
			if r.at != 0 && elapsed > 0 && n >= was {
				r.set(spatial, temporal, uint64(float64(8*(n-was))/elapsed))
			}
		}
	}
	r.at, r.was = now, bytes
}

// set takes in a measurement. Half of what is known is new each time, and of two
// in a row the lesser counts: a keyframe, which is what begins with a layer, must
// not look like a stream that has grown, or who has got it would have to leave it
// again.
func (r *layerRates) set(spatial, temporal int, bitrate uint64) {
	at, raw := &r.bitrates[spatial][temporal], &r.raw[spatial][temporal]
	before := *raw
	if *raw = bitrate; before != 0 {
		bitrate = min(bitrate, before)
	}
	if before := at.Load(); before != 0 && bitrate != 0 {
		bitrate = (before + bitrate) / 2
	}
	at.Store(bitrate)
}

// choices are the bitrates that a receiver of p can choose among, what they build
// on included: at spatial × maxTemporal + temporal, 0 for what does not arrive.
// It is not known before the first measurement.
func (p *Producer) choices() (bitrates [choices]bwe.Bitrate, known bool) {
	var below [maxTemporal]bwe.Bitrate // of lower spatial layers, cumulative
	for spatial := range maxSpatial {
		sum := bwe.Bitrate(0)
		for temporal := range maxTemporal {
			own := bwe.Bitrate(p.rates.bitrates[spatial][temporal].Load())
			sum += own
			if own == 0 {
				continue
			}
			known = true
			bitrates[spatial*maxTemporal+temporal] = sum + below[temporal]
		}
		if p.rates.independent {
			continue
		}
		total := bwe.Bitrate(0)
		for temporal := range maxTemporal {
			total += bwe.Bitrate(p.rates.bitrates[spatial][temporal].Load())
			below[temporal] += total
		}
	}
	return bitrates, known
}
