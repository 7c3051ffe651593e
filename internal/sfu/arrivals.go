package sfu

// arrivalWindow is how far behind the newest packet one may still arrive: as
// long as SRTP's own window and the patience of NACKs at usual packet rates.
const arrivalWindow = 2048

// arrivals remembers which of a stream's last packets have arrived. A packet
// can come twice although SRTP refuses replays: as itself and, over the RTX
// stream, as the answer to a NACK. It must not be forwarded twice: SRTP makes
// its nonce from the sequence number (RFC 7714 §8.1), and two packets under one
// nonce give away the authentication key of AES-GCM. The zero value is ready
// for extSeqs from arrivalWindow on.
type arrivals struct {
	newest int64
	seen   [arrivalWindow / 64]uint64 // bits, by extSeq modulo arrivalWindow
}

// add notes extSeq and reports whether it is new. It is false for what is too
// old to tell.
func (a *arrivals) add(extSeq int64) bool {
	switch {
	case extSeq > a.newest:
		a.advance(extSeq)
	case a.newest-extSeq >= arrivalWindow:
		return false
	}
	word, bit := a.place(extSeq)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// advance makes extSeq the newest; what was skipped has not arrived.
func (a *arrivals) advance(extSeq int64) {
	if extSeq-a.newest >= arrivalWindow {
		a.seen = [arrivalWindow / 64]uint64{}
		a.newest = extSeq
		return
	}
	for a.newest < extSeq {
		a.newest++
		word, bit := a.place(a.newest)
		*word &^= bit
	}
}

func (a *arrivals) place(extSeq int64) (word *uint64, bit uint64) {
	i := uint64(extSeq) % arrivalWindow
	return &a.seen[i/64], 1 << (i % 64)
}
