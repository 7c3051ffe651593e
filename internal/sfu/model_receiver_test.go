package sfu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	pionrtp "github.com/pion/rtp"

	"github.com/takoserver/takos-call/internal/codec"
	"github.com/takoserver/takos-call/internal/rtp"
)

// modelReceiver is the receiver of a model call. It looks at what it got with a
// decoder's eyes, who knows nothing but the packets, and compares that with what
// the frames really are.
type modelReceiver struct {
	modelMode
	descriptorID uint8
	encodings    []*modelEncoding
	seqs         rtp.Unwrapper
	packets      []modelArrival
}

type modelArrival struct {
	extSeq int64
	pionrtp.Packet
	frame *modelFrame // nil for padding
	index int
}

// viewedFrame is a frame that was assembled.
type viewedFrame struct {
	*modelFrame
	info       codec.Frame
	number     int64 // picture id or frame number, unwrapped
	refs       []int64
	continuous bool // nothing is missing since the frame before
	decodable  bool // as far as the decoder can see
	decoded    bool // really
}

func (r *modelReceiver) receive(raw []byte) error {
	var a modelArrival
	if err := a.Unmarshal(bytes.Clone(raw)); err != nil {
		return err
	}
	a.extSeq = r.seqs.Unwrap(a.SequenceNumber)
	if n := len(a.Payload); n > 0 {
		tail := a.Payload[n-7:]
		if tail[0] != 0xA5 {
			return fmt.Errorf("a payload that was not sent: % x", a.Payload)
		}
		a.frame, a.index = r.encodings[tail[1]].frames[binary.BigEndian.Uint32(tail[3:])], int(tail[2])
	}
	r.packets = append(r.packets, a)
	return nil
}

// frames assembles what has come, in the order of sequence numbers, and checks
// what holds for packets.
func (r *modelReceiver) frames(clean bool) (frames []viewedFrame, err error) {
	slices.SortStableFunc(r.packets, func(a, b modelArrival) int { return int(a.extSeq - b.extSeq) })
	var structure codec.DependencyStructure
	var id int64 // of the newest frame; picture ids have 15 bits, frame numbers 16
	continuous, last, lastTS := false, (*modelFrame)(nil), uint32(0)
	for i := 0; i < len(r.packets); {
		first := &r.packets[i]
		gap := i > 0 && first.extSeq != r.packets[i-1].extSeq+1
		switch {
		case i > 0 && first.extSeq == r.packets[i-1].extSeq:
			return nil, fmt.Errorf("sequence number %d came twice", first.SequenceNumber)
		case gap && clean:
			return nil, fmt.Errorf("a hole before %d, and nothing was lost", first.SequenceNumber)
		}
		continuous = continuous && !gap
		if first.frame == nil {
			i++
			continue
		}
		if last != nil && first.frame != last && !rtp.TSNewer(first.Timestamp, lastTS) {
			return nil, fmt.Errorf("frame %+v has the timestamp %d after %d", *first.frame, first.Timestamp, lastTS)
		}
		last, lastTS = first.frame, first.Timestamp
		end, whole, err := r.assemble(i)
		if err != nil {
			return nil, err
		}
		v := viewedFrame{modelFrame: first.frame, continuous: continuous}
		if whole {
			if err := r.read(&v, first, &structure, &id); err != nil {
				return nil, err
			}
			frames = append(frames, v)
		} else if clean {
			return nil, fmt.Errorf("frame %+v is not whole", *first.frame)
		}
		continuous = whole
		i = end
	}
	return frames, nil
}

// assemble returns where the packets of one timestamp end that begin at index i
// without a hole, and whether a decoder takes them for a whole frame.
func (r *modelReceiver) assemble(i int) (end int, whole bool, err error) {
	first := &r.packets[i]
	packets, marked := 0, false
	for end = i; end < len(r.packets); end++ {
		p := &r.packets[end]
		if end > i && p.extSeq != r.packets[end-1].extSeq+1 || p.frame != nil && p.Timestamp != first.Timestamp || marked {
			break
		}
		if p.frame == nil {
			continue
		}
		if p.frame != first.frame {
			return 0, false, fmt.Errorf("frames %+v and %+v have the same timestamp", *first.frame, *p.frame)
		}
		if p.index != first.index+packets {
			return 0, false, fmt.Errorf("packet %d of frame %+v has the place of packet %d", p.index, *p.frame, first.index+packets)
		}
		packets++
		marked = p.Marker
	}
	begins := i == 0 || first.index == 0
	whole = begins && marked
	if whole && packets != first.frame.packets {
		return 0, false, fmt.Errorf("%d packets look like all of frame %+v", packets, *first.frame)
	}
	if packets == first.frame.packets && !whole {
		return 0, false, fmt.Errorf("frame %+v came whole and does not look so", *first.frame)
	}
	return end, whole, nil
}

// read reads what the frame tells of itself.
func (r *modelReceiver) read(v *viewedFrame, first *modelArrival, s *codec.DependencyStructure, id *int64) error {
	if !codec.Read(r.codec, first.Payload, &v.info) && r.codec != codec.AV1 {
		return fmt.Errorf("frame %+v cannot be read: % x", *v.modelFrame, first.Payload)
	}
	var number uint16
	bits := 15
	if r.dd {
		var d codec.DependencyDescriptor
		if d.Parse(first.GetExtension(r.descriptorID), s) != nil {
			v.number = -1 // of a structure that was lost
			return nil
		}
		d.Describe(&v.info)
		number, bits = d.FrameNumber, 16
		for _, diff := range d.FrameDiffs[:d.FrameDiffCount] {
			v.refs = append(v.refs, -int64(diff))
		}
	} else if number = v.info.PictureID; v.info.HasPictureID {
		for _, ref := range v.modelFrame.refs { // as by the P_DIFF of VP9
			v.refs = append(v.refs, -int64((v.pictureID-ref.pictureID)&0x7FFF))
		}
	}
	shift := 16 - bits
	v.number = max(*id, 1<<16) + int64(int16((number-uint16(max(*id, 1<<16)))<<shift)>>shift)
	*id = v.number
	for i := range v.refs {
		v.refs[i] += v.number
	}
	return nil
}

// decode goes through the frames as a decoder does, and checks that it is right
// about which it can decode: without losses it decodes all.
func (r *modelReceiver) decode(clean bool) error {
	frames, err := r.frames(clean)
	if err != nil {
		return err
	}
	decoded := map[*modelFrame]bool{}
	view := decoderView{modelMode: r.modelMode, decoded: map[int64]bool{}}
	for i := range frames {
		v := &frames[i]
		v.decoded = true
		for _, ref := range v.modelFrame.refs {
			v.decoded = v.decoded && decoded[ref]
		}
		v.decodable = view.take(v)
		switch {
		case v.decodable && !v.decoded:
			return fmt.Errorf("frame %+v looks as if it could be decoded, and cannot: %+v", *v.modelFrame, *v)
		case v.decoded && !v.decodable && (clean || r.dd && v.number >= 0):
			return fmt.Errorf("frame %+v could be decoded, and does not look so: %+v", *v.modelFrame, *v)
		case clean && !v.decodable:
			return fmt.Errorf("frame %+v was sent in vain", *v.modelFrame)
		}
		if v.decodable {
			decoded[v.modelFrame] = true
		}
	}
	return nil
}

// decoderView is what a decoder knows of the frames before.
type decoderView struct {
	modelMode
	decoded map[int64]bool // by number, since the keyframe
	tl0     uint8
	any     bool // a frame can be decoded that refers to the one before
	latest  [3]int64
}

// take reports whether a frame can be decoded.
func (d *decoderView) take(v *viewedFrame) (decodable bool) {
	switch {
	case d.dd:
		decodable = v.number >= 0 && (v.info.Keyframe || len(v.refs) > 0)
		for _, ref := range v.refs {
			decodable = decodable && d.decoded[ref]
		}
	case v.info.Keyframe:
		decodable = true
	case d.codec == codec.VP8:
		decodable = d.takesVP8(v)
	case d.codec == codec.VP9:
		decodable = len(v.refs) > 0
		for _, ref := range v.refs {
			decodable = decodable && d.decoded[ref]
		}
		tl0 := d.tl0
		if v.temporal == 0 {
			tl0++
		}
		decodable = decodable && v.info.TL0PicIdx == tl0
	default:
		decodable = d.any && v.continuous
	}
	d.any = decodable
	if !decodable {
		return false
	}
	if v.info.Keyframe {
		clear(d.decoded)
		d.latest = [3]int64{v.number, 0, 0}
	}
	d.decoded[v.number] = true
	d.latest[min(int(v.info.Temporal), 2)] = v.number
	if v.info.Temporal == 0 {
		d.latest[1], d.latest[2] = 0, 0
		d.tl0 = v.info.TL0PicIdx
	}
	return true
}

// takesVP8 tells references by RFC 7741 §4.2 as browsers do: a base layer frame
// refers to the one before; one of a higher layer to the base layer frame of its
// TL0PICIDX, and, if it is no switching point, to the lower and equal layers
// since that, of which no picture id may be missing.
func (d *decoderView) takesVP8(v *viewedFrame) bool {
	switch {
	case !d.decoded[d.latest[0]]:
		return false // nothing was decoded yet
	case v.info.Temporal == 0:
		return v.info.TL0PicIdx == d.tl0+1
	case v.info.TL0PicIdx != d.tl0 || v.number <= d.latest[0]:
		return false
	}
	if v.info.SwitchUp {
		return true
	}
	for id := d.latest[0]; id < v.number; id++ {
		if !d.decoded[id] {
			return false
		}
	}
	return true
}
