package ortc

import "fmt"

// ErrorKind is what is wrong, in the classes that mediasoup's errors have.
type ErrorKind uint8

// The kinds of error.
const (
	// TypeError is a value that is missing, malformed or contradicts another.
	TypeError ErrorKind = iota + 1
	// UnsupportedError is a value that is well-formed but nothing we can do.
	UnsupportedError
	// InvalidState is a request that cannot be met any more, such as a payload
	// type when all are taken. mediasoup throws a plain Error for it.
	InvalidState
)

// String returns the name that mediasoup's error class has.
func (k ErrorKind) String() string {
	switch k {
	case TypeError:
		return "TypeError"
	case UnsupportedError:
		return "UnsupportedError"
	case InvalidState:
		return "InvalidStateError"
	}
	return fmt.Sprintf("ErrorKind(%d)", uint8(k))
}

// Error is returned by every function of this package that can fail. Message
// names the field at fault and can be shown to whoever sent it.
type Error struct {
	Kind    ErrorKind
	Message string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

func typeErrorf(format string, args ...any) error {
	return &Error{Kind: TypeError, Message: fmt.Sprintf(format, args...)}
}

func unsupportedf(format string, args ...any) error {
	return &Error{Kind: UnsupportedError, Message: fmt.Sprintf(format, args...)}
}

// within puts where the fault is in front of the message: within(err, "a[1]")
// of "b is missing" is "a[1].b is missing".
func within(err error, path string) error {
	inner, ok := err.(*Error)
	if !ok {
		return fmt.Errorf("%s: %w", path, err)
	}
	return &Error{Kind: inner.Kind, Message: path + "." + inner.Message}
}
