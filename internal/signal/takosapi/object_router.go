package takosapi

import (
	"encoding/json"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/sfu"
)

var routerCommands = []command{
	reads(define("room.getRouter", "Takes hold of the router of a room: all that the commands of routers can do, they can do with it.", roomRouter, RoomNotFound)),
	define("router.close", "Closes a router and all that is in it. A room's is closed with its room.", closeRouter, RouterNotFound, InvalidState),
	reads(define("router.attach", "Has this connection get the events of a router, and describes all that is in it: for the router of a room. Those of a worker come with the worker's.",
		attachRouter, NeedsConnection, RouterNotFound)),
	reads(define("router.detach", "Has this connection get no more events of a router.", detachRouter, NeedsConnection, RouterNotFound)),
	reads(define("router.dump", "Lists what is in a router and what belongs together.", dumpRouter, RouterNotFound)),
	define("router.updateMediaCodecs", "Replaces the codecs that may be sent from now on; what is sent already goes on.", updateMediaCodecs,
		RouterNotFound, InvalidMedia, Unsupported),
	reads(define("router.canConsume", "Tells whether a device could decode a producer.", canConsume, RouterNotFound)),
	creates(define("router.createActiveSpeakerObserver", "Makes an observer that tells who has the floor among the producers given to it.", createActiveSpeakerObserver,
		RouterNotFound, InvalidMedia)),
	creates(define("router.createAudioLevelObserver", "Makes an observer that tells who is heard among the producers given to it.", createAudioLevelObserver,
		RouterNotFound, InvalidMedia)),
}

func roomRouter(c *caller, q *roomRef) (RouterInfo, error) {
	r, err := c.room(q.RoomID)
	if err != nil {
		return RouterInfo{}, err
	}
	return routerInfo(foundRouter{Router: r.Router(), ofRoom: r}), nil
}

func closeRouter(c *caller, q *routerRef) (none, error) {
	r, err := c.router(*q)
	switch {
	case err != nil:
		return none{}, err
	case r.ofRoom != nil:
		return none{}, errorf(InvalidState, "router %q belongs to room %q; close that", r.ID(), r.ofRoom.ID())
	}
	r.ofWorker.Worker().CloseRouter(r.ofWorker)
	return none{}, nil
}

func attachRouter(c *caller, q *routerRef) (RouterSnapshot, error) {
	r, err := c.router(*q)
	if err != nil {
		return RouterSnapshot{}, err
	}
	if c.session == nil {
		return RouterSnapshot{}, errorf(NeedsConnection, "router.attach needs a WebSocket, over which events could come")
	}
	c.session.attachRouter(r.Router)
	return routerSnapshot(r), nil
}

func detachRouter(c *caller, q *routerRef) (none, error) {
	r, err := c.router(*q)
	if err != nil {
		return none{}, err
	}
	if c.session == nil {
		return none{}, errorf(NeedsConnection, "router.detach needs the WebSocket that is attached")
	}
	c.session.detach(r.ID(), true)
	return none{}, nil
}

type updateMediaCodecsRequest struct {
	routerRef
	MediaCodecs []ortc.RTPCodecCapability `json:"mediaCodecs" check:"required,max=100" doc:"what may be sent, preferred first"`
}

// Capabilities is the answer of router.updateMediaCodecs.
type Capabilities struct {
	RTPCapabilities ortc.RTPCapabilities `json:"rtpCapabilities" doc:"those of the router from now on"`
}

func updateMediaCodecs(c *caller, q *updateMediaCodecsRequest) (Capabilities, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return Capabilities{}, err
	}
	if err := r.UpdateMediaCodecs(q.MediaCodecs); err != nil {
		return Capabilities{}, err
	}
	return Capabilities{r.RTPCapabilities()}, nil
}

type canConsumeRequest struct {
	routerRef
	ProducerID      string               `json:"producerId" check:"id" doc:"where the media would come from"`
	RTPCapabilities ortc.RTPCapabilities `json:"rtpCapabilities" check:"required" doc:"of the device"`
}

// CanConsume is the answer of router.canConsume.
type CanConsume struct {
	CanConsume bool `json:"canConsume" doc:"false also where there is no such producer"`
}

func canConsume(c *caller, q *canConsumeRequest) (CanConsume, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return CanConsume{}, err
	}
	return CanConsume{r.CanConsume(q.ProducerID, q.RTPCapabilities)}, nil
}

type activeSpeakerRequest struct {
	routerRef
	Interval *int            `json:"interval" check:"min=100,max=60000" doc:"ms between two looks; default 300"`
	AppData  json.RawMessage `json:"appData" doc:"anything; it comes back in RTPObserverInfo"`
}

func createActiveSpeakerObserver(c *caller, q *activeSpeakerRequest) (RTPObserverInfo, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return RTPObserverInfo{}, err
	}
	o, err := r.NewActiveSpeakerObserver(sfu.ActiveSpeakerObserverOptions{Interval: milliseconds(q.Interval), AppData: appData(q.AppData)})
	if err != nil {
		return RTPObserverInfo{}, err
	}
	return rtpObserverInfo(&o.RTPObserver), nil
}

type audioLevelRequest struct {
	routerRef
	MaxEntries *int            `json:"maxEntries" check:"min=1,max=1000" doc:"the most that are told at once; default 1"`
	Threshold  *int            `json:"threshold" check:"min=-127,max=0" doc:"dBov from which somebody is heard; default -80"`
	Interval   *int            `json:"interval" check:"min=250,max=60000" doc:"ms between two looks; default 1000"`
	AppData    json.RawMessage `json:"appData" doc:"anything; it comes back in RTPObserverInfo"`
}

func createAudioLevelObserver(c *caller, q *audioLevelRequest) (RTPObserverInfo, error) {
	r, err := c.router(q.routerRef)
	if err != nil {
		return RTPObserverInfo{}, err
	}
	options := sfu.AudioLevelObserverOptions{Interval: milliseconds(q.Interval), Threshold: q.Threshold, AppData: appData(q.AppData)}
	if q.MaxEntries != nil {
		options.MaxEntries = *q.MaxEntries
	}
	o, err := r.NewAudioLevelObserver(options)
	if err != nil {
		return RTPObserverInfo{}, err
	}
	return rtpObserverInfo(&o.RTPObserver), nil
}

func dumpRouter(c *caller, q *routerRef) (sfu.RouterDump, error) {
	r, err := c.router(*q)
	if err != nil {
		return sfu.RouterDump{}, err
	}
	return r.Dump(), nil
}
