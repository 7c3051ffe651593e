package sfu

import (
	"sync/atomic"
	"time"

	"github.com/takoserver/takos-call/internal/mono"
)

// An Opus encoder repeats in each packet the one before, in less detail, as far
// as it is told of loss (RFC 6716 §2.1.7). What it is told is the fraction in
// our receiver reports. The loss on its own way to us is the smaller part of the
// matter: most is lost on the way to somebody who listens, and audio is not sent
// again. So the reports on such a stream tell of the listeners' loss where that
// is the greater.
//
// The total in the same reports stays that of the sender's way to us. Browsers
// estimate their uplink by it, and must not send less video because a listener's
// downlink is bad.

const (
	// fecForFew is how much loss, in 256ths, a sender is told of for the sake of
	// a few: 10 %. Repeating takes its bits from the voice that all others hear,
	// and helps little where several packets are lost in a row.
	fecForFew = 26
	// lossLasts is how long a listener's report counts. Browsers report on audio
	// every 5 s, give or take the half of it (RFC 3550 §6.2).
	lossLasts = 10 * time.Second
)

// reportedLoss is what a receiver has said last about its loss, in one word:
// 56 bits of milliseconds, 8 of the fraction lost in 256ths. It is read on
// behalf of the sender, whose locks are others. 0 is nothing said.
type reportedLoss struct{ word atomic.Uint64 }

func (l *reportedLoss) note(now mono.Instant, fraction uint8) {
	l.word.Store(uint64(now.Milliseconds())<<8 | uint64(fraction))
}

// recent returns the fraction lost, unless that was said too long ago.
func (l *reportedLoss) recent(now mono.Instant) (fraction uint8, ok bool) {
	word := l.word.Load()
	said := mono.Instant(word >> 8 * uint64(time.Millisecond))
	return uint8(word), word != 0 && now.Sub(said) < lossLasts
}

// listenersLoss is the loss, in 256ths, against which p's packets are to be
// protected on their way to those who get them.
func (p *Producer) listenersLoss(now mono.Instant) uint8 {
	worst, sum, listeners := 0, 0, 0
	for _, c := range *p.fanout.Load() {
		if !c.active.Load() {
			continue
		}
		listeners++ // who has not reported yet loses nothing, as far as is known
		if fraction, ok := c.loss.recent(now); ok {
			worst = max(worst, int(fraction))
			sum += int(fraction)
		}
	}
	return protectAgainst(worst, sum, listeners)
}

// protectAgainst is the worst listener's loss, as long as it is small or shared
// by the others: not more than fecForFew or the mean, whichever is greater.
func protectAgainst(worst, sum, listeners int) uint8 {
	if listeners == 0 {
		return 0
	}
	return uint8(min(worst, max(fecForFew, sum/listeners)))
}
