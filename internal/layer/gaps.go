package layer

import "math/bits"

// gapsWindow is how far behind the newest number one may be and still have a
// place.
const gapsWindow = 1024

// Gaps renumbers what counts up, such that what is left out leaves no hole,
// and that what is missing keeps its place until it comes. The zero value is
// to be restarted first.
type Gaps struct {
	first   int64 // restarted with
	newest  int64 // highest number known
	placed  int64 // highest number that was placed
	behind  int64 // how far the place of newest+1 is behind it
	dropped [gapsWindow / 64]uint64
}

// Restart gives the number in the place out, and later ones those that follow.
// Numbers before in have no place.
func (g *Gaps) Restart(in, out int64) {
	*g = Gaps{first: in, newest: in - 1, placed: in - 1, behind: in - out}
}

// Drop leaves a number out. It reports whether that closed its place: it does
// not if a later number was placed already, which then has one to spare.
func (g *Gaps) Drop(in int64) (closed bool) {
	switch {
	case in > g.newest:
		g.advance(in)
	case in <= g.newest-gapsWindow || in < g.first:
		return false
	case g.isDropped(in):
		return true
	}
	if in <= g.placed {
		return false
	}
	g.dropped[in/64%int64(len(g.dropped))] |= 1 << (in % 64)
	g.behind++
	return true
}

// Place returns the place of a number. It is false for one that was left out,
// or is too old.
func (g *Gaps) Place(in int64) (out int64, ok bool) {
	if in > g.newest {
		g.advance(in)
	} else if in <= g.newest-gapsWindow || in < g.first || g.isDropped(in) {
		return 0, false
	}
	g.placed = max(g.placed, in)
	return in - g.droppedBefore(in), true
}

// Original returns the number that has the place out, whether it was placed
// yet or is missing. It is false for places that are not given to any number
// known or whose number is too old.
func (g *Gaps) Original(out int64) (in int64, ok bool) {
	// The wanted number is the highest that solves in = out + droppedBefore(in),
	// whose right side does not fall with in: from above, iteration arrives at
	// it.
	in = out + g.behind
	if in > g.newest {
		return 0, false
	}
	for in > g.newest-gapsWindow && in >= g.first {
		next := out + g.droppedBefore(in)
		if next == in {
			return in, true
		}
		in = next
	}
	return 0, false
}

// advance makes in the newest number; those skipped are missing.
func (g *Gaps) advance(in int64) {
	if in-g.newest >= gapsWindow {
		clear(g.dropped[:])
	} else {
		for n := g.newest + 1; n <= in; n++ {
			g.dropped[n/64%int64(len(g.dropped))] &^= 1 << (n % 64)
		}
	}
	g.newest = in
}

func (g *Gaps) isDropped(in int64) bool {
	return g.dropped[in/64%int64(len(g.dropped))]>>(in%64)&1 != 0
}

// droppedBefore is how far the place of in is behind it. in is in the window.
func (g *Gaps) droppedBefore(in int64) int64 {
	since := int64(0) // dropped from in to newest
	for n := in; n <= g.newest; {
		word := g.dropped[n/64%int64(len(g.dropped))] >> (n % 64)
		end := n/64*64 + 64
		if end > g.newest+1 {
			word &= 1<<(g.newest+1-n) - 1
		}
		since += int64(bits.OnesCount64(word))
		n = end
	}
	return g.behind - since
}
