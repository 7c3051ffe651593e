package dtls

import "encoding/binary"

//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| content type  |            version            |     epoch     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     epoch     |           sequence number (48 bits)           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|    sequence number (cont.)    |            length             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  fragment …
//
// A datagram holds one record or several (RFC 6347 §4.1). The fragment of a plaintext
// handshake record begins with the message type (8 bits), the message's length (24),
// its sequence number (16) and the place of the fragment in it (24 and 24).
const (
	recordHeaderSize    = 13
	handshakeHeaderSize = 12

	contentChangeCipherSpec = 20
	contentAlert            = 21
	contentHandshake        = 22
	contentApplicationData  = 23

	handshakeClientHello        = 1
	handshakeServerHello        = 2
	handshakeHelloVerifyRequest = 3

	// A handshake has some fifteen messages, and the longest, a certificate chain, is
	// well below 16 KiB. Without limits a peer could make us hold 2 MB of fragments.
	maxHandshakeSequence = 15
	maxHandshakeLength   = 16 << 10
)

// record is one DTLS record, header included.
type record []byte

// nextRecord cuts the first record off a datagram; ok is false when there is none.
func nextRecord(datagram []byte) (r record, rest []byte, ok bool) {
	if len(datagram) < recordHeaderSize {
		return nil, nil, false
	}
	end := recordHeaderSize + int(binary.BigEndian.Uint16(datagram[11:]))
	if end > len(datagram) {
		return nil, nil, false
	}
	return datagram[:end], datagram[end:], true
}

func (r record) contentType() byte { return r[0] }
func (r record) epoch() uint16     { return binary.BigEndian.Uint16(r[3:]) }
func (r record) fragment() []byte  { return r[recordHeaderSize:] }

// nextMessage cuts the first handshake message, or fragment of one, off the fragment
// of a plaintext record; ok is false when there is none or it is beyond our limits.
func nextMessage(fragment []byte) (kind byte, rest []byte, ok bool) {
	if len(fragment) < handshakeHeaderSize {
		return 0, nil, false
	}
	end := handshakeHeaderSize + uint24(fragment[9:])
	if end > len(fragment) ||
		uint24(fragment[1:]) > maxHandshakeLength ||
		binary.BigEndian.Uint16(fragment[4:]) > maxHandshakeSequence {
		return 0, nil, false
	}
	return fragment[0], fragment[end:], true
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// acceptableHandshake reports whether a plaintext record has nothing but handshake
// messages within our limits.
func acceptableHandshake(fragment []byte) bool {
	for len(fragment) > 0 {
		_, rest, ok := nextMessage(fragment)
		if !ok {
			return false
		}
		fragment = rest
	}
	return true
}

// acceptable reports whether a record can be meant for us. RFC 6347 §4.1.2.7 wants
// invalid records to be discarded in silence; Pion answers some of them with a fatal
// alert, by which anybody who can forge our peer's address could end a call.
func (r record) acceptable(connected bool) bool {
	f := r.fragment()
	if r[1] != 0xfe || len(f) == 0 {
		return false // neither DTLS 1.0 nor 1.2
	}
	switch r.epoch() {
	case 0:
		switch r.contentType() {
		case contentHandshake:
			return acceptableHandshake(f)
		case contentChangeCipherSpec:
			return len(f) == 1 && f[0] == 1
		case contentAlert:
			return len(f) == 2 && !connected
		}
	case 1:
		switch r.contentType() {
		case contentHandshake, contentAlert, contentApplicationData:
			return true
		}
	}
	return false
}

// filterRecords returns a copy of the acceptable records of a datagram, nil when
// there are none.
func filterRecords(datagram []byte, connected bool) []byte {
	var kept []byte
	for r, rest, ok := nextRecord(datagram); ok; r, rest, ok = nextRecord(rest) {
		if !r.acceptable(connected) {
			continue
		}
		if kept == nil {
			kept = make([]byte, 0, len(r)+len(rest))
		}
		kept = append(kept, r...)
	}
	return kept
}

// hasHandshake reports whether a datagram has a plaintext handshake message of the
// given type, or a fragment of one.
func hasHandshake(datagram []byte, kind byte) bool {
	for r, rest, ok := nextRecord(datagram); ok; r, rest, ok = nextRecord(rest) {
		if r.contentType() != contentHandshake || r.epoch() != 0 {
			continue
		}
		for k, more, ok := nextMessage(r.fragment()); ok; k, more, ok = nextMessage(more) {
			if k == kind {
				return true
			}
		}
	}
	return false
}

// hasEncrypted reports whether a datagram has an encrypted alert or application data.
func hasEncrypted(datagram []byte) bool {
	for r, rest, ok := nextRecord(datagram); ok; r, rest, ok = nextRecord(rest) {
		if r.epoch() == 1 && r.contentType() != contentHandshake {
			return true
		}
	}
	return false
}
