package store

import (
	"bytes"
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// sweepBatch is how many records one transaction of the sweeper removes, so
// that others wait for it a few milliseconds at most.
const sweepBatch = 1000

// sweepEvery removes expired records until the store is closed.
func (s *Store) sweepEvery(interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-ticker.C:
		}
		s.mu.Lock()
		names := append([]string(nil), s.buckets...)
		s.mu.Unlock()
		for _, name := range names {
			if err := s.sweep(name); err != nil {
				s.logger.Error("cannot remove expired records", "bucket", name, "error", err)
			}
		}
	}
}

// sweep removes what has expired from one bucket.
func (s *Store) sweep(name string) error {
	for {
		removed := 0
		err := s.update("sweep "+name, func(tx *bbolt.Tx) (err error) {
			removed, err = sweepSome(tx, name, time.Now())
			return err
		})
		if err != nil || removed < sweepBatch {
			return err
		}
		select {
		case <-s.stop:
			return nil
		default:
		}
	}
}

// sweepSome removes up to sweepBatch records that ended before now. The keys are
// gathered first: a bbolt cursor must not be moved while its bucket changes.
func sweepSome(tx *bbolt.Tx, name string, now time.Time) (int, error) {
	records, index := tx.Bucket([]byte(name)), tx.Bucket([]byte(name+expirySuffix))
	var ended [][]byte
	cursor := index.Cursor()
	for key, _ := cursor.First(); key != nil && len(ended) < sweepBatch; key, _ = cursor.Next() {
		if int64(binary.BigEndian.Uint64(key)) > now.UnixNano() {
			break
		}
		ended = append(ended, bytes.Clone(key)) // deleting may move the file's mapping
	}
	for _, key := range ended {
		if err := records.Delete(key[expiryLen:]); err != nil {
			return 0, err
		}
		if err := index.Delete(key); err != nil {
			return 0, err
		}
	}
	return len(ended), nil
}
