package sfu

import (
	"errors"
	"strings"
	"testing"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

// demuxProducer is a producer of VP8 (96, RTX 97) that announced the encodings.
func demuxProducer(id, mid string, encodings ...encoding) *Producer {
	p := &Producer{id: id, kind: ortc.Video, encodings: encodings, params: ortc.RTPParameters{MID: mid}}
	p.codecs[96] = payloadCodec{use: payloadMedia, clockHz: 90000}
	p.codecs[97] = payloadCodec{use: payloadRTX, mapped: 96, clockHz: 90000}
	return p
}

// names are the header extensions of a packet that say whose it is.
func names(mid, rid, repaired string) (ext elements) {
	for x, s := range map[extension]string{extMID: mid, extRID: rid, extRepairedRID: repaired} {
		if s != "" {
			ext.data[x] = []byte(s)
			ext.present |= 1 << x
		}
	}
	return ext
}

func TestStreamOfAnUnknownSSRCIsFound(t *testing.T) {
	single := func() *Producer { return demuxProducer("single", "0", encoding{ssrc: 1, rtxSSRC: 2}) }
	other := func() *Producer { return demuxProducer("other", "1", encoding{ssrc: 3, rtxSSRC: 4}) }
	simulcast := func() *Producer {
		return demuxProducer("simulcast", "2", encoding{rid: "lo"}, encoding{rid: "hi"})
	}
	unnamed := func() *Producer { return demuxProducer("unnamed", "3", encoding{}) }
	for _, c := range []struct {
		what           string
		producers      []*Producer
		ssrc           uint32
		pt             uint8
		mid, rid, rrid string
		want           string // producer and index of the encoding; "" for none
		rtx            bool
	}{
		{"announced", []*Producer{single(), other()}, 3, 96, "", "", "", "other 0", false},
		{"announced RTX", []*Producer{single(), other()}, 4, 97, "", "", "", "other 0", true},
		{"media announced as RTX", []*Producer{single(), other()}, 4, 96, "", "", "", "", false},
		{"announced, though another would take its payload type", []*Producer{unnamed(), other()}, 3, 96, "", "", "", "other 0", false},
		{"announced, whatever its MID", []*Producer{single(), other()}, 3, 96, "0", "", "", "other 0", false},
		{"by MID, after the browser changed its SSRC", []*Producer{single(), other()}, 99, 96, "1", "", "", "other 0", false},
		{"RTX by MID", []*Producer{single(), other()}, 98, 97, "1", "", "", "other 0", true},
		{"by MID and RID", []*Producer{single(), simulcast()}, 99, 96, "2", "hi", "", "simulcast 1", false},
		{"by RID alone", []*Producer{single(), simulcast()}, 99, 96, "", "lo", "", "simulcast 0", false},
		{"RTX by the RID repaired", []*Producer{single(), simulcast()}, 99, 97, "2", "", "hi", "simulcast 1", true},
		{"unknown RID", []*Producer{simulcast()}, 99, 96, "2", "mid", "", "", false},
		{"RID of another MID", []*Producer{simulcast()}, 99, 96, "7", "hi", "", "", false},
		{"simulcast without RID", []*Producer{simulcast()}, 99, 96, "2", "", "", "", false},
		{"unknown MID", []*Producer{single(), other()}, 99, 96, "9", "", "", "", false},
		{"nothing but a payload type", []*Producer{single(), unnamed()}, 99, 96, "", "", "", "unnamed 0", false},
		{"nothing but a payload type that two have", []*Producer{demuxProducer("a", "5", encoding{}), unnamed()}, 99, 96, "", "", "", "", false},
		{"unknown payload type", []*Producer{single(), unnamed()}, 1, 111, "0", "", "", "", false},
		{"SSRC 0", []*Producer{simulcast()}, 0, 96, "", "", "", "", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			d := newDemux()
			for _, p := range c.producers {
				if err := d.add(p); err != nil {
					t.Fatal(err)
				}
			}
			ext := names(c.mid, c.rid, c.rrid)
			s := d.learn(rewriteStart, &rtp.Header{SSRC: c.ssrc, PayloadType: c.pt}, &ext)
			got := ""
			if s != nil {
				got = s.producer.id + " " + string(rune('0'+s.encoding))
			}
			if got != c.want {
				t.Fatalf("found %q, want %q", got, c.want)
			}
			if s != nil && (s.rtx != c.rtx || d.streams[c.ssrc] != s) {
				t.Errorf("RTX %v; by SSRC it is %v", s.rtx, d.streams[c.ssrc])
			}
		})
	}
}

func TestChangedSSRCReplacesTheStream(t *testing.T) {
	d := newDemux()
	p := demuxProducer("p", "0", encoding{ssrc: 1})
	if err := d.add(p); err != nil {
		t.Fatal(err)
	}
	ext := names("0", "", "")
	first := d.learn(rewriteStart, &rtp.Header{SSRC: 1, PayloadType: 96}, &ext)
	if early := d.learn(rewriteStart.Add(minStreamAge-1), &rtp.Header{SSRC: 7, PayloadType: 96}, &ext); early != nil || d.streams[1] != first {
		t.Errorf("a stream just begun was replaced by %v", early)
	}
	second := d.learn(rewriteStart.Add(minStreamAge), &rtp.Header{SSRC: 7, PayloadType: 96}, &ext)
	if d.streams[1] != nil || d.streams[7] != second || p.encodings[0].stream != second || first == second {
		t.Errorf("streams are %v", d.streams)
	}
	d.end(first) // a late BYE
	if p.encodings[0].stream != second || d.streams[7] != second {
		t.Error("the end of the old stream ended the new one")
	}
	d.end(second)
	if p.encodings[0].stream != nil || len(d.streams) != 0 {
		t.Error("the end of the stream left it there")
	}
	d.end(nil)
}

func TestProducersThatCannotBeToldApartAreRefused(t *testing.T) {
	for _, c := range []struct {
		what       string
		have, want *Producer
		message    string
	}{
		{"MID", demuxProducer("a", "0", encoding{ssrc: 1}), demuxProducer("b", "0", encoding{ssrc: 2}), "rtpParameters.mid"},
		{"SSRC", demuxProducer("a", "0", encoding{ssrc: 1}), demuxProducer("b", "1", encoding{ssrc: 1}), "ssrc 1"},
		{"RTX SSRC", demuxProducer("a", "0", encoding{ssrc: 1, rtxSSRC: 2}), demuxProducer("b", "1", encoding{ssrc: 2}), "ssrc 2"},
		{"RID without MID", demuxProducer("a", "", encoding{rid: "lo"}), demuxProducer("b", "", encoding{rid: "lo"}), `rid "lo"`},
	} {
		t.Run(c.what, func(t *testing.T) {
			d := newDemux()
			if err := d.add(c.have); err != nil {
				t.Fatal(err)
			}
			err := d.add(c.want)
			var wrong *ortc.Error
			if !errors.As(err, &wrong) || wrong.Kind != ortc.TypeError || !strings.Contains(err.Error(), c.message) || !strings.Contains(err.Error(), `"a"`) {
				t.Errorf("error %v, want a TypeError that names %s and the producer", err, c.message)
			}
			if len(d.producers) != 1 {
				t.Errorf("%d producers", len(d.producers))
			}
		})
	}
	d := newDemux()
	for _, p := range []*Producer{
		demuxProducer("a", "0", encoding{rid: "lo"}), demuxProducer("b", "1", encoding{rid: "lo"}),
		demuxProducer("c", "2", encoding{}), demuxProducer("d", "3", encoding{}),
	} {
		if err := d.add(p); err != nil {
			t.Errorf("producer %s: %v", p.id, err)
		}
	}
}

func TestAnnouncedSSRCEndsAGuess(t *testing.T) {
	d := newDemux()
	guessed, announced := demuxProducer("guessed", "0", encoding{}), demuxProducer("announced", "1", encoding{ssrc: 5})
	if err := d.add(guessed); err != nil {
		t.Fatal(err)
	}
	ext := names("", "", "")
	h := &rtp.Header{SSRC: 5, PayloadType: 96}
	if s := d.learn(rewriteStart, h, &ext); s == nil || s.producer != guessed {
		t.Fatalf("found %v", s)
	}
	if err := d.add(announced); err != nil {
		t.Fatal(err)
	}
	if d.streams[5] != nil {
		t.Fatal("the packets still go to the producer that was guessed")
	}
	if s := d.learn(rewriteStart, h, &ext); s == nil || s.producer != announced {
		t.Errorf("found %v", s)
	}
}

func TestRemovedProducerLeavesNothing(t *testing.T) {
	d := newDemux()
	a, b := demuxProducer("a", "0", encoding{ssrc: 1, rtxSSRC: 2}), demuxProducer("b", "1", encoding{ssrc: 3})
	for _, p := range []*Producer{a, b} {
		if err := d.add(p); err != nil {
			t.Fatal(err)
		}
	}
	ext := names("", "", "")
	for _, h := range []rtp.Header{{SSRC: 1, PayloadType: 96}, {SSRC: 2, PayloadType: 97}, {SSRC: 3, PayloadType: 96}} {
		if d.learn(rewriteStart, &h, &ext) == nil {
			t.Fatalf("SSRC %d was not found", h.SSRC)
		}
	}
	d.remove(a)
	if len(d.producers) != 1 || len(d.streams) != 1 || d.streams[3] == nil {
		t.Errorf("%d producers and %d streams are left", len(d.producers), len(d.streams))
	}
	if d.learn(rewriteStart, &rtp.Header{SSRC: 1, PayloadType: 96}, &ext) != nil {
		t.Error("packets of the removed producer still find it")
	}
}
