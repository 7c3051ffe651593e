package mistake

import "encoding/json"

// Media is an object about media that has the right form and is wrong all the
// same.
type Media struct {
	Why    string
	Names  string // what the answer has to name
	Object json.RawMessage
}

// SentAlready are the parameters of a microphone that the client sends on the
// same transport before it makes the mistakes of RTPParameters.
var SentAlready = json.RawMessage(`{"mid":"0","codecs":[` + opus + `],"encodings":[{"ssrc":1111}]}`)

const (
	opus = `{"mimeType":"audio/opus","payloadType":111,"clockRate":48000,"channels":2}`
	vp8  = `{"mimeType":"video/VP8","payloadType":96,"clockRate":90000},{"mimeType":"video/rtx","payloadType":97,"clockRate":90000,"parameters":{"apt":96}}`
	// sdp is what somebody would like to see in another's description.
	sdp = `0\r\na=candidate:1 1 UDP 1 192.0.2.66 9 typ host\r\na=ssrc:1111 cname:mallory`
)

// RTPParameters are mistakes of a client that sends SentAlready.
var RTPParameters = []Media{
	{"an SSRC that is taken", "ssrc 1111", json.RawMessage(`{"mid":"1","codecs":[` + opus + `],"encodings":[{"ssrc":1111}]}`)},
	{"an SSRC that is taken, for RTX", "ssrc 1111", json.RawMessage(`{"mid":"1","codecs":[` + vp8 + `],"encodings":[{"ssrc":2222,"rtx":{"ssrc":1111}}]}`)},
	{"an SSRC twice", "ssrc 2222", json.RawMessage(`{"mid":"1","codecs":[` + vp8 + `],"encodings":[{"ssrc":2222},{"ssrc":2222}]}`)},
	{"an SSRC twice, once for RTX", "ssrc 2222", json.RawMessage(`{"mid":"1","codecs":[` + vp8 + `],"encodings":[{"ssrc":2222,"rtx":{"ssrc":2222}}]}`)},
	{"a RID twice", "rid hi", json.RawMessage(`{"mid":"1","codecs":[` + vp8 + `],"encodings":[{"rid":"hi"},{"rid":"hi"}]}`)},
	{"a MID that is taken", "mid", json.RawMessage(`{"mid":"0","codecs":[` + opus + `],"encodings":[{"ssrc":2222}]}`)},
	{"lines of SDP in the MID", "mid", json.RawMessage(`{"mid":"` + sdp + `","codecs":[` + opus + `],"encodings":[{"ssrc":2222}]}`)},
	{"lines of SDP in the CNAME", "cname", json.RawMessage(`{"mid":"1","codecs":[` + opus + `],"encodings":[{"ssrc":2222}],"rtcp":{"cname":"` + sdp + `"}}`)},
	{"lines of SDP in the RID", "rid", json.RawMessage(`{"mid":"1","codecs":[` + opus + `],"encodings":[{"rid":"` + sdp + `"}]}`)},
	{"lines of SDP in a header extension", "uri", json.RawMessage(`{"mid":"1","codecs":[` + opus + `],"encodings":[{"ssrc":2222}],"headerExtensions":[{"uri":"` + sdp + `","id":1}]}`)},
	{"a line of SDP for a MIME type", "mimeType", json.RawMessage(`{"mid":"1","codecs":[{"mimeType":"a=rtpmap:111 opus/48000/2","payloadType":111,"clockRate":48000}],"encodings":[{"ssrc":2222}]}`)},
	{"lines of SDP behind a MIME type", "mimeType", json.RawMessage(`{"mid":"1","codecs":[{"mimeType":"audio/opus` + sdp + `","payloadType":111,"clockRate":48000}],"encodings":[{"ssrc":2222}]}`)},
	{"a line of SDP for a codec", "codecs", json.RawMessage(`{"mid":"1","codecs":["a=rtpmap:111 opus/48000/2"],"encodings":[{"ssrc":2222}]}`)},
	{"a line of SDP for a payload type", "payloadType", json.RawMessage(`{"mid":"1","codecs":[{"mimeType":"audio/opus","payloadType":"a=rtpmap:111","clockRate":48000}],"encodings":[{"ssrc":2222}]}`)},
	{"a line of SDP for an encoding", "encodings", json.RawMessage(`{"mid":"1","codecs":[` + opus + `],"encodings":["a=ssrc:2222"]}`)},
	{"SDP for everything", "rtpParameters", json.RawMessage(`"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"`)},
}

// DTLSParameters are mistakes of a client that connects.
var DTLSParameters = []Media{
	{"no fingerprint", "fingerprints", json.RawMessage(`{"role":"client","fingerprints":[]}`)},
	{"no list of fingerprints", "fingerprints", json.RawMessage(`{"role":"client"}`)},
	{"an empty fingerprint", "fingerprints", json.RawMessage(`{"role":"client","fingerprints":[{"algorithm":"sha-256","value":""}]}`)},
	{"a line of SDP for a fingerprint", "fingerprints", json.RawMessage(`{"role":"client","fingerprints":[{"algorithm":"sha-256","value":"a=fingerprint:sha-256 00:11"}]}`)},
	{"a hash that nobody knows", "fingerprints", json.RawMessage(`{"role":"client","fingerprints":[{"algorithm":"md2","value":"00:11"}]}`)},
	{"a role that does not exist", "role", json.RawMessage(`{"role":"actpass","fingerprints":[{"algorithm":"sha-256","value":"00:11"}]}`)},
}

// Fingerprint are the DTLS parameters of a client that makes no mistake.
var Fingerprint = json.RawMessage(`{"role":"client","fingerprints":[{"algorithm":"sha-1","value":"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"}]}`)
