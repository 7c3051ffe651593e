package sfu

import (
	"math/bits"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// extension is a header extension that the packet path knows.
type extension uint8

const (
	extNone extension = iota
	extMID
	extRID
	extRepairedRID
	extAbsSendTime
	extTransportCC
	// Those from here on are passed on as they came.
	extAudioLevel
	extVideoOrientation
	extTimeOffset
	extAbsCaptureTime
	extPlayoutDelay
	extDependencyDescriptor
	extPacketID
	extCount

	extFirstForwarded = extAudioLevel
)

var extensionOfURI = map[string]extension{
	"urn:ietf:params:rtp-hdrext:sdes:mid":                                                     extMID,
	"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":                                           extRID,
	"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id":                                  extRepairedRID,
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time":                              extAbsSendTime,
	"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01":               extTransportCC,
	"urn:ietf:params:rtp-hdrext:ssrc-audio-level":                                             extAudioLevel,
	"urn:3gpp:video-orientation":                                                              extVideoOrientation,
	"urn:ietf:params:rtp-hdrext:toffset":                                                      extTimeOffset,
	"http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time":                           extAbsCaptureTime,
	"http://www.webrtc.org/experiments/rtp-hdrext/playout-delay":                              extPlayoutDelay,
	"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": extDependencyDescriptor,
	ortc.URIPacketID: extPacketID,
}

// extensionIDs is the id of each extension on one side; 0 where it is not
// negotiated.
type extensionIDs [extCount]uint8

func extensionIDsOf(list []ortc.RTPHeaderExtensionParameters) (ids extensionIDs) {
	for _, e := range list {
		ids[extensionOfURI[e.URI]] = e.ID
	}
	ids[extNone] = 0
	return ids
}

// extensionByID is the reverse of extensionIDs.
type extensionByID [256]extension

// add notes the ids of one sender.
func (x *extensionByID) add(ids *extensionIDs) {
	for e, id := range ids {
		if id != 0 {
			x[id] = extension(e)
		}
	}
}

// forwarded are the extensions that are passed on as they came, as a set.
const forwarded = (1<<extCount - 1) &^ (1<<extFirstForwarded - 1)

// elements are the header extensions of one packet. They point into it.
type elements struct {
	present uint16 // the set of those that have data
	data    [extCount][]byte
}

// read finds the elements of packet, which h was parsed from.
func (e *elements) read(h *rtp.Header, packet []byte, known *extensionByID) {
	e.present = 0
	if !h.HasExtension {
		return
	}
	r := h.Extensions(packet)
	for {
		id, data, ok := r.Next()
		if !ok {
			return
		}
		if x := known[id]; x != extNone && len(data) > 0 {
			e.data[x] = data
			e.present |= 1 << x
		}
	}
}

// get returns the data of x, empty if the packet has none.
func (e *elements) get(x extension) []byte {
	if e.present&(1<<x) == 0 {
		return nil
	}
	return e.data[x]
}

// takeForwarded makes e what is passed on of all. Nearly always that is one
// element or none, so only those are copied.
func (e *elements) takeForwarded(all *elements) {
	e.present = all.present & forwarded
	for set := e.present; set != 0; set &= set - 1 {
		x := bits.TrailingZeros16(set)
		e.data[x] = all.data[x]
	}
}
