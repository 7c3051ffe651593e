package tcp

import (
	"encoding/binary"
	"errors"
)

//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|             LENGTH            |  packet of LENGTH bytes ...   |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// RFC 4571 §2. A length of zero is a packet without content.
const (
	lengthSize = 2
	// maxPacket is the largest packet taken in; what UDP would bring is smaller
	// than any path's MTU, and a larger one is read for ever by somebody who
	// speaks another protocol: "GE" of an HTTP request announces 18245 bytes.
	maxPacket = 4 << 10
	// maxBatch is how many packets a Receiver is given at once.
	maxBatch = 64
	// readSize holds one packet and what else one read brings.
	readSize = 16 << 10
)

var errTooLong = errors.New("tcp: packet of more than 4096 bytes announced")

// splitFrames appends to packets, up to its capacity, those that b begins with,
// and returns how many bytes they take with their lengths.
func splitFrames(b []byte, packets [][]byte) (_ [][]byte, used int, err error) {
	for len(packets) < cap(packets) && len(b)-used >= lengthSize {
		start := used + lengthSize
		end := start + int(binary.BigEndian.Uint16(b[used:]))
		if end-start > maxPacket {
			return packets, used, errTooLong
		}
		if end > len(b) {
			break
		}
		if end > start {
			packets = append(packets, b[start:end:end])
		}
		used = end
	}
	return packets, used, nil
}

// appendFrames appends the packets of run, which have size bytes each, the last
// maybe fewer, with their lengths.
func appendFrames(dst, run []byte, size int) []byte {
	for len(run) > 0 {
		n := min(size, len(run))
		dst = append(dst, byte(n>>8), byte(n))
		dst = append(dst, run[:n]...)
		run = run[n:]
	}
	return dst
}

// framedSize is how many bytes appendFrames appends.
func framedSize(run []byte, size int) int {
	return len(run) + lengthSize*packetsOf(run, size)
}

// packetsOf is how many packets of size bytes, the last maybe shorter, make run.
func packetsOf(run []byte, size int) int { return (len(run) + size - 1) / size }
