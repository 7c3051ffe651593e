package ice

import (
	"bytes"
	"encoding/binary"

	"github.com/pion/stun/v3"
)

//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|0 0|     STUN message type     |         message length        |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    magic cookie 0x2112A442                    |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                    transaction id (96 bits)                   |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// followed by attributes, each a type and a length of 16 bits and a value padded to
// 32 bits (RFC 8489 §5, §14).
const (
	headerSize          = 20
	attributeHeaderSize = 4
	magicCookie         = 0x2112A442

	typeBindingRequest    = 0x0001
	typeBindingIndication = 0x0011
	classMask             = 0x0110
	classResponseBit      = 0x0100 // set in success and error responses
)

// IsMessage reports whether msg has the header of a STUN message that fills the
// datagram exactly (RFC 8489 §6.3).
func IsMessage(msg []byte) bool {
	return len(msg) >= headerSize &&
		msg[0] < 0x40 &&
		msg[3]&3 == 0 &&
		int(binary.BigEndian.Uint16(msg[2:]))+headerSize == len(msg) &&
		binary.BigEndian.Uint32(msg[4:]) == magicCookie
}

// IsRequest reports whether msg has the header of a STUN Binding request, the only
// thing an unknown address is listened to for.
func IsRequest(msg []byte) bool {
	return IsMessage(msg) && binary.BigEndian.Uint16(msg) == typeBindingRequest
}

// LocalUfrag returns the username fragment that a Binding request is addressed to,
// the part of its USERNAME before the colon (RFC 8445 §7.2.2). It authenticates
// nothing; it finds the agent that can.
func LocalUfrag(msg []byte) (ufrag string, ok bool) {
	if !IsRequest(msg) {
		return "", false
	}
	for rest := msg[headerSize:]; len(rest) >= attributeHeaderSize; {
		kind := stun.AttrType(binary.BigEndian.Uint16(rest))
		size := int(binary.BigEndian.Uint16(rest[2:]))
		rest = rest[attributeHeaderSize:]
		if size > len(rest) {
			return "", false
		}
		if kind == stun.AttrUsername {
			local, _, found := bytes.Cut(rest[:size], []byte{':'})
			return string(local), found && len(local) > 0
		}
		rest = rest[min(len(rest), (size+3)&^3):]
	}
	return "", false
}

// check is what a Binding request of a peer says, once it has been parsed.
type check struct {
	message      *stun.Message
	username     []byte // whole USERNAME, nil when absent
	hasIntegrity bool
	priority     uint32 // RFC 8445 §7.1.1; 0 when absent
	nominated    bool   // USE-CANDIDATE, or a nomination
	nomination   uint32 // the renomination counter of libwebrtc; 0 when absent
	controlled   bool   // ICE-CONTROLLED: the peer takes our role
	unknown      stun.UnknownAttributes
}

// attrNomination carries a counter by which a controlling libwebrtc agent renominates
// (draft-thatcher-ice-renomination).
const attrNomination stun.AttrType = 0xC001

// parseCheck reads a Binding request whose header has been verified.
func parseCheck(msg []byte) (check, DropReason) {
	m := stun.NewWithOptions(stun.WithStrict(true))
	if _, err := m.Write(msg); err != nil {
		return check{}, DropMalformed
	}
	c := check{message: m}
	for i, a := range m.Attributes {
		if a.Type == stun.AttrFingerprint {
			if i != len(m.Attributes)-1 || stun.Fingerprint.Check(m) != nil {
				return check{}, DropFingerprint
			}
			continue
		}
		if !c.read(a) {
			return check{}, DropMalformed
		}
	}
	return c, DropNone
}

// read takes in one attribute; false means that its value has the wrong size. Of
// attributes that come twice the first counts (RFC 8489 §14).
func (c *check) read(a stun.RawAttribute) bool {
	switch a.Type {
	case stun.AttrUsername:
		if c.username == nil {
			c.username = a.Value
		}
	case stun.AttrMessageIntegrity:
		c.hasIntegrity = true
		return len(a.Value) == 20
	case stun.AttrPriority:
		if len(a.Value) != 4 {
			return false
		}
		c.priority = binary.BigEndian.Uint32(a.Value)
	case stun.AttrUseCandidate:
		c.nominated = true
	case attrNomination:
		if len(a.Value) != 4 {
			return false
		}
		c.nomination = binary.BigEndian.Uint32(a.Value)
		c.nominated = c.nominated || c.nomination > 0
	case stun.AttrICEControlled:
		c.controlled = true
	default:
		if a.Type.Required() && !knownRequired(a.Type) {
			c.unknown = append(c.unknown, a.Type)
		}
	}
	return true
}

// knownRequired lists the comprehension-required attributes that a request may
// carry without meaning anything to a lite agent with short-term credentials.
func knownRequired(t stun.AttrType) bool {
	switch t {
	case stun.AttrMappedAddress, stun.AttrXORMappedAddress, stun.AttrErrorCode,
		stun.AttrUnknownAttributes, stun.AttrRealm, stun.AttrNonce,
		stun.AttrMessageIntegritySHA256, stun.AttrPasswordAlgorithm, stun.AttrUserhash:
		return true
	}
	return false
}
