package takosapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/signal"
)

// httpAnswer is the body of every HTTP answer.
type httpAnswer struct {
	Success bool            `json:"success"`
	Data    json.RawMessage `json:"data,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// serveCommand carries out POST /takos-api/COMMAND.
func (d *Door) serveCommand(w http.ResponseWriter, r *http.Request, access auth.Access, name string) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		d.writeFailure(w, errorf(MethodNotAllowed, "a command is a POST, not a %s", signal.Clip(r.Method)))
		return
	}
	if !d.rate.Allow(auth.ClientAddress(r, d.options.TrustedProxies)) {
		w.Header().Set("Retry-After", "1")
		d.writeFailure(w, errorf(RateLimited, "more than %d requests a second from this address", d.options.HTTPRequestsPerSecond))
		return
	}
	data, failure := d.readBody(w, r)
	if failure != nil {
		d.writeFailure(w, failure)
		return
	}
	c := d.caller(r, access)
	key := r.Header.Get("Idempotency-Key")
	if row := commandByName[name]; key == "" || row == nil || !row.creates {
		d.carryOut(c, name, data).write(w)
		return
	}
	if len(key) > maxIdempotencyKey {
		d.writeFailure(w, errorf(InvalidField, "the Idempotency-Key has %d bytes, and %d is the most", len(key), maxIdempotencyKey))
		return
	}
	a, conflict := d.answers.once(answerKey{access.KeyName, name, key}, canonical(data), func() answer {
		return d.carryOut(c, name, data)
	})
	if conflict {
		d.writeFailure(w, errorf(IdempotencyConflict, "this Idempotency-Key was used with other data"))
		return
	}
	a.write(w)
}

func (d *Door) readBody(w http.ResponseWriter, r *http.Request) (json.RawMessage, *Error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.limits.MessageBytes))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, errorf(MessageTooBig, "the body has more than %d bytes", tooBig.Limit)
	case err != nil:
		return nil, errorf(InvalidJSON, "the body cannot be read")
	case len(body) > 0 && !json.Valid(body):
		return nil, errorf(InvalidJSON, "the body is not JSON")
	}
	return body, nil
}

// answer is an HTTP answer that can be given more than once.
type answer struct {
	status int
	body   []byte
}

func (d *Door) carryOut(c *caller, name string, data json.RawMessage) answer {
	result, failure := d.do(c, name, data)
	if failure != nil {
		return failureAnswer(failure)
	}
	return answer{http.StatusOK, marshal(httpAnswer{Success: true, Data: encode(result)})}
}

func failureAnswer(failure *Error) answer {
	return answer{statuses[failure.Code], marshal(httpAnswer{Error: failure})}
}

// writeFailure answers what was no command.
func (d *Door) writeFailure(w http.ResponseWriter, failure *Error) {
	failureAnswer(d.counters.failed(failure)).write(w)
}

// caller returns who sent a request.
func (d *Door) caller(r *http.Request, access auth.Access) *caller {
	return &caller{ctx: r.Context(), door: d, access: access, origin: auth.RequestOrigin(r, d.options.TrustedProxies)}
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// cors answers a page's question whether it may ask, and lets it read answers.
// It reports whether there is more to do.
func (d *Door) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || !d.options.Origins.Allow(r) {
		return true // authorise refuses it, if it has to be
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	if r.Method != http.MethodOptions {
		return true
	}
	h.Set("Access-Control-Allow-Methods", http.MethodPost)
	h.Set("Access-Control-Allow-Headers", "Content-Type, Api-Key, Authorization, Idempotency-Key")
	h.Set("Access-Control-Max-Age", "3600")
	w.WriteHeader(http.StatusNoContent)
	return false
}
