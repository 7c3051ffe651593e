package codec

// A RED payload (RFC 2198 §3) is the headers of its blocks, then the blocks: the
// repeated ones, oldest first, and last the one that the packet was made for.
//
//	 0                   1                   2                   3
//	|F|   block PT  |  timestamp offset         |   block length    |
//
// F is set in all headers but the last, which is its first byte alone; its block
// takes what is left. Offsets count back from the packet's timestamp.
const (
	redHeaderSize = 4
	redFollows    = 0x80 // F
)

// ReadRED returns where in a RED payload the last block begins, the one whose
// time is the packet's. It is false unless all blocks are whole and of payload
// type pt, and the last one is not empty.
func ReadRED(payload []byte, pt uint8) (last int, ok bool) {
	blocks := 0 // bytes of those before the last
	for at := 0; at < len(payload); at += redHeaderSize {
		b := payload[at]
		if b&^redFollows != pt {
			return 0, false
		}
		if b&redFollows == 0 {
			last = at + 1 + blocks
			return last, last < len(payload)
		}
		if at+redHeaderSize > len(payload) {
			return 0, false
		}
		blocks += int(payload[at+2]&3)<<8 | int(payload[at+3])
	}
	return 0, false
}

// SetREDPayloadType makes pt the payload type of all blocks of a payload that
// ReadRED has read.
func SetREDPayloadType(payload []byte, pt uint8) {
	for at := 0; at < len(payload); at += redHeaderSize {
		follows := payload[at] & redFollows
		payload[at] = follows | pt
		if follows == 0 {
			return
		}
	}
}
