package ice

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"github.com/takoserver/takos-call/internal/mono"
)

func TestCredentials(t *testing.T) {
	const iceChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	a := NewAgent(Options{UfragPrefix: "n1/"})
	p := a.Parameters()
	if !strings.HasPrefix(p.UsernameFragment, "n1/") || len(p.UsernameFragment) != 3+32 || len(p.Password) != 32 || !p.ICELite {
		t.Errorf("parameters %+v", p)
	}
	if s := strings.Trim(p.UsernameFragment+p.Password, iceChars); s != "" {
		t.Errorf("%q are not ice-chars", s)
	}
	if other := NewAgent(Options{}).Parameters(); other.UsernameFragment == p.UsernameFragment[3:] || other.Password == p.Password {
		t.Error("two agents share credentials")
	}
	if !a.HasUfrag(p.UsernameFragment) || a.HasUfrag("") || a.HasUfrag(p.UsernameFragment[1:]) {
		t.Error("HasUfrag")
	}
}

func TestCredentialsUseTheWholeAlphabet(t *testing.T) {
	seen := map[rune]int{}
	for range 200 {
		for _, r := range NewAgent(Options{}).Parameters().Password {
			seen[r]++
		}
	}
	if len(seen) != 32 {
		t.Errorf("%d letters", len(seen))
	}
	for r, n := range seen { // 200 expected; σ is 14
		if n < 100 || n > 300 {
			t.Errorf("%q occurs %d times of 6400", r, n)
		}
	}
}

func TestABrokenSourceOfRandomnessIsNoticed(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("credentials without randomness")
		}
	}()
	NewAgent(Options{Rand: strings.NewReader("too short")})
}

// step is a check that a peer sends and what the agent makes of it.
type step struct {
	after    time.Duration // since the step before
	remote   int           // which address of the peer
	local    int           // which of ours
	nominate bool
	renumber uint32 // renomination counter
	priority uint32 // 0 for 100
	selected int    // address of the peer that media goes to now
	state    State
}

func TestSelection(t *testing.T) {
	const (
		connected = StateConnected
		completed = StateCompleted
	)
	tests := map[string][]step{
		"first check connects, nomination completes": {
			{remote: 1, selected: 1, state: connected},
			{remote: 1, nominate: true, selected: 1, state: completed},
			{remote: 1, selected: 1, state: completed},
		},
		"first check may nominate": {
			{remote: 1, nominate: true, selected: 1, state: completed},
		},
		"other tuples wait for a nomination": {
			{remote: 1, selected: 1, state: connected},
			{remote: 2, selected: 1, state: connected},
			{remote: 2, nominate: true, selected: 2, state: completed},
			{remote: 1, selected: 2, state: completed},
		},
		"any nomination counts more than none": {
			{remote: 1, priority: 300, selected: 1, state: connected},
			{remote: 2, priority: 200, nominate: true, selected: 2, state: completed},
		},
		"regular nomination goes back and forth": {
			{remote: 1, selected: 1, state: connected},
			{remote: 1, nominate: true, selected: 1, state: completed, priority: 300},
			{remote: 2, selected: 1, state: completed, priority: 200},
			{remote: 2, nominate: true, selected: 2, state: completed, priority: 200},
			{remote: 1, selected: 2, state: completed, priority: 300},
			{remote: 1, nominate: true, selected: 1, state: completed, priority: 300},
			{remote: 2, selected: 1, state: completed, priority: 200},
			{remote: 2, nominate: true, selected: 2, state: completed, priority: 200},
		},
		"aggressive nomination settles on the highest priority": {
			{remote: 1, nominate: true, priority: 200, selected: 1, state: completed},
			{remote: 2, nominate: true, priority: 300, selected: 2, state: completed},
			{remote: 3, nominate: true, priority: 100, selected: 2, state: completed},
			{remote: 1, nominate: true, priority: 200, selected: 2, state: completed},
			{remote: 3, nominate: true, priority: 100, selected: 2, state: completed},
			{remote: 2, priority: 300, selected: 2, state: completed}, // Firefox's consent
		},
		"priorities are unsigned": {
			{remote: 1, nominate: true, priority: 1, selected: 1, state: completed},
			{remote: 2, nominate: true, priority: math.MaxUint32, selected: 2, state: completed},
			{remote: 1, nominate: true, priority: math.MaxInt32, selected: 2, state: completed},
		},
		"a new NAT mapping is followed at once": {
			{remote: 1, nominate: true, selected: 1, state: completed},
			{remote: 2, nominate: true, selected: 2, state: completed},
		},
		"a second address of ours does not make it flap": {
			{remote: 1, nominate: true, selected: 1, state: completed},
			{remote: 1, local: 1, nominate: true, selected: 1, state: completed},
			{remote: 1, nominate: true, selected: 1, state: completed},
			{remote: 1, local: 1, nominate: true, selected: 1, state: completed},
		},
		"a silent tuple is left without nomination": {
			{remote: 1, nominate: true, selected: 1, state: completed, priority: 300},
			{remote: 2, selected: 1, state: completed},
			{after: quietAfter - 1, remote: 2, selected: 1, state: completed},
			{after: 1, remote: 2, selected: 2, state: completed},
			{after: time.Second, remote: 1, selected: 2, state: completed},
		},
		"renomination obeys its counter": {
			{remote: 1, renumber: 5, selected: 1, state: completed},
			{remote: 2, renumber: 4, priority: 900, selected: 1, state: completed},
			{remote: 2, renumber: 6, selected: 2, state: completed},
			{remote: 1, renumber: 5, selected: 2, state: completed},
			{remote: 1, renumber: 6, selected: 2, state: completed},
			{remote: 1, renumber: math.MaxUint32, selected: 1, state: completed},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			a := NewAgent(Options{})
			now := epoch
			var before Tuple
			beforeState := StateNew
			for i, s := range steps {
				now = now.Add(s.after)
				from := Tuple{Local: localV4, Remote: tuple(fmt.Sprintf("198.51.100.1:%d", 5000+s.remote)).Remote}
				if s.local == 1 {
					from.Local = localV4b
				}
				r := accepted(t, a, now, from, request(t, a.Parameters(), s.setters()...))
				got := selected(t, a)
				if int(got.Remote.Port()) != 5000+s.selected || got.Local != localV4 || a.State() != s.state {
					t.Fatalf("step %d: selected %v, state %v; want address %d, state %v", i, got, a.State(), s.selected, s.state)
				}
				if r.SelectedChanged != (got != before) || r.StateChanged != (a.State() != beforeState) {
					t.Errorf("step %d: result %+v", i, r)
				}
				before, beforeState = got, a.State()
			}
		})
	}
}

func (s step) setters() []stun.Setter {
	value := s.priority
	if value == 0 {
		value = 100
	}
	setters := []stun.Setter{priority(value)}
	if s.nominate {
		setters = append(setters, useCandidate())
	}
	if s.renumber > 0 {
		setters = append(setters, number(attrNomination, s.renumber))
	}
	return setters
}

func TestMediaKeepsATupleSelectedButNotAlive(t *testing.T) {
	a := NewAgent(Options{ConsentTimeout: 20 * time.Second})
	first, second := tuple("198.51.100.1:1"), tuple("198.51.100.1:2")
	msg := request(t, a.Parameters())
	accepted(t, a, epoch, first, msg)
	now := epoch
	for now < epoch.Add(19*time.Second) {
		now = now.Add(time.Second)
		a.Touch(now, first)
		a.Touch(now, tuple("198.51.100.9:9")) // a stranger
		accepted(t, a, now, second, msg)
		if selected(t, a) != first {
			t.Fatalf("left the first tuple after %v, though it is alive", now.Sub(epoch))
		}
	}
	if e := a.Expire(epoch.Add(20 * time.Second)); !slices.Equal(e.Removed, []Tuple{first}) || !e.SelectedChanged || e.StateChanged {
		t.Errorf("expiry %+v", e)
	}
	if selected(t, a) != second || a.Valid(first) || a.Valid(tuple("198.51.100.9:9")) {
		t.Error("a tuple without consent is still valid")
	}
}

func TestIndicationsCountAsSignsOfLife(t *testing.T) {
	a := NewAgent(Options{})
	first, second := tuple("198.51.100.1:1"), tuple("198.51.100.1:2")
	accepted(t, a, epoch, first, request(t, a.Parameters()))
	keepalive := build(t, stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication))
	if r := a.Receive(epoch.Add(7*time.Second), first, keepalive, nil); len(r.Reply) > 0 {
		t.Error("an indication is answered")
	}
	accepted(t, a, epoch.Add(10*time.Second), second, request(t, a.Parameters()))
	if selected(t, a) != first {
		t.Error("left a tuple that sends keepalives")
	}
	if got, want := a.Deadline(), epoch.Add(DefaultConsentTimeout); got != want {
		t.Errorf("an indication moved the deadline to %v", got.Sub(epoch))
	}
}

func TestTableIsBounded(t *testing.T) {
	a := NewAgent(Options{})
	msg := request(t, a.Parameters())
	at := func(i int) (mono.Instant, Tuple) {
		return epoch.Add(time.Duration(i) * time.Millisecond), tuple(fmt.Sprintf("198.51.100.1:%d", 1000+i))
	}
	_, first := at(0) // is selected, and so stays
	for i := range 1000 {
		now, from := at(i)
		r := accepted(t, a, now, from, msg)
		if selected(t, a) != first || !a.Valid(from) {
			t.Fatalf("tuple %d: selected %v", i, selected(t, a))
		}
		if i < MaxTuples {
			if r.RemovedTuple != nil {
				t.Fatalf("tuple %d removed %v", i, r.RemovedTuple)
			}
			continue
		}
		_, oldest := at(i - MaxTuples + 1)
		if r.RemovedTuple == nil || *r.RemovedTuple != oldest || a.Valid(oldest) || len(a.Tuples()) != MaxTuples {
			t.Fatalf("tuple %d removed %v, want %v", i, r.RemovedTuple, oldest)
		}
	}
}

func TestTheTupleCheckedLeastRecentlyMakesWay(t *testing.T) {
	a := NewAgent(Options{})
	msg := request(t, a.Parameters())
	for i := range MaxTuples {
		accepted(t, a, epoch+mono.Instant(i), tuple(fmt.Sprintf("198.51.100.1:%d", 1+i)), msg)
	}
	// The second is heard again after all others.
	accepted(t, a, epoch+MaxTuples, tuple("198.51.100.1:2"), msg)
	r := accepted(t, a, epoch+MaxTuples+1, tuple("198.51.100.1:100"), msg)
	if r.RemovedTuple == nil || *r.RemovedTuple != tuple("198.51.100.1:3") {
		t.Errorf("removed %v", r.RemovedTuple)
	}
}

func TestTuplesDifferByProtocolAndLocalAddress(t *testing.T) {
	a := NewAgent(Options{})
	base := tuple("198.51.100.1:1")
	tcp, other := base, base
	tcp.Protocol, other.Local = TCP, localV6
	accepted(t, a, epoch, base, request(t, a.Parameters()))
	if !a.Valid(base) || a.Valid(tcp) || a.Valid(other) {
		t.Error("a tuple is validated by a check on another")
	}
}

func TestConsent(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		timeout time.Duration
	}{
		"default": {Options{}, 30 * time.Second},
		"short":   {Options{ConsentTimeout: 2 * time.Second}, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			a := NewAgent(test.options)
			if a.Deadline() != 0 {
				t.Error("a deadline before the first check")
			}
			from := tuple("198.51.100.1:1")
			msg := request(t, a.Parameters(), useCandidate())
			accepted(t, a, epoch, from, msg)
			again := epoch.Add(test.timeout / 2)
			accepted(t, a, again, from, msg)
			deadline := a.Deadline()
			if deadline != again.Add(test.timeout) {
				t.Errorf("deadline %v after the last check", deadline.Sub(again))
			}
			if e := a.Expire(deadline - 1); len(e.Removed) > 0 || a.State() != StateCompleted {
				t.Errorf("expired early: %+v", e)
			}
			e := a.Expire(deadline)
			if !slices.Equal(e.Removed, []Tuple{from}) || !e.StateChanged || !e.SelectedChanged || a.State() != StateDisconnected {
				t.Errorf("expiry %+v, state %v", e, a.State())
			}
			if _, ok := a.Selected(); ok || a.Valid(from) || a.Deadline() != 0 {
				t.Error("a tuple outlives its consent")
			}
			if e := a.Expire(deadline.Add(time.Hour)); e.StateChanged || e.SelectedChanged || len(e.Removed) > 0 {
				t.Errorf("disconnected twice: %+v", e)
			}
			r := accepted(t, a, deadline.Add(time.Hour), from, msg)
			if !r.StateChanged || !r.SelectedChanged || !r.TupleAdded || a.State() != StateCompleted {
				t.Errorf("result %+v, state %v after coming back", r, a.State())
			}
		})
	}
}

func TestConsentCanBeDisabled(t *testing.T) {
	a := NewAgent(Options{ConsentTimeout: -1})
	accepted(t, a, epoch, tuple("198.51.100.1:1"), request(t, a.Parameters()))
	if a.Deadline() != 0 {
		t.Error("deadline")
	}
	if e := a.Expire(math.MaxInt64); len(e.Removed) > 0 || a.State() != StateConnected {
		t.Errorf("expiry %+v", e)
	}
}

func TestExpiryPrefersTheTupleCheckedLast(t *testing.T) {
	a := NewAgent(Options{ConsentTimeout: 10 * time.Second})
	msg := request(t, a.Parameters())
	for i, at := range []time.Duration{0, 2 * time.Second, 5 * time.Second, 3 * time.Second} {
		accepted(t, a, epoch.Add(at), tuple(fmt.Sprintf("198.51.100.1:%d", 1+i)), msg)
	}
	e := a.Expire(epoch.Add(12 * time.Second))
	if len(e.Removed) != 2 || !e.SelectedChanged || e.StateChanged || selected(t, a) != tuple("198.51.100.1:3") {
		t.Errorf("expiry %+v, selected %v", e, selected(t, a))
	}
	if a.Deadline() != epoch.Add(13*time.Second) {
		t.Errorf("deadline %v", a.Deadline().Sub(epoch))
	}
}

// A TCP connection that ends takes its tuple with it, at once.
func TestRemovedTupleCarriesNothingMore(t *testing.T) {
	a := NewAgent(Options{})
	overUDP := tuple("198.51.100.1:1")
	first, second := overUDP, tuple("198.51.100.1:2")
	first.Protocol, second.Protocol = TCP, TCP
	accepted(t, a, epoch, overUDP, request(t, a.Parameters()))
	accepted(t, a, epoch+1, second, request(t, a.Parameters()))
	accepted(t, a, epoch+2, first, request(t, a.Parameters(), useCandidate()))
	if selected(t, a) != first {
		t.Fatalf("selected %v", selected(t, a))
	}
	if e := a.Remove(tuple("198.51.100.9:9")); len(e.Removed) > 0 || e.SelectedChanged || e.StateChanged {
		t.Errorf("removing a stranger: %+v", e)
	}
	if e := a.Remove(first); !slices.Equal(e.Removed, []Tuple{first}) || !e.SelectedChanged || e.StateChanged {
		t.Errorf("removing the selected one: %+v", e)
	}
	if a.Valid(first) || selected(t, a) != second {
		t.Errorf("selected %v, want the one checked last", selected(t, a))
	}
	if e := a.Remove(overUDP); len(e.Removed) != 1 || e.SelectedChanged {
		t.Errorf("removing another: %+v", e)
	}
	if e := a.Remove(second); !e.SelectedChanged || !e.StateChanged || a.State() != StateDisconnected || a.Deadline() != 0 {
		t.Errorf("removing the last: %+v, state %v", e, a.State())
	}
	accepted(t, a, epoch+3, overUDP, request(t, a.Parameters()))
	if selected(t, a) != overUDP {
		t.Error("the peer cannot come back")
	}
	a.Close()
	if e := a.Remove(overUDP); len(e.Removed) > 0 {
		t.Errorf("removed from a closed agent: %+v", e)
	}
}

// Both protocols at once: a peer that nominates aggressively (RFC 5245 §8.1.1.2)
// ends up where its own order of preference says, whatever comes first.
func TestProtocolsCompeteByThePeersPriority(t *testing.T) {
	a := NewAgent(Options{})
	overUDP, overTCP := tuple("198.51.100.1:1"), tuple("198.51.100.1:1")
	overTCP.Protocol = TCP
	accepted(t, a, epoch, overTCP, request(t, a.Parameters(), useCandidate(), priority(90<<24)))
	accepted(t, a, epoch+1, overUDP, request(t, a.Parameters(), useCandidate(), priority(126<<24)))
	if selected(t, a) != overUDP {
		t.Error("UDP did not win over TCP, which came first")
	}
	accepted(t, a, epoch+2, overTCP, request(t, a.Parameters(), useCandidate(), priority(90<<24)))
	if selected(t, a) != overUDP {
		t.Error("TCP won over UDP")
	}
	// UDP is blocked from now on.
	late := epoch.Add(quietAfter + 2)
	accepted(t, a, late, overTCP, request(t, a.Parameters(), useCandidate(), priority(90<<24)))
	if selected(t, a) != overTCP {
		t.Error("TCP did not take the place of UDP gone quiet")
	}
	// Equal priorities: not a new mapping of the same address.
	accepted(t, a, late+1, overUDP, request(t, a.Parameters(), useCandidate(), priority(90<<24)))
	if selected(t, a) != overTCP {
		t.Error("another protocol is taken for another mapping")
	}
}

func TestRestartKeepsTheOldCredentialsUntilTheNewOnesAreUsed(t *testing.T) {
	a := NewAgent(Options{})
	before := a.Parameters()
	old, fresh := tuple("198.51.100.1:1"), tuple("198.51.100.1:2")
	accepted(t, a, epoch, old, request(t, before, useCandidate(), priority(900)))
	after := a.Restart()
	if after == before || a.Parameters() != after {
		t.Fatalf("restart gave %+v after %+v", after, before)
	}
	if !slices.Equal(a.Ufrags(), []string{after.UsernameFragment, before.UsernameFragment}) || !a.HasUfrag(before.UsernameFragment) {
		t.Errorf("ufrags %v", a.Ufrags())
	}
	// Media goes on, and so do checks with what the peer had.
	if r := accepted(t, a, epoch.Add(1), old, request(t, before)); r.RetiredUfrag != "" {
		t.Error("retired too early")
	}
	mixed := Parameters{UsernameFragment: before.UsernameFragment, Password: after.Password}
	if r := a.Receive(epoch.Add(2), fresh, request(t, mixed), nil); r.Drop != DropIntegrity {
		t.Errorf("old ufrag with new password: %v", r.Drop)
	}
	if r := a.Receive(epoch.Add(2), fresh, request(t, Parameters{UsernameFragment: after.UsernameFragment}), nil); r.RetiredUfrag != "" || !a.HasUfrag(before.UsernameFragment) {
		t.Error("an unauthenticated check completed the restart")
	}
	// A nomination of the new generation counts more than any of the old one.
	r := accepted(t, a, epoch.Add(3), fresh, request(t, after, useCandidate(), priority(1)))
	if r.RetiredUfrag != before.UsernameFragment || !r.SelectedChanged || r.StateChanged || selected(t, a) != fresh {
		t.Errorf("result %+v, selected %v", r, selected(t, a))
	}
	if a.HasUfrag(before.UsernameFragment) || !slices.Equal(a.Ufrags(), []string{after.UsernameFragment}) {
		t.Errorf("ufrags %v", a.Ufrags())
	}
	if r := a.Receive(epoch.Add(4), old, request(t, before), nil); r.Drop != DropUsername {
		t.Errorf("retired credentials: %v", r.Drop)
	}
	if r := accepted(t, a, epoch.Add(5), fresh, request(t, after)); r.RetiredUfrag != "" {
		t.Error("retired twice")
	}
}

func TestRestartTwiceKeepsWhatIsInUse(t *testing.T) {
	a := NewAgent(Options{})
	first := a.Parameters()
	second := a.Restart()
	third := a.Restart()
	if !slices.Equal(a.Ufrags(), []string{third.UsernameFragment, first.UsernameFragment}) || a.HasUfrag(second.UsernameFragment) {
		t.Errorf("ufrags %v", a.Ufrags())
	}
	accepted(t, a, epoch, tuple("198.51.100.1:1"), request(t, first))
	if r := accepted(t, a, epoch, tuple("198.51.100.1:1"), request(t, third)); r.RetiredUfrag != first.UsernameFragment {
		t.Errorf("retired %q", r.RetiredUfrag)
	}
}

func TestRestartResetsRenomination(t *testing.T) {
	a := NewAgent(Options{})
	old, fresh := tuple("198.51.100.1:1"), tuple("198.51.100.1:2")
	accepted(t, a, epoch, old, request(t, a.Parameters(), number(attrNomination, 9)))
	accepted(t, a, epoch, fresh, request(t, a.Restart(), number(attrNomination, 1)))
	if selected(t, a) != fresh {
		t.Error("the counter of the old generation is still obeyed")
	}
}
