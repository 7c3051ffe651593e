package ortc

// URIs of the header extensions that a router knows.
const (
	URIMID                  = "urn:ietf:params:rtp-hdrext:sdes:mid"
	URIRTPStreamID          = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	URIRepairedRTPStreamID  = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	URIAbsSendTime          = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	URITransportWideCC      = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	URIAudioLevel           = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	URIDependencyDescriptor = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
	URIVideoOrientation     = "urn:3gpp:video-orientation"
	URITransmissionOffset   = "urn:ietf:params:rtp-hdrext:toffset"
	URIAbsCaptureTime       = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
	URIPlayoutDelay         = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
	URIPacketID             = "urn:mediasoup:params:rtp-hdrext:packet-id"
)

// Directions of a router's header extensions, seen from the router.
const (
	DirectionSendRecv = "sendrecv"
	DirectionSendOnly = "sendonly"
	DirectionRecvOnly = "recvonly"
	DirectionInactive = "inactive"
)

// SupportedRTPCapabilities returns every codec and header extension that a
// router can be made with. Codecs whose payload type is not fixed by RFC 3551
// have none.
func SupportedRTPCapabilities() RTPCapabilities {
	return RTPCapabilities{
		Codecs:           append(supportedAudio(), supportedVideo()...),
		HeaderExtensions: supportedExtensions(),
	}
}

func supportedAudio() []RTPCodecCapability {
	nack, transportCC := RTCPFeedback{Type: "nack"}, RTCPFeedback{Type: "transport-cc"}
	codecs := []RTPCodecCapability{
		audioCodec("opus", 48000, 2, nack, transportCC),
		surround(4, "0,1,2,3", 2, 2),
		surround(6, "0,4,1,2,3,5", 4, 2),
		surround(8, "0,6,1,2,3,4,5,7", 5, 3),
		fixed(0, audioCodec("PCMU", 8000, 1, transportCC)),
		fixed(8, audioCodec("PCMA", 8000, 1, transportCC)),
		audioCodec("ISAC", 32000, 1, transportCC),
		audioCodec("ISAC", 16000, 1, transportCC),
		fixed(9, audioCodec("G722", 8000, 1, transportCC)),
		audioCodec("iLBC", 8000, 1, transportCC),
	}
	for _, clockHz := range []uint32{24000, 16000, 12000, 8000} {
		codecs = append(codecs, audioCodec("SILK", clockHz, 1, transportCC))
	}
	for _, clockHz := range []uint32{32000, 16000, 8000} {
		codecs = append(codecs, fixed(13, audioCodec("CN", clockHz, 1)))
	}
	for _, clockHz := range []uint32{48000, 32000, 16000, 8000} {
		codecs = append(codecs, audioCodec("telephone-event", clockHz, 1))
	}
	// Not mediasoup's: Opus with earlier packets repeated; see red.go.
	return append(codecs, audioCodec("red", 48000, 2, transportCC))
}

func supportedVideo() []RTPCodecCapability {
	h264 := videoCodec("H264")
	h264.Parameters["level-asymmetry-allowed"] = 1.0
	return []RTPCodecCapability{
		videoCodec("VP8"), videoCodec("VP9"), h264, videoCodec("AV1"),
		videoCodec("H265"), // not mediasoup's; RFC 7798
	}
}

func audioCodec(name string, clockHz uint32, channels uint8, feedback ...RTCPFeedback) RTPCodecCapability {
	return RTPCodecCapability{
		Kind:         Audio,
		MimeType:     "audio/" + name,
		ClockRate:    clockHz,
		Channels:     channels,
		Parameters:   CodecParameters{},
		RTCPFeedback: present(feedback),
	}
}

// surround is Opus with more than two channels, as libwebrtc maps them onto
// mono and coupled (stereo) streams (after RFC 7845 §5.1.1).
func surround(channels uint8, mapping string, streams, coupled int) RTPCodecCapability {
	c := audioCodec("multiopus", 48000, channels,
		RTCPFeedback{Type: "nack"}, RTCPFeedback{Type: "transport-cc"})
	c.Parameters = CodecParameters{
		"channel_mapping": mapping,
		"num_streams":     float64(streams),
		"coupled_streams": float64(coupled),
	}
	return c
}

// fixed gives a codec the payload type that RFC 3551 §6 assigns to it.
func fixed(payloadType uint8, c RTPCodecCapability) RTPCodecCapability {
	c.PreferredPayloadType = &payloadType
	return c
}

func videoCodec(name string) RTPCodecCapability {
	return RTPCodecCapability{
		Kind:       Video,
		MimeType:   "video/" + name,
		ClockRate:  90000,
		Parameters: CodecParameters{},
		RTCPFeedback: []RTCPFeedback{
			{Type: "nack"},
			{Type: "nack", Parameter: "pli"},
			{Type: "ccm", Parameter: "fir"},
			{Type: "goog-remb"},
			{Type: "transport-cc"},
		},
	}
}

// extensionTable lists the header extensions by id. An empty direction means
// that the extension does not exist for that kind.
var extensionTable = []struct {
	id           uint8
	uri          string
	audio, video string
}{
	{1, URIMID, DirectionSendRecv, DirectionSendRecv},
	{2, URIRTPStreamID, "", DirectionRecvOnly},
	{3, URIRepairedRTPStreamID, "", DirectionRecvOnly},
	{4, URIAbsSendTime, DirectionSendRecv, DirectionSendRecv},
	// Audio alone gives a poor estimate towards a receiver, so there it is only
	// taken from senders.
	{5, URITransportWideCC, DirectionRecvOnly, DirectionSendRecv},
	{6, URIAudioLevel, DirectionSendRecv, ""},
	// Towards receivers too, unlike mediasoup's: Chromium shows AV1 with
	// spatial layers only with it, and end-to-end encrypted layers need it.
	{7, URIDependencyDescriptor, "", DirectionSendRecv},
	{8, URIVideoOrientation, "", DirectionSendRecv},
	{9, URITransmissionOffset, "", DirectionSendRecv},
	{10, URIAbsCaptureTime, DirectionSendRecv, DirectionSendRecv},
	{11, URIPlayoutDelay, DirectionSendRecv, DirectionSendRecv},
	{12, URIPacketID, DirectionSendRecv, DirectionSendRecv},
}

func supportedExtensions() []RTPHeaderExtension {
	var extensions []RTPHeaderExtension
	for _, row := range extensionTable {
		for _, side := range []struct {
			kind      MediaKind
			direction string
		}{{Audio, row.audio}, {Video, row.video}} {
			if side.direction != "" {
				extensions = append(extensions, RTPHeaderExtension{
					Kind: side.kind, URI: row.uri, PreferredID: row.id, Direction: side.direction,
				})
			}
		}
	}
	return extensions
}

// supportsExtension reports whether a router knows the header extension.
func supportsExtension(uri string) bool {
	for i := range extensionTable {
		if extensionTable[i].uri == uri {
			return true
		}
	}
	return false
}
