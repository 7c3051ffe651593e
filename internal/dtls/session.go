package dtls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	pion "github.com/pion/dtls/v3"

	"github.com/takoserver/takos-call/internal/pionlog"
)

// mtu is the size above which Pion fragments handshake messages, the path MTU that
// WebRTC assumes where nothing is known.
const mtu = 1200

// connect runs the handshake of r and then serves the connection.
func (c *Conn) connect(r *run) {
	defer close(r.done)
	session, err := c.handshake(r)
	if err != nil {
		c.finish(r, StateFailed, fmt.Errorf("DTLS handshake: %w", err))
		return
	}
	if err := c.establish(r, session); err != nil {
		_ = session.Close()
		c.finish(r, StateFailed, err)
		return
	}
	c.serve(r, session, c.options.Linger)
}

// rouse makes a session of one that was asleep and serves it.
func (c *Conn) rouse(r *run, state *pion.State) {
	defer close(r.done)
	session, err := c.resume(state, r.feed)
	if err != nil {
		c.finish(r, StateFailed, err)
		return
	}
	c.serve(r, session, wakeLinger)
}

// handshake runs handshakes until one succeeds or fails; there is a second one only
// when the first has been given up for the other role.
func (c *Conn) handshake(r *run) (*pion.Conn, error) {
	f, role := c.attemptOf(r)
	if role == RoleClient {
		f.listen(r.ctx, c.options.HelloDelay)
	}
	for {
		f, role = c.attemptOf(r)
		session, err := c.attempt(r.ctx, f, role)
		if err == nil {
			return session, nil
		}
		if current, _ := c.attemptOf(r); current == f {
			return nil, err
		}
	}
}

// attemptOf returns what the current attempt at a handshake is made with.
func (c *Conn) attemptOf(r *run) (*feed, Role) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.feed, c.role
}

// attempt runs one handshake.
func (c *Conn) attempt(ctx context.Context, f *feed, role Role) (*pion.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.HandshakeTimeout)
	defer cancel()
	session, err := c.newSession(f, role)
	if err != nil {
		return nil, err
	}
	f.open()
	if err := session.HandshakeContext(ctx); err != nil {
		_ = session.Close()
		return nil, err
	}
	return session, nil
}

func (c *Conn) newSession(f *feed, role Role) (*pion.Conn, error) {
	if role == RoleClient {
		var options []pion.ClientOption
		for _, o := range c.sharedOptions() {
			options = append(options, o)
		}
		return pion.ClientWithOptions(f, peer, options...)
	}
	options := []pion.ServerOption{
		pion.WithClientAuth(pion.RequireAnyClientCert),
		// ICE has shown that the peer is where it says, which is all that a
		// HelloVerifyRequest would (RFC 6347 §4.2.1).
		pion.WithInsecureSkipVerifyHello(true),
	}
	for _, o := range c.sharedOptions() {
		options = append(options, o)
	}
	return pion.ServerWithOptions(f, peer, options...)
}

// sharedOptions are those of either role.
func (c *Conn) sharedOptions() []pion.Option {
	return []pion.Option{
		pion.WithCertificates(c.options.Certificate.tls),
		pion.WithSRTPProtectionProfiles(pionProfiles(c.options.Profiles)...),
		pion.WithInsecureSkipVerify(true), // the fingerprint says whom to trust
		pion.WithVerifyPeerCertificate(c.verify),
		pion.WithFlightInterval(c.options.FlightInterval),
		pion.WithMTU(mtu),
		pion.WithLoggerFactory(pionlog.New(c.options.Logger, "DTLS")),
	}
}

// verify checks the peer's certificate; an error makes Pion send bad_certificate.
func (c *Conn) verify(chain [][]byte, _ [][]*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("the peer has no certificate")
	}
	c.mu.Lock()
	remote := c.remote
	c.mu.Unlock()
	return matchFingerprints(chain[0], remote)
}

// establish takes the results of a handshake and reports it.
func (c *Conn) establish(r *run, session *pion.Conn) error {
	state, ok := session.ConnectionState()
	if !ok {
		return errors.New("read the state of a DTLS connection")
	}
	profile, keys, err := exportKeys(session, &state, c.Role())
	if err != nil {
		return err
	}
	c.mu.Lock()
	if !c.closing {
		c.profile, c.keys = profile, keys
		c.certificate = state.PeerCertificates[0]
	}
	c.mu.Unlock()
	c.enter(r, StateConnected, nil)
	return nil
}

// finish ends a run in a final state.
func (c *Conn) finish(r *run, s State, err error) {
	r.cancel()
	c.enter(r, s, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.run, c.keys, c.session = nil, nil, nil
}

// enter changes the state and reports it, unless Close was faster.
func (c *Conn) enter(r *run, s State, err error) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return
	}
	c.state, c.remote = s, nil
	r.reporting = true
	c.mu.Unlock()
	if c.options.StateChange != nil {
		c.options.StateChange(s, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.reporting = false
}

// serve watches over an established session until it ends or has been quiet for the
// given time.
func (c *Conn) serve(r *run, session *pion.Conn, quiet time.Duration) {
	for {
		switch c.watch(r.ctx, session, quiet) {
		case sessionQuiet:
			if session = c.sleep(r, session); session == nil {
				return
			}
			quiet = wakeLinger
		case sessionCancelled, sessionEnded:
			_ = session.Close()
			c.finish(r, StateClosed, nil)
			return
		}
	}
}

type sessionEvent int

const (
	sessionQuiet     sessionEvent = iota // nothing arrived for a while
	sessionEnded                         // the peer closed it
	sessionCancelled                     // Close was called
)

// maxData is the most that Data is given at once: what fits into a datagram on any
// path that is not a local one.
const maxData = 2048

// watch reads a session until something has to be done about it.
func (c *Conn) watch(ctx context.Context, session *pion.Conn, quiet time.Duration) sessionEvent {
	past := time.Unix(0, 1)
	stop := context.AfterFunc(ctx, func() { _ = session.SetReadDeadline(past) })
	defer stop()
	var buffer []byte // nil: application data would be SCTP, which nobody has negotiated
	if c.options.Data != nil {
		buffer = make([]byte, maxData)
	}
	for awake := false; ; {
		if !awake {
			_ = session.SetReadDeadline(time.Now().Add(quiet))
		}
		if ctx.Err() != nil { // its deadline may just have been overwritten
			return sessionCancelled
		}
		n, err := session.Read(buffer)
		var timeout net.Error
		switch {
		case errors.Is(err, io.EOF):
			return sessionEnded
		case ctx.Err() != nil:
			return sessionCancelled
		case errors.As(err, &timeout) && timeout.Timeout():
			return sessionQuiet
		case err == nil && n > 0:
			if !awake {
				awake = true
				_ = session.SetReadDeadline(time.Time{})
				c.carry(session)
			}
			c.options.Data(buffer[:n])
		}
	}
}

// carry makes Write use a session, which must not go to sleep any more.
func (c *Conn) carry(session *pion.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		c.session = session
	}
}

// sleep reduces a session to its state and ends r, unless there is something to do,
// in which case it returns a session in its place.
//
// A state may be resumed only if the session it came from never sends again, since a
// record number must not be used twice with one key: the feed is halted first.
func (c *Conn) sleep(r *run, session *pion.Conn) *pion.Conn {
	f, _ := c.attemptOf(r)
	f.halt()
	for {
		_ = session.SetReadDeadline(time.Time{}) // each time: watch's may come late
		if _, err := session.Read(nil); errors.Is(err, io.EOF) {
			break // Pion's reader has ended
		}
	}
	if f.closedByPeer() {
		c.finish(r, StateClosed, nil)
		return nil
	}
	state, ok := session.ConnectionState()
	if !ok {
		c.finish(r, StateFailed, errors.New("read the state of a DTLS connection"))
		return nil
	}
	awake := c.layDown(r, f, &state)
	if awake == nil {
		return nil
	}
	session, err := c.resume(&state, awake)
	if err != nil {
		c.finish(r, StateFailed, err)
		return nil
	}
	return session
}

// layDown ends r with the connection asleep and returns nil, or returns a new feed
// when there is a reason to stay awake.
func (c *Conn) layDown(r *run, f *feed, state *pion.State) *feed {
	c.mu.Lock()
	defer c.mu.Unlock()
	pending := f.drain()
	if len(pending) == 0 && !c.closing {
		r.cancel()
		c.asleep, c.run = state, nil
		return nil
	}
	r.feed = c.newFeed()
	for _, d := range pending {
		r.feed.push(d)
	}
	return r.feed
}

// wakeLocked makes a session of the sleeping state, beginning with the datagrams.
func (c *Conn) wakeLocked(datagrams ...[]byte) {
	state := c.asleep
	c.asleep = nil
	r := c.newRunLocked(datagrams...)
	go c.rouse(r, state)
}

// resume makes a session of a state that no other session uses.
func (c *Conn) resume(state *pion.State, f *feed) (*pion.Conn, error) {
	session, err := pion.ResumeWithOptions(state, f, peer, c.sharedOptions()...)
	if err != nil {
		return nil, fmt.Errorf("resume DTLS connection: %w", err)
	}
	// An established state has no handshake left; this only starts Pion's goroutines.
	// They must not read yet: a close_notify would be taken for a failed handshake.
	if err := session.HandshakeContext(context.Background()); err != nil {
		_ = session.Close()
		return nil, fmt.Errorf("resume DTLS connection: %w", err)
	}
	f.open()
	return session, nil
}
