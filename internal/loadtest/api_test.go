package loadtest

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	api "github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/config"
	whole "github.com/takoserver/takos-call/internal/server"
)

// dialServer starts a whole server in this process and connects to its
// /takos-api.
func dialServer(t *testing.T) *api.Client {
	t.Helper()
	environment := []string{"PORT=0", "MEDIASOUP_RTC_MIN_PORT=0", "TAKOS_CALL_DATA_DIR=" + t.TempDir(), "TAKOS_CALL_DRAIN_DEADLINE=0s"}
	settings, err := (&config.Sources{Environment: environment, Dir: t.TempDir()}).Load()
	if err != nil {
		t.Fatal(err)
	}
	s, err := whole.New(t.Context(), settings, whole.Build{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	settings.Port = s.Port()
	c, err := api.Dial(withPatience(t), settings.LocalURL(), api.Options{Rooms: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestMeetingOverTheAPI(t *testing.T) {
	c, p := dialServer(t), newPool(t, Options{KernelTime: true})
	room, err := OpenRoom(withPatience(t), c, "meeting", Together)
	if err != nil {
		t.Fatal(err)
	}
	const people = 3
	report, err := p.Run(withPatience(t), Load{
		Senders: people, Receivers: people, Sender: SenderOptions{Audio: true, Video: &Video{}},
		Hears:  func(r, s int) bool { return r != s },
		Warmup: 500 * time.Millisecond, Duration: 500 * time.Millisecond,
		At: func(m Moment) error {
			if m != Begun {
				return nil
			}
			info, err := c.Room(withPatience(t), "meeting")
			if len(info.Peers) != people {
				t.Errorf("%d peers are %d people", len(info.Peers), people)
			}
			return err
		},
	}, room)
	if err != nil {
		t.Fatal(err)
	}
	if !report.Whole(0) || report.Keyframe.Count() != people*(people-1) || report.Latency.Count() == 0 {
		t.Errorf("%s", report)
	}
	if err := room.Close(withPatience(t)); err != nil {
		t.Error(err)
	}
	if rooms, err := c.Rooms(withPatience(t)); err != nil || len(rooms) != 0 {
		t.Errorf("%d rooms are left, %v", len(rooms), err)
	}
}

func TestCallsOverTheAPILeaveNoRoom(t *testing.T) {
	c, p := dialServer(t), newPool(t, Options{})
	report, err := p.RunCalls(withPatience(t), Calls{Count: 4, Sender: SenderOptions{Audio: true, Video: &Video{}}},
		func(ctx context.Context, call int) (Room, error) {
			return OpenRoom(ctx, c, strings.Repeat("x", call+1), Together)
		})
	if err != nil || report.Calls != 4 || report.Faults != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if rooms, err := c.Rooms(withPatience(t)); err != nil || len(rooms) != 0 {
		t.Errorf("%d rooms are left, %v", len(rooms), err)
	}
}

func TestRoomThatIsTakenIsSaid(t *testing.T) {
	c := dialServer(t)
	if _, err := OpenRoom(withPatience(t), c, "taken", Apart); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRoom(withPatience(t), c, "taken", Apart); err == nil || !strings.Contains(err.Error(), string(api.RoomExists)) {
		t.Errorf("got %v", err)
	}
}
