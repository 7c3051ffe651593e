package takosapi

import "github.com/takoserver/takos-call/internal/sfu"

var rtpObserverCommands = []command{
	define("rtpObserver.close", "Closes an observer.", closeObserver, rtpObserverErrors...),
	define("rtpObserver.pause", "Has an observer look no more.", pauseObserver, rtpObserverErrors...),
	define("rtpObserver.resume", "Has it look again.", resumeObserver, rtpObserverErrors...),
	define("rtpObserver.addProducer", "Has an observer look at an audio producer of the router.", addToObserver,
		append(rtpObserverErrors, ProducerNotFound, InvalidMedia)...),
	define("rtpObserver.removeProducer", "Has it not look at the producer any more.", removeFromObserver, append(rtpObserverErrors, ProducerNotFound)...),
}

var rtpObserverErrors = []Code{RouterNotFound, RTPObserverNotFound}

func (c *caller) rtpObserver(ref rtpObserverRef) (*sfu.RTPObserver, error) {
	return find(c, ref.routerRef, RTPObserverNotFound, "observer", ref.RTPObserverID, (*sfu.Router).RTPObserver)
}

// withObserver makes a handler of what an observer can do by itself.
func withObserver(do func(*sfu.RTPObserver)) func(*caller, *rtpObserverRef) (none, error) {
	return func(c *caller, q *rtpObserverRef) (none, error) {
		o, err := c.rtpObserver(*q)
		if err == nil {
			do(o)
		}
		return none{}, err
	}
}

var (
	closeObserver  = withObserver((*sfu.RTPObserver).Close)
	pauseObserver  = withObserver((*sfu.RTPObserver).Pause)
	resumeObserver = withObserver((*sfu.RTPObserver).Resume)
)

type observedRequest struct {
	rtpObserverRef
	ProducerID string `json:"producerId" check:"id" doc:"of audio, in the same router"`
}

func addToObserver(c *caller, q *observedRequest) (none, error) {
	o, err := c.rtpObserver(q.rtpObserverRef)
	if err != nil {
		return none{}, err
	}
	return none{}, o.AddProducer(q.ProducerID)
}

func removeFromObserver(c *caller, q *observedRequest) (none, error) {
	o, err := c.rtpObserver(q.rtpObserverRef)
	if err != nil {
		return none{}, err
	}
	return none{}, o.RemoveProducer(q.ProducerID)
}

func rtpObserverInfo(o *sfu.RTPObserver) RTPObserverInfo {
	return RTPObserverInfo{ID: o.ID(), Type: o.Type(), Paused: o.Paused(), AppData: o.AppData()}
}
