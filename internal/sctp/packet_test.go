package sctp

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"
)

// seal sets the checksum of a packet.
func seal(packet []byte) []byte {
	clear(packet[8:12])
	sum := crc32.Checksum(packet, crc32.MakeTable(crc32.Castagnoli))
	binary.LittleEndian.PutUint32(packet[8:], sum)
	return packet
}

// newPacket is a packet of the given chunks, each type, flags and value.
func newPacket(chunks ...[]byte) []byte {
	b := []byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 1, 0, 0, 0, 0}
	for _, c := range chunks {
		b = append(b, c[0], c[1], byte((len(c)+2)>>8), byte(len(c)+2))
		b = append(b, c[2:]...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return seal(b)
}

func dataChunk(tsn uint32, stream, ssn uint16, flags byte, data string) []byte {
	b := []byte{chunkData, flags}
	b = binary.BigEndian.AppendUint32(b, tsn)
	b = binary.BigEndian.AppendUint16(b, stream)
	b = binary.BigEndian.AppendUint16(b, ssn)
	b = binary.BigEndian.AppendUint32(b, uint32(PPIDText))
	return append(b, data...)
}

func forwardChunk(tsn uint32, pairs ...uint16) []byte {
	b := binary.BigEndian.AppendUint32([]byte{chunkForwardTSN, 0}, tsn)
	for _, p := range pairs {
		b = binary.BigEndian.AppendUint16(b, p)
	}
	return b
}

func resetChunk(lastTSN uint32, streams ...uint16) []byte {
	b := []byte{chunkReconfig, 0, 0, paramOutgoingReset, 0, byte(resetHeaderSize + 2*len(streams))}
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, lastTSN)
	for _, s := range streams {
		b = binary.BigEndian.AppendUint16(b, s)
	}
	return b
}

func TestPacketSaysWhichStreamsItConcerns(t *testing.T) {
	for _, c := range []struct {
		name            string
		packet          []byte
		touched, closed []uint16
		err             error
	}{
		{"empty", nil, nil, nil, nil},
		{"header alone", newPacket(), nil, nil, nil},
		{"data", newPacket(dataChunk(1, 3, 0, 3, "abc")), []uint16{3}, nil, nil},
		{"data of a stream twice", newPacket(dataChunk(1, 3, 0, 3, "a"), dataChunk(2, 3, 1, 3, "b")), []uint16{3}, nil, nil},
		{"data of two streams", newPacket(dataChunk(1, 3, 0, 3, "a"), dataChunk(2, 9, 0, 3, "b")), []uint16{3, 9}, nil, nil},
		{"data without data", newPacket(dataChunk(1, 3, 0, 3, "")), nil, nil, errNoUserData},
		{"data beyond the streams", newPacket(dataChunk(1, 1024, 0, 3, "x")), nil, nil, errStreamRange},
		{"given up, known and not", newPacket(forwardChunk(7, 5, 1, 6, 1)), []uint16{5}, nil, nil},
		{"closed, known and not", newPacket(resetChunk(7, 5, 6, 5)), nil, []uint16{5}, nil},
		{"all closed at once", newPacket(resetChunk(7)), nil, nil, nil},
		{"cut short", newPacket(dataChunk(1, 3, 0, 3, "abc"))[:20], nil, nil, nil},
		{"length of nothing", append(newPacket(), 0, 3, 0, 0, 1, 2, 3, 4), nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := New(Options{})
			if err := a.Open(5, Reliability{}); err != nil {
				t.Fatal(err)
			}
			err := a.accept(c.packet)
			if !slices.Equal(a.touched, c.touched) || !slices.Equal(a.closed, c.closed) || !errors.Is(err, c.err) {
				t.Errorf("touched %v, closed %v, error %v", a.touched, a.closed, err)
			}
		})
	}
}

func TestInitIsRecognized(t *testing.T) {
	if !isInit(initPacket(1)) {
		t.Error("an INIT is not recognized")
	}
	if isInit(newPacket(dataChunk(1, 1, 1, 3, "x"))) || isInit(nil) || isInit(initPacket(1)[:14]) {
		t.Error("something else is taken for an INIT")
	}
}

func TestWindowOfAnAcknowledgement(t *testing.T) {
	sack, _, _ := nextChunk(chunksOf(newPacket([]byte{chunkSACK, 0, 0, 0, 0, 9, 0, 1, 0, 2, 0, 0, 0, 0})))
	if bytes, ok := sack.window(); bytes != 1<<16+2 || !ok {
		t.Errorf("window %d, %v", bytes, ok)
	}
	for _, c := range []chunk{sack[:11], chunk(dataChunk(1, 1, 1, 3, "some data"))} {
		if _, ok := c.window(); ok {
			t.Errorf("a window in %v", c)
		}
	}
}
