package sfu

// ddFrame is a dependency descriptor to write (AV1 RTP specification, appendix
// A), of a stream of some temporal layers. Its template is that of the layer.
type ddFrame struct {
	start, end bool
	temporal   int
	number     uint16
	refs       []uint16 // frame numbers that it refers to
	structure  bool     // it brings the structure
	active     uint32   // the mask of decode targets that it brings; 0: none
}

// ddStream is what is common to the descriptors of a stream. There is a decode
// target and a template for each temporal layer.
type ddStream struct {
	offset   uint8 // of template ids
	temporal int
}

func (s ddStream) append(dst []byte, f ddFrame) []byte {
	w := ddWriter{b: dst}
	w.flag(f.start)
	w.flag(f.end)
	w.write(uint32(s.offset)+uint32(f.temporal), 6)
	w.write(uint32(f.number), 16)
	w.flag(f.structure)
	w.flag(f.active != 0)
	w.flag(false) // indications
	w.flag(true)  // references
	w.flag(false) // chains
	if f.structure {
		s.writeStructure(&w)
	}
	if f.active != 0 {
		w.write(f.active, s.temporal)
	}
	for _, ref := range f.refs {
		w.write(3, 2)
		w.write(uint32(f.number-ref-1), 12)
	}
	w.write(0, 2)
	return w.b
}

func (s ddStream) writeStructure(w *ddWriter) {
	const nextTemporal, end = 1, 3
	w.write(uint32(s.offset), 6)
	w.write(uint32(s.temporal-1), 5)
	for range s.temporal - 1 {
		w.write(nextTemporal, 2)
	}
	w.write(end, 2)
	for temporal := range s.temporal {
		for target := range s.temporal {
			w.write(indicationOf(temporal, target), 2)
		}
	}
	for range s.temporal {
		w.flag(false) // references
	}
	w.write(0, [...]int{1: 1, 2: 1, 3: 2}[s.temporal]) // no chains, of at most so many
	w.flag(false)                                      // resolutions
}

// indicationOf is what a frame of a layer is to the decode target of a layer:
// not part of it, discardable, or a point to switch to it.
func indicationOf(temporal, target int) uint32 {
	switch {
	case temporal > target:
		return 0
	case temporal == target && temporal > 0:
		return 1
	}
	return 2
}

// ddWriter writes numbers, most significant bit first.
type ddWriter struct {
	b    []byte
	free int // bits of the last byte
}

func (w *ddWriter) write(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		w.free--
		w.b[len(w.b)-1] |= byte(v>>i&1) << w.free
	}
}

func (w *ddWriter) flag(v bool) {
	if v {
		w.write(1, 1)
	} else {
		w.write(0, 1)
	}
}
