package sfu

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/rtp"
)

func TestScoreFallsWithLoss(t *testing.T) {
	for _, c := range []struct {
		lost, expected int64
		want           uint8
	}{{0, 256, 10}, {1, 256, 9}, {3, 256, 8}, {13, 256, 7}, {26, 256, 5}, {64, 256, 3}, {128, 256, 0}, {256, 256, 0}, {-3, 256, 10}, {1, 0, 10}} {
		if got := scoreOf(c.lost, c.expected); got != c.want {
			t.Errorf("scoreOf(%d of %d) = %d, want %d", c.lost, c.expected, got, c.want)
		}
	}
}

func TestScoresFollowLossThatIsNotRepaired(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	var told []string
	p, err := alice.transport.Produce(ProducerOptions{Kind: ortc.Video, RTPParameters: videoParameters(), Events: ProducerEvents{
		Score: func(list []EncodingScore) { told = append(told, fmt.Sprint("producer ", list)) },
	}})
	if err != nil {
		t.Fatal(err)
	}
	consumer := bob.consume(p, func(o *ConsumerOptions) {
		o.Events.Score = func(s ConsumerScore) { told = append(told, fmt.Sprint("consumer ", s)) }
	})
	if s := consumer.Score(); len(p.Score()) != 0 || s.Score != 10 || s.ProducerScore != 0 || fmt.Sprint(s.ProducerScores) != "[0]" {
		t.Errorf("before anything arrives %v and %v", p.Score(), s)
	}
	seq, lost := uint16(0), int32(0)
	second := func(every uint16, lostByBob int32) {
		for range 100 {
			if seq++; every == 0 || seq%every != 0 {
				alice.sendRTP(videoPacket(seq, 90*uint32(seq), true, seq == 1, 100))
			}
			r.advance(10 * time.Millisecond)
		}
		lost += lostByBob
		bob.take()
		bob.sendRTCP(rtp.AppendRR(nil, 7, []rtp.ReportBlock{{SSRC: consumer.ssrc, TotalLost: lost}}))
		r.settle()
	}
	second(0, 0)
	second(4, 0)  // the sender's uplink loses a quarter
	second(0, 50) // the receiver's downlink loses half
	second(0, 0)
	r.advance(2 * time.Second) // the sender is gone
	for _, want := range []string{
		"producer [{0 1111  10}]", "consumer {10 10 [10]}",
		"producer [{0 1111  3}]", "consumer {10 3 [3]}",
		"consumer {0 10 [10]}",
	} {
		if !slices.Contains(told, want) {
			t.Errorf("told %q, which lacks %q", told, want)
		}
	}
	if last := told[len(told)-1]; last != "consumer {10 0 [0]}" {
		t.Errorf("the last was %q", last)
	}
}

func TestPipeToAClientKnowsTheScoresOfAllEncodings(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	p := alice.produce(ortc.Video, videoParameters())
	pipe := bob.consume(p, func(o *ConsumerOptions) { o.Pipe = true })
	if got := fmt.Sprint(pipe.Score()); got != "{10 10 [0]}" {
		t.Errorf("before anything arrives %s", got)
	}
	for seq := range uint16(150) {
		alice.sendRTP(videoPacket(seq, 90*uint32(seq), true, seq == 0, 100))
		r.advance(10 * time.Millisecond)
	}
	if got := pipe.Score(); got.ProducerScore != 10 || fmt.Sprint(got.ProducerScores) != "[10]" {
		t.Errorf("when it has come %v", got)
	}
}

// Whoever comes late is told no score by a change of the producer's.
func TestALateConsumerKnowsTheScoreOfItsEncoding(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(WebRTCTransportOptions{}), r.connect(WebRTCTransportOptions{})
	p := alice.produce(ortc.Video, videoParameters())
	for seq := range uint16(150) {
		alice.sendRTP(videoPacket(seq, 90*uint32(seq), true, seq == 0, 100))
		r.advance(10 * time.Millisecond)
	}
	late := bob.consume(p, func(o *ConsumerOptions) { o.Paused = true })
	if got := fmt.Sprint(late.Score()); got != "{10 10 [10]}" {
		t.Errorf("of the only encoding %s", got)
	}
}

func TestScoreIsToldWhenAnotherEncodingIsSent(t *testing.T) {
	s := newSimulcast(t)
	second := func(layers ...int) {
		for range 25 {
			s.frame(layers...)
			s.advance(40 * time.Millisecond)
		}
	}
	for range 3 {
		second(0, 1, 2)
	}
	var told []string
	late := s.bob.consume(s.producer, func(o *ConsumerOptions) {
		o.Events.Score = func(score ConsumerScore) { told = append(told, fmt.Sprint(score)) }
	})
	if got := fmt.Sprint(late.Score()); got != "{10 0 [10 10 10]}" {
		t.Errorf("before anything is sent %s", got)
	}
	second(0, 1, 2)
	s.settle()
	if len(told) == 0 || told[len(told)-1] != "{10 10 [10 10 10]}" {
		t.Errorf("once an encoding is sent %q", told)
	}
}
