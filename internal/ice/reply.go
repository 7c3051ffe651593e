package ice

import (
	"github.com/pion/stun/v3"
)

// newReply begins an answer to c in the free space behind dst.
func newReply(dst []byte, c *check, class stun.MessageClass) *stun.Message {
	m := &stun.Message{
		Raw:           dst[len(dst):],
		Type:          stun.NewType(stun.MethodBinding, class),
		TransactionID: c.message.TransactionID,
	}
	m.WriteHeader()
	return m
}

// appendSuccess appends the success response (RFC 8445 §7.3.1.2): the address that
// we see, signed with the password that the check was signed with.
func appendSuccess(dst []byte, c *check, t Tuple, key stun.MessageIntegrity) []byte {
	m := newReply(dst, c, stun.ClassSuccessResponse)
	address := stun.XORMappedAddress{
		IP:   t.Remote.Addr().Unmap().AsSlice(),
		Port: int(t.Remote.Port()),
	}
	if address.AddTo(m) != nil || key.AddTo(m) != nil || stun.Fingerprint.AddTo(m) != nil {
		return dst // only for a tuple without an address
	}
	return append(dst, m.Raw...)
}

// appendError appends an error response. One that is not authenticated, because
// the request was not, must not be larger than the request.
func appendError(dst []byte, c *check, code stun.ErrorCode, key stun.MessageIntegrity) []byte {
	m := newReply(dst, c, stun.ClassErrorResponse)
	if code.AddTo(m) != nil {
		return dst
	}
	if code == stun.CodeUnknownAttribute && c.unknown.AddTo(m) != nil {
		return dst
	}
	if key != nil && key.AddTo(m) != nil {
		return dst
	}
	if stun.Fingerprint.AddTo(m) != nil || (key == nil && len(m.Raw) > len(c.message.Raw)) {
		return dst
	}
	return append(dst, m.Raw...)
}
