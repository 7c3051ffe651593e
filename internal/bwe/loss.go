package bwe

import (
	"math"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// Loss says that a path is full only if it depends on how much is sent: a
// policer passes its rate and drops the rest, while a radio link loses its
// share of whatever there is. lossModel tells them apart by finding which of
// the two, or both together, makes what was seen the most likely:
//
//	expected loss = p + (1−p) · max(0, 1 − capacity/rate)
//
// for a loss p that nothing helps against and a capacity, infinite if none was
// met. What a single window cannot tell apart, the rates of the others do: they
// vary by themselves, and if a capacity was believed in wrongly, the loss goes
// on at the lower rate.
type lossModel struct {
	windows [lossWindows]lossWindow
	n       int // of all so far
	// mistakes is doubted more of each capacity, as loss has gone on at a
	// lower rate before. It keeps a lossy path from being put to the test again
	// each time that the windows of the last test are forgotten.
	mistakes float64
}

const (
	lossWindows = 20
	// lossForgetting is the weight of a window relative to the next.
	lossForgetting = 0.9
	// lossBurstiness is how many losses come together in practice: that many
	// packets count as one observation.
	lossBurstiness = 3
	// lossExcess over what is expected anyway is what calls for an answer.
	lossExcess = 0.02
	// lossOutage is the loss of a path that does not work at all, which says
	// nothing about its capacity.
	lossOutage = 0.95
	// capacityDoubt is how much better, as a logarithm of likelihood, a
	// capacity has to explain what was seen.
	capacityDoubt = 4
	// lossChange is the misfit of the last window that shows a change of the
	// path: what was seen before is of another one.
	lossChange = 3
	// leastLoss keeps a single loss from being impossible.
	leastLoss = 0.003
	// lossCandidates is how many of the last windows are asked for a capacity.
	lossCandidates = 6
	// mistakeDoubt is added once a capacity was believed in wrongly, until the
	// path changes: more than there is against any inherent loss.
	mistakeDoubt = 18
	mistakeRate  = 0.9
	mistakeLoss  = 0.7
)

// lossLevels are the inherent losses considered, and how much is to be said
// against each before anything is seen: up to a tenth happens, much more is
// rather a full path.
var lossLevels = [...]struct{ p, doubt float64 }{
	{0, 0}, {0.01, 0}, {0.02, 0}, {0.05, 0.3}, {0.1, 1}, {0.15, 2.5}, {0.2, 5}, {0.3, 9}, {0.4, 14}, {0.5, 17},
}

// lossWindow is what became of packets that were sent together.
type lossWindow struct {
	rate       float64 // at which they were sent, bit/s
	sent, lost float64 // packets
}

func (w lossWindow) loss() float64 { return w.lost / w.sent }

// delivered is the rate that came through, bit/s.
func (w lossWindow) delivered() float64 { return w.rate * (1 - w.loss()) }

// carried is what the path of a capacity has carried, bit/s. A window that was sent
// at more shows it best: the capacity is that of earlier ones too, of which the
// first may have emptied a policer's bucket.
func (w lossWindow) carried(capacity float64) float64 {
	if w.rate <= capacity {
		return capacity
	}
	return min(capacity, w.delivered())
}

// showsMistake reports whether a window shows that a reduction for the loss of
// an earlier one was in vain: less is sent than came through then, and as much
// of it is lost.
func (w lossWindow) showsMistake(before lossWindow) bool {
	return w.rate < mistakeRate*before.delivered() && w.loss() > mistakeLoss*before.loss()
}

// lossVerdict is the most likely explanation.
type lossVerdict struct {
	inherent float64 // share of packets
	capacity float64 // bit/s; +Inf: none was met
	excess   bool    // the last window lost more than the inherent
}

// observe adds a window and returns what explains it and those before best.
func (m *lossModel) observe(w lossWindow) lossVerdict {
	if w.sent <= 0 || w.loss() >= lossOutage {
		return lossVerdict{capacity: math.Inf(1)}
	}
	m.add(w)
	best := m.bestExplanation()
	if m.n > 1 && w.misfit(best) > lossChange {
		m.n, m.mistakes = 0, 0 // the path is another now
		m.add(w)
		best = m.bestExplanation()
	}
	best.excess = w.loss() > best.inherent+lossExcess
	return best
}

func (m *lossModel) add(w lossWindow) {
	m.windows[m.n%lossWindows] = w
	m.n++
}

// mistake notes that a capacity was believed in wrongly.
func (m *lossModel) mistake() { m.mistakes = mistakeDoubt }

// bestExplanation tries no capacity, and those that the last windows suggest.
func (m *lossModel) bestExplanation() lossVerdict {
	best, bestScore := m.explain(math.Inf(1), 0)
	for back := range min(m.n, lossCandidates) {
		c := m.windows[(m.n-1-back)%lossWindows]
		if c.lost == 0 {
			continue
		}
		if v, score := m.explain(c.delivered(), capacityDoubt+m.mistakes); score > bestScore {
			best, bestScore = v, score
		}
	}
	return best
}

// explain returns the inherent loss that fits a capacity best, and how well.
func (m *lossModel) explain(capacity, doubt float64) (best lossVerdict, bestScore float64) {
	// Below the capacity all windows are alike and can be taken together.
	var below lossWindow
	var above [lossWindows]lossWindow
	n, weight := 0, 1.0/lossBurstiness
	for back := range min(m.n, lossWindows) {
		w := m.windows[(m.n-1-back)%lossWindows]
		w.sent, w.lost = w.sent*weight, w.lost*weight
		if w.rate > capacity {
			above[n] = w
			n++
		} else {
			below.sent, below.lost = below.sent+w.sent, below.lost+w.lost
		}
		weight *= lossForgetting
	}
	bestScore = math.Inf(-1)
	for _, level := range lossLevels {
		score := below.likelihood(level.p) - doubt - level.doubt
		for i := range above[:n] {
			score += above[i].likelihood(above[i].expected(capacity, level.p))
		}
		if score > bestScore {
			best, bestScore = lossVerdict{inherent: level.p, capacity: capacity}, score
		}
	}
	return best, bestScore
}

// expected is the share that ought to be lost.
func (w *lossWindow) expected(capacity, inherent float64) float64 {
	if w.rate <= capacity {
		return inherent
	}
	return inherent + (1-inherent)*(1-capacity/w.rate)
}

// likelihood is the logarithm of that of what was seen, if a share p was to be
// lost.
func (w *lossWindow) likelihood(p float64) float64 {
	p = min(max(p, leastLoss), 1-leastLoss)
	return w.lost*math.Log(p) + (w.sent-w.lost)*math.Log1p(-p)
}

// misfit is how much less likely an explanation makes the window than one of
// its own would.
func (w *lossWindow) misfit(v lossVerdict) float64 {
	return (w.likelihood(w.loss()) - w.likelihood(w.expected(v.capacity, v.inherent))) / lossBurstiness
}

// lossTracker gathers what feedback says of losses into windows.
type lossTracker struct {
	model     lossModel
	window    lossWindow
	from, to  mono.Instant // when the packets of the window were sent
	after     mono.Instant // what was sent before is not counted
	sizeBytes int
	inherent  float64 // by the last window
	reducedAt mono.Instant
	// reducedFrom is what the estimate was before it was reduced for loss, 0
	// if it was not, and reducedBy the window that was the reason.
	reducedFrom float64
	reducedBy   lossWindow
	reduced     mono.Instant // when it was last reduced for loss
}

// begin begins a window of packets sent after an instant: one that has
// packets of before and after a reduction tells of neither rate.
func (l *lossTracker) begin(after mono.Instant) { l.window, l.after = lossWindow{}, after }

// add counts a packet.
func (l *lossTracker) add(p *sentPacket, lost bool) {
	if p.at < l.after {
		return
	}
	if l.window.sent == 0 {
		l.from, l.to, l.sizeBytes = p.at, p.at, 0
	}
	l.from, l.to = min(l.from, p.at), max(l.to, p.at)
	l.sizeBytes += int(p.sizeBytes)
	l.window.sent++
	if lost {
		l.window.lost++
	}
}

// takeBack counts a packet that was reported lost as arrived: it was late.
func (l *lossTracker) takeBack() { l.window.lost = max(l.window.lost-1, 0) }

// complete returns the window once it is long enough, and begins the next.
func (l *lossTracker) complete() (w lossWindow, ok bool) {
	span := l.to.Sub(l.from)
	if l.window.sent < lossWindowPackets || span < lossWindowTime {
		return w, false
	}
	w = l.window
	// The first packet is at the beginning of the span: it is not sent in it.
	w.rate = float64(l.sizeBytes) * 8 / span.Seconds() * (w.sent - 1) / w.sent
	l.window = lossWindow{}
	return w, true
}

// rise is what became of the first packets since more is let through. A policer
// lets a probe pass, and loses the keyframe with which a larger encoding begins:
// before the model knows, the picture has stood for long.
type rise struct {
	from       mono.Instant // 0: there was none
	before     float64      // what was carried until then, bit/s
	sent, lost float64      // packets
}

const (
	// riseTime is how long the model needs.
	riseTime = time.Second
	// riseLoss over the inherent is too much, of so many packets.
	riseLoss    = 0.1
	risePackets = 15
	// riseMargin is what was sent varies by.
	riseMargin = 1.2
)

// add counts a packet. One that was reported lost and is late counts as both.
func (r *rise) add(p *sentPacket, lost bool) {
	if r.from == 0 || p.at < r.from {
		return
	}
	if p.at.Sub(r.from) > riseTime {
		*r = rise{}
		return
	}
	r.sent++
	if lost {
		r.lost++
	}
}

// failed reports whether too much was lost, beyond what chance brings about.
func (r *rise) failed(inherent float64) bool {
	deviation := math.Sqrt(r.sent * inherent * (1 - inherent))
	return r.sent >= risePackets && r.lost > r.sent*(inherent+riseLoss)+2*deviation
}
