package dtls

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"
	"testing"
)

// recordNumber makes records of tests differ, or they would be taken for replayed.
var recordNumber atomic.Uint32

// makeRecord builds a DTLS 1.2 record.
func makeRecord(contentType byte, epoch uint16, fragment []byte) []byte {
	r := []byte{contentType, 0xfe, 0xfd}
	r = binary.BigEndian.AppendUint16(r, epoch)
	r = binary.BigEndian.AppendUint32(append(r, 0, 1), recordNumber.Add(1))
	r = binary.BigEndian.AppendUint16(r, uint16(len(fragment)))
	return append(r, fragment...)
}

func plaintextRecord(contentType byte, fragment []byte) []byte {
	return makeRecord(contentType, 0, fragment)
}

func handshakeFragment(kind byte, length int, sequence uint16, offset, size int) []byte {
	h := []byte{kind, byte(length >> 16), byte(length >> 8), byte(length)}
	h = binary.BigEndian.AppendUint16(h, sequence)
	h = append(h, byte(offset>>16), byte(offset>>8), byte(offset), byte(size>>16), byte(size>>8), byte(size))
	return append(h, make([]byte, size)...)
}

func clientHelloFragment(sequence uint16, length, offset, size int) []byte {
	return handshakeFragment(handshakeClientHello, length, sequence, offset, size)
}

func TestFilterRecords(t *testing.T) {
	hello := plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 0, 50))
	version := func(major byte) []byte {
		r := bytes.Clone(hello)
		r[1] = major
		return r
	}
	tests := []struct {
		name             string
		record           []byte
		before, wherever bool // accepted while connecting, and once connected
	}{
		{"ClientHello", hello, true, true},
		{"empty", nil, false, false},
		{"header cut short", hello[:12], false, false},
		{"fragment cut short", hello[:len(hello)-1], false, false},
		{"TLS", version(3), false, false},
		{"empty fragment", plaintextRecord(contentHandshake, nil), false, false},
		{"handshake header cut short", plaintextRecord(contentHandshake, make([]byte, 11)), false, false},
		{"handshake message too long", plaintextRecord(contentHandshake, clientHelloFragment(0, maxHandshakeLength+1, 0, 50)), false, false},
		{"longest handshake message", plaintextRecord(contentHandshake, clientHelloFragment(0, maxHandshakeLength, 0, 50)), true, true},
		{"too many handshake messages", plaintextRecord(contentHandshake, clientHelloFragment(maxHandshakeSequence+1, 100, 0, 50)), false, false},
		{"two messages", plaintextRecord(contentHandshake, append(clientHelloFragment(0, 100, 0, 50), clientHelloFragment(1, 9, 0, 9)...)), true, true},
		{"second message too long", plaintextRecord(contentHandshake, append(clientHelloFragment(0, 100, 0, 50), clientHelloFragment(1, 1<<20, 0, 9)...)), false, false},
		{"message cut short", plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 0, 50)[:60]), false, false},
		{"trailing byte", plaintextRecord(contentHandshake, append(clientHelloFragment(0, 100, 0, 50), 0)), false, false},
		{"change of cipher", plaintextRecord(contentChangeCipherSpec, []byte{1}), true, true},
		{"malformed change of cipher", plaintextRecord(contentChangeCipherSpec, []byte{2}), false, false},
		{"long change of cipher", plaintextRecord(contentChangeCipherSpec, []byte{1, 1}), false, false},
		{"plaintext alert", plaintextRecord(contentAlert, []byte{2, 40}), true, false},
		{"malformed alert", plaintextRecord(contentAlert, []byte{2}), false, false},
		{"plaintext application data", plaintextRecord(contentApplicationData, []byte{1}), false, false},
		{"unknown content", plaintextRecord(99, []byte{1}), false, false},
		{"heartbeat", makeRecord(24, 1, []byte{1}), false, false},
		{"encrypted alert", makeRecord(contentAlert, 1, make([]byte, 26)), true, true},
		{"encrypted data", makeRecord(contentApplicationData, 1, make([]byte, 26)), true, true},
		{"encrypted handshake", makeRecord(contentHandshake, 1, make([]byte, 48)), true, true},
		{"encrypted change of cipher", makeRecord(contentChangeCipherSpec, 1, []byte{1}), false, false},
		{"later epoch", makeRecord(contentApplicationData, 2, make([]byte, 26)), false, false},
		{"connection id", makeRecord(25, 1, make([]byte, 26)), false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for connected, want := range map[bool]bool{false: test.before, true: test.wherever} {
				if kept := filterRecords(test.record, connected); (kept != nil) != want || (want && !bytes.Equal(kept, test.record)) {
					t.Errorf("connected %v: kept %x, want %v", connected, kept, want)
				}
				// Beside a good record, only the bad one is dropped.
				both := append(bytes.Clone(hello), test.record...)
				kept := filterRecords(both, connected)
				if wantLength := len(hello) + map[bool]int{true: len(test.record)}[want]; len(kept) != wantLength {
					t.Errorf("connected %v: kept %d bytes beside a good record, want %d", connected, len(kept), wantLength)
				}
			}
		})
	}
}

func TestFilterRecordsCopies(t *testing.T) {
	datagram := plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 0, 50))
	kept := filterRecords(datagram, false)
	want := bytes.Clone(kept)
	clear(datagram)
	if !bytes.Equal(kept, want) {
		t.Error("the filtered datagram shares memory with the received one")
	}
}

func TestFilterRecordsDoesNotAllocateForGarbage(t *testing.T) {
	garbage := append(plaintextRecord(contentApplicationData, make([]byte, 500)), 22, 0xfe, 0xfd)
	if n := testing.AllocsPerRun(100, func() { filterRecords(garbage, true) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestHasHandshake(t *testing.T) {
	hello := plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 50, 50))
	server := plaintextRecord(contentHandshake, handshakeFragment(handshakeServerHello, 90, 0, 0, 90))
	twoRecords := append(bytes.Clone(server), hello...)
	twoMessages := plaintextRecord(contentHandshake, append(handshakeFragment(handshakeServerHello, 90, 0, 0, 90), clientHelloFragment(0, 100, 50, 50)...))
	for _, both := range [][]byte{twoRecords, twoMessages} {
		if !hasHandshake(both, handshakeClientHello) || !hasHandshake(both, handshakeServerHello) || hasHandshake(both, handshakeHelloVerifyRequest) {
			t.Errorf("%x", both)
		}
	}
	if hasHandshake(makeRecord(contentHandshake, 1, clientHelloFragment(0, 100, 0, 50)), handshakeClientHello) {
		t.Error("read an encrypted record")
	}
}

func FuzzFilterRecords(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add(plaintextRecord(contentHandshake, clientHelloFragment(0, 100, 0, 50)), false)
	f.Add(append(makeRecord(contentAlert, 1, make([]byte, 26)), plaintextRecord(contentAlert, []byte{2, 40})...), true)
	f.Fuzz(func(t *testing.T, datagram []byte, connected bool) {
		kept := filterRecords(datagram, connected)
		if len(kept) > len(datagram) {
			t.Fatalf("%d bytes of %d", len(kept), len(datagram))
		}
		if again := filterRecords(kept, connected); !bytes.Equal(again, kept) {
			t.Errorf("filtered twice: %x, once: %x", again, kept)
		}
		if connected && filterRecords(kept, false) == nil && kept != nil {
			t.Error("accepted when connected, but not before")
		}
		_ = hasEncrypted(datagram)
	})
}
