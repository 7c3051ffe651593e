package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// recheckInterval is how old what is known about the files may be. A renewal
// touches them every few weeks; a handshake asks often.
const recheckInterval = 2 * time.Second

// A certificateFile is a certificate and its key in two files that are read
// again when they change. It has no goroutine: a handshake that comes after
// recheckInterval looks at the files.
type certificateFile struct {
	// constant after openCertificate
	certPath, keyPath string
	log               *slog.Logger
	now               func() time.Time

	mu      sync.Mutex
	current *tls.Certificate // guarded by mu
	stamp   stamp            // guarded by mu; of the files that current, or the last failure, came from
	checked time.Time        // guarded by mu
}

// A stamp tells one state of the two files from another.
type stamp [2]struct {
	modified time.Time
	size     int64
}

// openCertificate reads the files. The error names the file and what is wrong.
func openCertificate(certPath, keyPath string, log *slog.Logger) (*certificateFile, error) {
	c := &certificateFile{certPath: certPath, keyPath: keyPath, log: log, now: time.Now}
	state, err := c.look()
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(certPath, keyPath)
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate %s with its key %s: %w", certPath, keyPath, err)
	}
	c.current, c.stamp, c.checked = &pair, state, c.now()
	return c, nil
}

// get is for tls.Config.GetCertificate.
func (c *certificateFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.checked) >= recheckInterval {
		c.checked = now
		c.refreshLocked()
	}
	return c.current, nil
}

// refreshLocked takes the files if they have changed. Files that do not match,
// as in the middle of a renewal, leave the old certificate in use.
func (c *certificateFile) refreshLocked() {
	state, err := c.look()
	if err != nil || state == c.stamp {
		return // a file that is being replaced may be missing for a moment
	}
	c.stamp = state
	pair, err := tls.LoadX509KeyPair(c.certPath, c.keyPath)
	if err != nil {
		c.log.Error("the changed TLS certificate cannot be used; the old one stays", "file", c.certPath, "error", err)
		return
	}
	c.current = &pair
	c.log.Info("took the changed TLS certificate", "file", c.certPath, "expires", pair.Leaf.NotAfter)
}

func (c *certificateFile) look() (stamp, error) {
	var state stamp
	for i, path := range []string{c.certPath, c.keyPath} {
		info, err := os.Stat(path)
		if err != nil {
			return stamp{}, err
		}
		state[i].modified, state[i].size = info.ModTime(), info.Size()
	}
	return state, nil
}
