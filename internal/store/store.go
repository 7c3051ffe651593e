// Package store is the embedded durable store: typed buckets of small records
// that may expire, in one file. It keeps what must survive a restart (call
// tokens, invitations, later call requests, keys and seen ids) and nothing that
// is looked up per packet.
//
// It is not a database: there are no queries beyond a key, and no transactions
// over several records.
//
// A method that changes something returns when the change is on disk (fsync), so
// what was answered to a client has been kept. A record that has expired is gone
// for every reader from that moment; the disk space follows within a minute.
//
// All methods may be called from any goroutine. Changes are made one at a time
// and take as long as the disk needs, typically a few milliseconds.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Errors that are worth telling apart. They are wrapped with what was attempted.
var (
	// ErrInUse means that another process has the file open.
	ErrInUse = errors.New("another process is using it")
	// ErrDamaged means that the file is not a store of ours any more.
	ErrDamaged = errors.New("the file is damaged; move it away to start with an empty one")
	// ErrFull means that the disk took no more.
	ErrFull = errors.New("no space left on the disk")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the store is closed")
)

// lockTimeout is how long another process may take to let go of the file, which
// is enough for one that is just ending.
const lockTimeout = 2 * time.Second

// Options are the settings of a store. The zero value has good defaults.
type Options struct {
	// SweepInterval is how often the space of expired records is freed;
	// default a minute.
	SweepInterval time.Duration
	// Logger gets what goes wrong in the background; default slog.Default.
	Logger *slog.Logger
}

// Store is an open file. Close it to let the next process have it.
type Store struct {
	// constant after Open
	db        *bbolt.DB
	temporary string // removed by Close; empty for a durable store
	logger    *slog.Logger
	stop      chan struct{}
	sweeper   sync.WaitGroup

	mu      sync.Mutex
	buckets []string // guarded by mu: names, for the sweeper
	closed  bool     // guarded by mu
}

// Open opens the store in the file at path and creates it if there is none; its
// directory must exist. With an empty path the records live in a temporary file
// that is removed by Close, and nothing waits for the disk.
func Open(path string, o Options) (*Store, error) {
	if o.SweepInterval <= 0 {
		o.SweepInterval = time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &Store{logger: o.Logger, stop: make(chan struct{})}
	if path == "" {
		dir, err := os.MkdirTemp("", "takos-call-store-")
		if err != nil {
			return nil, fmt.Errorf("store: make a temporary directory: %w", err)
		}
		s.temporary, path = dir, filepath.Join(dir, "store.db")
	}
	db, err := openFile(path, s.temporary != "")
	if err != nil {
		s.removeTemporary()
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	s.db = db
	s.sweeper.Go(func() { s.sweepEvery(o.SweepInterval) })
	return s, nil
}

// openFile opens and checks the file. bbolt panics on some damaged files, and
// may do so much later; the whole file is checked here once, while it is small
// and nobody waits.
func openFile(path string, temporary bool) (db *bbolt.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			if db != nil {
				_ = db.Close()
			}
			db, err = nil, fmt.Errorf("%w (%v)", ErrDamaged, r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout, NoSync: temporary})
	if err != nil {
		return nil, explainOpen(err)
	}
	err = db.View(func(tx *bbolt.Tx) error {
		var first error
		for err := range tx.Check() { // must be read to the end
			if first == nil {
				first = err
			}
		}
		return first
	})
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("%w (%v)", ErrDamaged, err)
	}
	return db, nil
}

// Close waits for the cleaning in the background and lets go of the file.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()

	close(s.stop)
	s.sweeper.Wait()
	err := s.db.Close()
	s.removeTemporary()
	if err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}

func (s *Store) removeTemporary() {
	if s.temporary != "" {
		_ = os.RemoveAll(s.temporary)
	}
}

// update runs change in a transaction of its own and returns when it is on disk.
func (s *Store) update(what string, change func(tx *bbolt.Tx) error) error {
	if err := s.db.Update(change); err != nil {
		return fmt.Errorf("store: %s: %w", what, explain(err))
	}
	return nil
}

func (s *Store) view(what string, read func(tx *bbolt.Tx) error) error {
	if err := s.db.View(read); err != nil {
		return fmt.Errorf("store: %s: %w", what, explain(err))
	}
	return nil
}

// explainOpen is explain for an error of bbolt.Open. What neither the system nor
// the lock is to blame for is the content, and not all such errors have a name.
func explainOpen(err error) error {
	var system syscall.Errno
	explained := explain(err)
	if errors.As(err, &system) || errors.Is(explained, ErrInUse) || errors.Is(explained, ErrDamaged) {
		return explained
	}
	return fmt.Errorf("%w (%v)", ErrDamaged, err)
}

// explain adds our word for what the operator can do something about.
func explain(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%w (waited %v)", ErrInUse, lockTimeout)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return fmt.Errorf("%w (%v)", ErrDamaged, err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return ErrClosed
	case errors.As(err, &path):
		return path.Err // the caller has named the file
	}
	return err
}
