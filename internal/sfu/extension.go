package sfu

import "github.com/takoserver/takos-call/internal/ortc"

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

// of returns the extension that has the given id.
func (ids *extensionIDs) of(id uint8) extension {
	for e, other := range ids {
		if other == id {
			return extension(e)
		}
	}
	return extNone
}
