package takoscall

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/signal"
)

func TestErrorsAreCountedAsWhatTheyAre(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Code
	}{
		{&signal.FieldError{Missing: true}, MissingField},
		{&signal.FieldError{}, InvalidField},
		{&room.Error{Kind: room.ProducerNotFound}, NotFound},
		{fmt.Errorf("join: %w", &room.Error{Kind: room.RoomFull}), RoomFull},
		{&room.Error{Kind: room.NotHost}, Forbidden},
		{&ortc.Error{Kind: ortc.UnsupportedError}, Unsupported},
		{&ortc.Error{Kind: ortc.InvalidState}, InvalidState},
		{&protocolError{Forbidden, "no"}, Forbidden},
		{errors.New("the disk is full"), Internal},
	} {
		if got := codeOf(test.err); got != test.want {
			t.Errorf("%T %v: %s, want %s", test.err, test.err, got, test.want)
		}
	}
}

func TestEveryKindOfErrorHasACodeThatIsCounted(t *testing.T) {
	counters := newErrorCounters()
	for kind := room.RoomNotFound; kind <= room.Draining; kind++ {
		if code := codeOf(&room.Error{Kind: kind}); counters[code] == nil {
			t.Errorf("kind %d of room: %q is not counted", kind, code)
		}
	}
	for _, kind := range []ortc.ErrorKind{ortc.TypeError, ortc.UnsupportedError, ortc.InvalidState} {
		if code := codeOf(&ortc.Error{Kind: kind}); counters[code] == nil {
			t.Errorf("kind %v of ortc: %q is not counted", kind, code)
		}
	}
}

func TestOnlyWhatHappenedIsReported(t *testing.T) {
	counters := newErrorCounters()
	counters[RoomFull].Add(2)
	if got := counters.read(); len(got) != 1 || got[RoomFull] != 2 {
		t.Errorf("counted %v", got)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(codes)))) != len(codes) {
		t.Error("a code is in the list twice")
	}
}
