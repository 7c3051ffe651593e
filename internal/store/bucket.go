package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// A record is stored as
//
//	0        8
//	+--------+------------------+
//	| expiry | value as JSON ...|
//	+--------+------------------+
//
// where expiry is the Unix time in nanoseconds, big endian, and zero for never.
// Each bucket has a second one beside it, whose keys are expiry + key and which
// is therefore in the order in which records end.
const (
	expiryLen    = 8
	expirySuffix = "/expiry"
)

// Bucket is a set of records of one type, found by a key. T must survive a round
// trip through JSON.
type Bucket[T any] struct {
	store *Store
	name  string
	index string
}

// NewBucket returns the bucket of that name and makes it if there is none.
func NewBucket[T any](s *Store, name string) (*Bucket[T], error) {
	b := &Bucket[T]{store: s, name: name, index: name + expirySuffix}
	err := s.update("make bucket "+name, func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists([]byte(b.name)); err != nil {
			return err
		}
		_, err := tx.CreateBucketIfNotExists([]byte(b.index))
		return err
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.buckets = append(s.buckets, name)
	s.mu.Unlock()
	return b, nil
}

// Put keeps value under key, in place of what was there, until expires; the zero
// time means for ever.
func (b *Bucket[T]) Put(key string, value T, expires time.Time) error {
	return b.store.update("put into "+b.name, func(tx *bbolt.Tx) error {
		return b.put(tx, key, value, expires)
	})
}

// PutNew is Put that leaves an existing record alone. It reports whether it
// kept the new one.
func (b *Bucket[T]) PutNew(key string, value T, expires time.Time) (bool, error) {
	stored := false
	err := b.store.update("put into "+b.name, func(tx *bbolt.Tx) error {
		if live(tx.Bucket([]byte(b.name)).Get([]byte(key)), time.Now()) {
			stored = false
			return nil
		}
		stored = true
		return b.put(tx, key, value, expires)
	})
	return stored && err == nil, err
}

// Get returns the record under key. It reports false if there is none or it has
// expired.
func (b *Bucket[T]) Get(key string) (value T, found bool, err error) {
	err = b.store.view("get from "+b.name, func(tx *bbolt.Tx) error {
		record := tx.Bucket([]byte(b.name)).Get([]byte(key))
		if !live(record, time.Now()) {
			return nil
		}
		found = true
		return decode(record, &value)
	})
	return value, found && err == nil, err
}

// Update replaces the record under key by what change makes of it, with nothing
// happening to it in between. An error of change is returned as it is and
// nothing is changed. It reports false if there is no such record.
func (b *Bucket[T]) Update(key string, change func(T) (T, time.Time, error)) (bool, error) {
	found := false
	var refused error
	err := b.store.update("update "+b.name, func(tx *bbolt.Tx) error {
		record := tx.Bucket([]byte(b.name)).Get([]byte(key))
		if found = live(record, time.Now()); !found {
			return nil
		}
		var value T
		if err := decode(record, &value); err != nil {
			return err
		}
		var expires time.Time
		if value, expires, refused = change(value); refused != nil {
			return refused
		}
		return b.put(tx, key, value, expires)
	})
	if refused != nil {
		return found, refused
	}
	return found && err == nil, err
}

// UpdateAll gives every record to change, in one transaction, and replaces those
// for which it reports true.
func (b *Bucket[T]) UpdateAll(change func(key string, value T) (T, time.Time, bool)) error {
	return b.store.update("update "+b.name, func(tx *bbolt.Tx) error {
		type record struct {
			key     string
			value   T
			expires time.Time
		}
		var changed []record // a bucket must not change while it is walked through
		now := time.Now()
		err := tx.Bucket([]byte(b.name)).ForEach(func(key, text []byte) error {
			if !live(text, now) {
				return nil
			}
			var value T
			if err := decode(text, &value); err != nil {
				return err
			}
			if value, expires, wanted := change(string(key), value); wanted {
				changed = append(changed, record{string(key), value, expires})
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, r := range changed {
			if err := b.put(tx, r.key, r.value, r.expires); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delete removes the record under key. It reports whether there was one.
func (b *Bucket[T]) Delete(key string) (bool, error) {
	found := false
	err := b.store.update("delete from "+b.name, func(tx *bbolt.Tx) error {
		found = live(tx.Bucket([]byte(b.name)).Get([]byte(key)), time.Now())
		return b.remove(tx, []byte(key))
	})
	return found && err == nil, err
}

// DeleteAll removes the records under all the keys at once; unknown keys are
// ignored.
func (b *Bucket[T]) DeleteAll(keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	return b.store.update("delete from "+b.name, func(tx *bbolt.Tx) error {
		for _, key := range keys {
			if err := b.remove(tx, []byte(key)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Each calls visit with every record, in the order of the keys, until visit
// returns an error, which Each then returns as it is. The bucket must not be
// changed by visit.
func (b *Bucket[T]) Each(visit func(key string, value T, expires time.Time) error) error {
	var stopped error
	err := b.store.view("read "+b.name, func(tx *bbolt.Tx) error {
		now := time.Now()
		return tx.Bucket([]byte(b.name)).ForEach(func(key, record []byte) error {
			if !live(record, now) {
				return nil
			}
			var value T
			if err := decode(record, &value); err != nil {
				return err
			}
			stopped = visit(string(key), value, expiry(record))
			return stopped
		})
	})
	if stopped != nil {
		return stopped
	}
	return err
}

func (b *Bucket[T]) put(tx *bbolt.Tx, key string, value T, expires time.Time) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	if err := b.remove(tx, []byte(key)); err != nil {
		return err
	}
	record := make([]byte, expiryLen, expiryLen+len(text))
	if !expires.IsZero() {
		binary.BigEndian.PutUint64(record, uint64(expires.UnixNano()))
		index := append(bytes.Clone(record), key...)
		if err := tx.Bucket([]byte(b.index)).Put(index, nil); err != nil {
			return err
		}
	}
	return tx.Bucket([]byte(b.name)).Put([]byte(key), append(record, text...))
}

func (b *Bucket[T]) remove(tx *bbolt.Tx, key []byte) error {
	records := tx.Bucket([]byte(b.name))
	record := records.Get(key)
	if record == nil {
		return nil
	}
	if !expiry(record).IsZero() {
		index := append(bytes.Clone(record[:expiryLen]), key...)
		if err := tx.Bucket([]byte(b.index)).Delete(index); err != nil {
			return err
		}
	}
	return records.Delete(key)
}

// expiry returns when a record ends, the zero time for never.
func expiry(record []byte) time.Time {
	if len(record) < expiryLen {
		return time.Time{}
	}
	ns := binary.BigEndian.Uint64(record)
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(ns))
}

// live reports whether there is a record and it has not expired.
func live(record []byte, now time.Time) bool {
	if record == nil {
		return false
	}
	end := expiry(record)
	return end.IsZero() || now.Before(end)
}

func decode(record []byte, value any) error {
	if len(record) < expiryLen {
		return fmt.Errorf("%w (a record of %d bytes)", ErrDamaged, len(record))
	}
	if err := json.Unmarshal(record[expiryLen:], value); err != nil {
		return errors.Join(ErrDamaged, err)
	}
	return nil
}
