package sfu

// lossMeter is the share of packets that are lost, as of the last reports; the
// newer they are, the more they count.
type lossMeter struct {
	share float64
	known bool
}

// lossWeight is how much a report counts.
const lossWeight = 1.0 / 8

// note takes in a report on expected packets. Packets that came late make the
// number of those lost fall.
func (m *lossMeter) note(lost, expected int64) {
	if expected <= 0 {
		return
	}
	share := min(max(float64(lost)/float64(expected), 0), 1)
	if !m.known {
		m.share, m.known = share, true
		return
	}
	m.share += (share - m.share) * lossWeight
}

// value is the share; nil before the first report.
func (m *lossMeter) value() *float64 {
	if !m.known {
		return nil
	}
	return new(m.share)
}
