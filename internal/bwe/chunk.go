package bwe

import "encoding/binary"

// Packet status symbols (draft-holmer-rmcat-transport-wide-cc-extensions-01
// §3.1.1).
const (
	statusMissing = 0
	statusSmall   = 1 // a delta of one byte, 0 to 63.75 ms
	statusLarge   = 2 // a delta of two bytes, signed
)

const (
	chunkSize        = 2
	maxRun           = 1<<13 - 1
	oneBitSymbols    = 14
	twoBitSymbols    = 7
	oneBitVector     = 0x8000
	twoBitVector     = 0xC000
	runLengthSymbols = 13 // position of the symbol in a run-length chunk
)

// chunk collects the status of consecutive packets for as long as one packet
// chunk can hold them:
//
//	|0|  S  |       run length        |  equal symbols
//	|1|0|      14 symbols of a bit    |  missing or small
//	|1|1|   7 symbols of two bits     |  any
type chunk struct {
	// symbols holds the first ones; of a run, which all are equal, more
	// are counted than held.
	symbols  [oneBitSymbols]uint8
	n        int
	mixed    bool
	hasLarge bool
}

// accepts reports whether one more symbol leaves what is collected within one
// chunk.
func (c *chunk) accepts(symbol uint8) bool {
	switch {
	case c.n < twoBitSymbols:
		return true
	case !c.mixed && symbol == c.symbols[0]:
		return c.n < maxRun
	default:
		return c.n < oneBitSymbols && !c.hasLarge && symbol != statusLarge
	}
}

// add collects a symbol that was accepted.
func (c *chunk) add(symbol uint8) {
	if c.n < oneBitSymbols {
		c.symbols[c.n] = symbol
	}
	c.mixed = c.mixed || symbol != c.symbols[0]
	c.hasLarge = c.hasLarge || symbol == statusLarge
	c.n++
}

// appendNext appends a full chunk. When what is collected would have been a
// vector of single bits and is not full yet, that is the first seven symbols;
// the others are left, fewer than seven.
func (c *chunk) appendNext(dst []byte) []byte {
	if !c.mixed || c.hasLarge || c.n <= twoBitSymbols || c.n == oneBitSymbols {
		return c.appendAll(dst)
	}
	dst = c.appendTwoBits(dst, twoBitSymbols)
	left := *c
	*c = chunk{}
	for _, symbol := range left.symbols[twoBitSymbols:left.n] {
		c.add(symbol)
	}
	return dst
}

// appendAll appends one chunk with all that is collected, if anything.
func (c *chunk) appendAll(dst []byte) []byte {
	switch {
	case c.n == 0:
		return dst
	case !c.mixed:
		run := uint16(c.symbols[0])<<runLengthSymbols | uint16(c.n)
		dst = binary.BigEndian.AppendUint16(dst, run)
	case c.n <= twoBitSymbols:
		dst = c.appendTwoBits(dst, c.n)
	default:
		vector := uint16(oneBitVector)
		for i, symbol := range c.symbols[:c.n] {
			vector |= uint16(symbol) << (oneBitSymbols - 1 - i)
		}
		dst = binary.BigEndian.AppendUint16(dst, vector)
	}
	*c = chunk{}
	return dst
}

func (c *chunk) appendTwoBits(dst []byte, n int) []byte {
	vector := uint16(twoBitVector)
	for i, symbol := range c.symbols[:n] {
		vector |= uint16(symbol) << (2 * (twoBitSymbols - 1 - i))
	}
	return binary.BigEndian.AppendUint16(dst, vector)
}
