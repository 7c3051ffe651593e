package speaker

import (
	"cmp"
	"slices"
)

// Reading is how far an observer has read a Source.
type Reading struct{ sum, packets uint64 }

// Start makes the next Average begin now.
func (r *Reading) Start(s *Source) { r.sum, r.packets = s.sum, s.packets }

// Average returns the mean level of the packets since the last call or Start,
// in dBov: 0 is the loudest, −127 silence. It is false with fewer packets than
// least: a sender that sends nothing while it is silent would be taken for loud
// by the few it has sent.
func (r *Reading) Average(s *Source, least uint64) (dBov int, ok bool) {
	sum, packets := s.sum-r.sum, s.packets-r.packets
	r.Start(s)
	if packets < max(least, 1) {
		return 0, false
	}
	return -int((sum + packets/2) / packets), true
}

// Volume is how loud one of several sources was.
type Volume struct {
	Index int // of the source, for the caller
	DBov  int // −127 to 0
}

// Loudest sorts volumes, the loudest first and else as they were, and returns
// those that are not below threshold, most of them at the most.
func Loudest(volumes []Volume, threshold, most int) []Volume {
	volumes = slices.DeleteFunc(volumes, func(v Volume) bool { return v.DBov < threshold })
	slices.SortStableFunc(volumes, func(a, b Volume) int { return cmp.Compare(b.DBov, a.DBov) })
	return volumes[:min(len(volumes), most)]
}
