package sfu

// VideoOrientation says how a picture is to be turned before it is shown (3GPP TS
// 26.114 §7.4.5), under mediasoup's names.
type VideoOrientation struct {
	Camera   bool `json:"camera"` // it is of the back side
	Flip     bool `json:"flip"`   // left and right
	Rotation int  `json:"rotation"`
}

// noOrientation is that of a producer that has told none; its unused bits are 0 in
// a real one.
const noOrientation = 0xff

// parseOrientation reads the byte of the header extension:
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|0 0 0 0 C F R R|
//	+-+-+-+-+-+-+-+-+
func parseOrientation(b uint8) VideoOrientation {
	return VideoOrientation{Camera: b&8 != 0, Flip: b&4 != 0, Rotation: int(b&3) * 90}
}

// noteOrientation tells whoever wants to know of a change. The recvMu of p's
// transport is held.
func (p *Producer) noteOrientation(b uint8) {
	if b &= 0x0f; b == p.orientation {
		return
	}
	p.orientation = b
	p.tellOrientation(parseOrientation(b))
}

// tellOrientation tells of p and of its views.
func (p *Producer) tellOrientation(o VideoOrientation) {
	r := p.transport.router
	if told := p.events.VideoOrientation; told != nil {
		r.emit(func() { told(o) })
	}
	r.notify(Event{Type: EventVideoOrientation, Producer: p, Data: o})
	for _, view := range p.views.all() {
		view.tellOrientation(o)
	}
}

// VideoOrientation is how the picture is to be turned; false if the sender has not
// said so.
func (p *Producer) VideoOrientation() (o VideoOrientation, known bool) {
	p = p.source()
	p.transport.recvMu.Lock()
	defer p.transport.recvMu.Unlock()
	return parseOrientation(p.orientation), p.orientation != noOrientation
}
