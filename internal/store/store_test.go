package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type pet struct {
	Name string
	Legs int
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func pets(t testing.TB, s *Store) *Bucket[pet] {
	t.Helper()
	b, err := NewBucket[pet](s, "pets")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRecordsSurviveARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	b := pets(t, s)
	must(t, b.Put("tako", pet{"Tako", 8}, time.Time{}))
	must(t, b.Put("ika", pet{"Ika", 10}, time.Now().Add(time.Hour)))
	must(t, s.Close())

	b = pets(t, open(t, path))
	for key, want := range map[string]pet{"tako": {"Tako", 8}, "ika": {"Ika", 10}} {
		if got, found, err := b.Get(key); got != want || !found || err != nil {
			t.Errorf("Get(%q) = %v, %v, %v; want %v", key, got, found, err, want)
		}
	}
}

func TestPutReplacesAndMovesTheExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pets(t, open(t, ""))
		must(t, b.Put("a", pet{Legs: 1}, time.Now().Add(time.Minute)))
		must(t, b.Put("a", pet{Legs: 2}, time.Now().Add(time.Hour)))
		time.Sleep(5 * time.Minute) // the sweeper has run past the first expiry
		if got, found, err := b.Get("a"); got.Legs != 2 || !found || err != nil {
			t.Errorf("Get = %v, %v, %v", got, found, err)
		}
	})
}

func TestExpiredRecordsAreGoneAtOnceAndSweptLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "")
		b := pets(t, s)
		for i := range 2*sweepBatch + 1 { // more than one transaction of the sweeper
			must(t, b.Put(fmt.Sprint(i), pet{Legs: i}, time.Now().Add(10*time.Second)))
		}
		must(t, b.Put("stays", pet{}, time.Time{}))
		time.Sleep(10*time.Second - time.Nanosecond)
		if _, found, _ := b.Get("1"); !found {
			t.Error("gone before its time")
		}
		time.Sleep(time.Nanosecond)
		if _, found, _ := b.Get("1"); found {
			t.Error("there after its time")
		}
		if deleted, _ := b.Delete("1"); deleted {
			t.Error("Delete found an expired record")
		}
		if found, _ := b.Update("2", func(p pet) (pet, time.Time, error) { return p, time.Time{}, nil }); found {
			t.Error("Update found an expired record")
		}
		if n := keys(t, s, "pets"); n < 2*sweepBatch {
			t.Errorf("%d records on disk before the sweeper came", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n, m := keys(t, s, "pets"), keys(t, s, "pets/expiry"); n != 1 || m != 0 {
			t.Errorf("%d records and %d expiries on disk after the sweeper, want 1 and 0", n, m)
		}
	})
}

// keys counts what is on disk, expired or not.
func keys(t *testing.T, s *Store, bucket string) (n int) {
	t.Helper()
	must(t, s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucket)).ForEach(func(_, _ []byte) error { n++; return nil })
	}))
	return n
}

func TestPutNewKeepsTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pets(t, open(t, ""))
		expires := time.Now().Add(time.Second)
		if stored, err := b.PutNew("a", pet{Legs: 1}, expires); !stored || err != nil {
			t.Fatal(stored, err)
		}
		if stored, err := b.PutNew("a", pet{Legs: 2}, expires); stored || err != nil {
			t.Fatal(stored, err)
		}
		if got, _, _ := b.Get("a"); got.Legs != 1 {
			t.Errorf("the second replaced the first: %v", got)
		}
		time.Sleep(time.Second)
		if stored, err := b.PutNew("a", pet{Legs: 3}, time.Time{}); !stored || err != nil {
			t.Errorf("an expired record is in the way: %v, %v", stored, err)
		}
	})
}

func TestOnlyOneOfManyPutsANewRecord(t *testing.T) {
	b := pets(t, open(t, ""))
	var wins sync.Map
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if stored, err := b.PutNew("id", pet{Legs: i}, time.Time{}); err != nil {
				t.Error(err)
			} else if stored {
				wins.Store(i, true)
			}
		})
	}
	all.Wait()
	n := 0
	wins.Range(func(_, _ any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d of 20 were first", n)
	}
}

func TestUpdatesDoNotLoseOneAnother(t *testing.T) {
	b := pets(t, open(t, ""))
	must(t, b.Put("a", pet{}, time.Time{}))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := b.Update("a", func(p pet) (pet, time.Time, error) { p.Legs++; return p, time.Time{}, nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, _, _ := b.Get("a"); got.Legs != 20 {
		t.Errorf("%d of 20 updates", got.Legs)
	}
}

func TestRefusedUpdateChangesNothing(t *testing.T) {
	b := pets(t, open(t, ""))
	must(t, b.Put("a", pet{Legs: 4}, time.Time{}))
	no := errors.New("no")
	found, err := b.Update("a", func(p pet) (pet, time.Time, error) { p.Legs = 5; return p, time.Time{}, no })
	if !found || err != no {
		t.Errorf("Update = %v, %v", found, err)
	}
	if got, _, _ := b.Get("a"); got.Legs != 4 {
		t.Errorf("changed to %v", got)
	}
}

func TestUpdateAllChangesWhatItIsToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := pets(t, open(t, ""))
		must(t, b.Put("a", pet{Legs: 1}, time.Time{}))
		must(t, b.Put("b", pet{Legs: 2}, time.Time{}))
		must(t, b.Put("gone", pet{Legs: 2}, time.Now()))
		must(t, b.UpdateAll(func(key string, p pet) (pet, time.Time, bool) {
			if key == "gone" {
				t.Error("saw an expired record")
			}
			return pet{Legs: 20}, time.Now().Add(time.Second), p.Legs == 2
		}))
		got := map[string]int{}
		must(t, b.Each(func(key string, p pet, expires time.Time) error {
			if got[key] = p.Legs; key == "b" && !expires.Equal(time.Now().Add(time.Second)) {
				t.Errorf("b expires at %v", expires)
			}
			return nil
		}))
		if len(got) != 2 || got["a"] != 1 || got["b"] != 20 {
			t.Errorf("got %v", got)
		}
	})
}

func TestEachStopsWhenToldTo(t *testing.T) {
	b := pets(t, open(t, ""))
	for _, key := range []string{"a", "b", "c"} {
		must(t, b.Put(key, pet{}, time.Time{}))
	}
	enough := errors.New("enough")
	var seen []string
	err := b.Each(func(key string, _ pet, _ time.Time) error {
		if seen = append(seen, key); key == "b" {
			return enough
		}
		return nil
	})
	if err != enough || strings.Join(seen, "") != "ab" {
		t.Errorf("saw %v, %v", seen, err)
	}
}

func TestDeleteAllIgnoresWhatIsNotThere(t *testing.T) {
	b := pets(t, open(t, ""))
	must(t, b.Put("a", pet{}, time.Now().Add(time.Hour)))
	must(t, b.Put("b", pet{}, time.Time{}))
	must(t, b.DeleteAll([]string{"a", "nothing"}))
	must(t, b.DeleteAll(nil))
	_, a, _ := b.Get("a")
	_, other, _ := b.Get("b")
	if a || !other {
		t.Errorf("a there: %v, b there: %v", a, other)
	}
}

func TestTemporaryStoreLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := open(t, "")
	pets(t, s)
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Fatalf("%d entries while it is open", len(entries))
	}
	must(t, s.Close())
	must(t, s.Close()) // twice is once
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestFileInUseIsNamedAsSuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // lockTimeout passes at once
		path := filepath.Join(t.TempDir(), "store.db")
		open(t, path)
		_, err := Open(path, Options{})
		if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
			t.Errorf("error: %v", err)
		}
	})
}

func TestDamagedFilesAreNamedAsSuch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s := open(t, path)
	b := pets(t, s)
	for i := range 100 {
		must(t, b.Put(fmt.Sprint(i), pet{Legs: i}, time.Now().Add(time.Hour)))
	}
	must(t, s.Close())
	whole, err := os.ReadFile(path)
	must(t, err)
	page := os.Getpagesize()

	for name, content := range map[string][]byte{
		"not a store":         bytes.Repeat([]byte("takos"), 8000),
		"cut off in the head": whole[:page+10],
		"meta pages zeroed":   append(make([]byte, 2*page), whole[2*page:]...),
		"data pages zeroed":   append(bytes.Clone(whole[:2*page]), make([]byte, len(whole)-2*page)...),
		"data pages garbage":  append(bytes.Clone(whole[:2*page]), bytes.Repeat([]byte{0xa5}, len(whole)-2*page)...),
	} {
		t.Run(name, func(t *testing.T) {
			bad := filepath.Join(t.TempDir(), "bad.db")
			must(t, os.WriteFile(bad, content, 0o600))
			s, err := Open(bad, Options{})
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), bad) {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestRecordOfAnotherTypeIsDamage(t *testing.T) {
	s := open(t, "")
	b := pets(t, s)
	must(t, b.Put("a", pet{Name: "Tako"}, time.Time{}))
	numbers, err := NewBucket[int](s, "pets")
	must(t, err)
	if _, found, err := numbers.Get("a"); found || !errors.Is(err, ErrDamaged) {
		t.Errorf("Get = %v, %v", found, err)
	}
}

func TestMissingDirectoryIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere", "store.db")
	if _, err := Open(path, Options{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error: %v", err)
	}
}

func TestFullDiskIsNamedAsSuch(t *testing.T) {
	s := open(t, "")
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		err := s.update("put into pets", func(*bbolt.Tx) error {
			return &os.PathError{Op: "write", Path: "store.db", Err: cause}
		})
		if !errors.Is(err, ErrFull) || !errors.Is(err, cause) {
			t.Errorf("%v became %v", cause, err)
		}
	}
}

func TestClosedStoreSaysSo(t *testing.T) {
	s := open(t, "")
	b := pets(t, s)
	must(t, s.Close())
	if err := b.Put("a", pet{}, time.Time{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Put: %v", err)
	}
	if _, _, err := b.Get("a"); !errors.Is(err, ErrClosed) {
		t.Errorf("Get: %v", err)
	}
}

func TestValueThatIsNoJSONIsRefused(t *testing.T) {
	b, err := NewBucket[chan int](open(t, ""), "channels")
	must(t, err)
	if err := b.Put("a", make(chan int), time.Time{}); err == nil {
		t.Error("a channel was stored")
	}
}

// The store against a map, with time passing.
func TestStoreBehavesLikeAMapWithExpiry(t *testing.T) {
	type record struct {
		legs    int
		expires time.Time
	}
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, "")
			defer func() { must(t, s.Close()) }()
			b := pets(t, s)
			model := map[string]record{}
			there := func(key string) bool {
				r, ok := model[key]
				return ok && (r.expires.IsZero() || time.Now().Before(r.expires))
			}
			drawn := map[string]func(){
				"put": func() {
					key, r := drawKey(rt), record{legs: rapid.Int().Draw(rt, "legs")}
					if seconds := rapid.IntRange(0, 90).Draw(rt, "seconds"); seconds > 0 {
						r.expires = time.Now().Add(time.Duration(seconds) * time.Second)
					}
					model[key] = r
					must(t, b.Put(key, pet{Legs: r.legs}, r.expires))
				},
				"delete": func() {
					key := drawKey(rt)
					want := there(key)
					delete(model, key)
					if got, err := b.Delete(key); got != want || err != nil {
						rt.Fatalf("Delete(%q) = %v, %v; want %v", key, got, err, want)
					}
				},
				"get": func() {
					key := drawKey(rt)
					want := there(key)
					got, found, err := b.Get(key)
					if found != want || err != nil || found && got.Legs != model[key].legs {
						rt.Fatalf("Get(%q) = %v, %v, %v; want %v, %v", key, got, found, err, model[key], want)
					}
				},
				"wait": func() { time.Sleep(time.Duration(rapid.IntRange(1, 100).Draw(rt, "wait")) * time.Second) },
			}
			for range rapid.IntRange(1, 40).Draw(rt, "steps") {
				drawn[rapid.SampledFrom([]string{"put", "put", "delete", "get", "wait"}).Draw(rt, "step")]()
			}
		})
	})
}

func drawKey(rt *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "key")
}

func BenchmarkPut(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "store.db"), Options{})
	must(b, err)
	defer func() { _ = s.Close() }()
	bucket := pets(b, s)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		must(b, bucket.Put(fmt.Sprint(i), pet{}, time.Now().Add(time.Hour)))
	}
}
