package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/takoserver/takos-call/client"
)

// step is the call of a method, and the command that it stands for.
type step struct {
	command string
	do      func(context.Context) error
}

// only drops the answer of a method.
func only[A any](_ A, err error) error { return err }

// butFor drops a refusal that a method is to come back with.
func butFor(err error, code client.Code) error {
	var refusal *client.Error
	if errors.As(err, &refusal) && refusal.Code == code {
		return nil
	}
	return fmt.Errorf("%w, want %s", err, code)
}

var loopback = client.ListenInfo{Protocol: "udp", IP: "127.0.0.1"}

func TestEachMethodOfObjectsIsCarriedOutByTheServer(t *testing.T) {
	s := build(t, newServer(t, serverSettings{}).dial(t))
	var called []string
	for _, steps := range [][]step{
		s.ofWorker(t), s.ofRouter(t), s.ofTransports(t), s.ofMedia(), s.ofMessages(), s.ofObserver(t), s.ofTheEnd(),
	} {
		for _, step := range steps {
			called = append(called, step.command)
			if err := step.do(within(t)); err != nil {
				t.Errorf("%s: %v", step.command, err)
			}
		}
	}
	slices.Sort(called)
	if want := client.ObjectCommands(t); !cmp.Equal(slices.Compact(called), want) {
		t.Errorf("commands of objects (-) and those called (+):\n%s", cmp.Diff(want, called))
	}
}

func (s *studio) ofWorker(t *testing.T) []step {
	shared := got(s.worker.CreateWebRTCServer(within(t), client.WebRTCServerOptions{ListenInfos: []client.ListenInfo{loopback}}))(t)
	return []step{
		{"worker.create", func(ctx context.Context) error {
			return only(s.CreateWorker(ctx, client.WorkerOptions{LogLevel: "warn"}))
		}},
		{"worker.list", func(ctx context.Context) error { return only(s.Workers(ctx)) }},
		{"worker.attach", func(ctx context.Context) error { return only(s.worker.Attach(ctx)) }},
		{"worker.dump", func(ctx context.Context) error { return only(s.worker.Dump(ctx)) }},
		{"worker.getResourceUsage", func(ctx context.Context) error { return only(s.worker.ResourceUsage(ctx)) }},
		{"worker.updateSettings", func(ctx context.Context) error {
			return s.worker.UpdateSettings(ctx, client.WorkerSettings{LogLevel: "debug", LogTags: []string{"ice"}})
		}},
		{"worker.createRouter", func(ctx context.Context) error { return only(s.worker.CreateRouter(ctx, client.RouterOptions{})) }},
		{"worker.createWebRtcServer", func(ctx context.Context) error { return shared.Close(ctx) }},
		{"webRtcServer.dump", func(ctx context.Context) error {
			again, err := s.worker.CreateWebRTCServer(ctx, client.WebRTCServerOptions{ListenInfos: []client.ListenInfo{loopback}})
			if err != nil {
				return err
			}
			return only(again.Dump(ctx))
		}},
		{"webRtcServer.close", func(ctx context.Context) error {
			dump, err := s.worker.Dump(ctx)
			if err != nil {
				return err
			}
			return s.worker.WebRTCServer(dump.WebRTCServerIDs[0]).Close(ctx)
		}},
	}
}

func (s *studio) ofRouter(t *testing.T) []step {
	ctx := within(t)
	room := got(s.RoomRouter(ctx, openRoom(t, s.Client)))(t)
	other := got(s.worker.CreateRouter(ctx, client.RouterOptions{MediaCodecs: codecs}))(t)
	return []step{
		{"room.getRouter", func(ctx context.Context) error { return only(s.RoomRouter(ctx, "r")) }},
		{"router.attach", func(ctx context.Context) error { return only(room.Attach(ctx)) }},
		{"router.detach", func(ctx context.Context) error { return room.Detach(ctx) }},
		{"router.dump", func(ctx context.Context) error { return only(room.Dump(ctx)) }},
		{"router.updateMediaCodecs", func(ctx context.Context) error { return only(s.router.UpdateMediaCodecs(ctx, codecs[:1])) }},
		{"router.canConsume", func(ctx context.Context) error {
			return only(s.router.CanConsume(ctx, s.producer.ID(), s.router.Info.RTPCapabilities))
		}},
		{"router.pipeToRouter", func(ctx context.Context) error {
			return only(s.router.PipeToRouter(ctx, client.PipeToRouterOptions{ProducerID: s.producer.ID(), ToRouterID: other.ID(), KeepID: new(false)}))
		}},
		{"router.close", other.Close},
	}
}

func (s *studio) ofTransports(t *testing.T) []step {
	ctx := within(t)
	webrtc := got(s.router.CreateWebRTCTransport(ctx, client.WebRTCTransportOptions{EnableSCTP: true}))(t)
	plain := got(s.router.CreatePlainTransport(ctx, client.PlainTransportOptions{ListenInfo: loopback, RTCPMux: new(true)}))(t)
	return []step{
		{"router.createWebRtcTransport", func(ctx context.Context) error {
			return only(s.router.CreateWebRTCTransport(ctx, client.WebRTCTransportOptions{ListenInfos: []client.ListenInfo{loopback}}))
		}},
		{"router.createPlainTransport", func(ctx context.Context) error { return only(plain.Dump(ctx)) }},
		{"router.createPipeTransport", func(ctx context.Context) error {
			return only(s.router.CreatePipeTransport(ctx, client.PipeTransportOptions{ListenInfo: loopback, EnableSRTP: true}))
		}},
		{"router.createDirectTransport", func(ctx context.Context) error {
			return only(s.router.CreateDirectTransport(ctx, client.DirectTransportOptions{AppData: map[string]any{"a": 1}}))
		}},
		{"transport.connect", func(ctx context.Context) error {
			return only(plain.Connect(ctx, client.ConnectOptions{IP: net.IPv4(127, 0, 0, 1).String(), Port: 9}))
		}},
		{"transport.restartIce", func(ctx context.Context) error { return only(webrtc.RestartICE(ctx)) }},
		{"transport.setMaxIncomingBitrate", func(ctx context.Context) error { return webrtc.SetMaxIncomingBitrate(ctx, 1000000) }},
		{"transport.setMaxOutgoingBitrate", func(ctx context.Context) error { return webrtc.SetMaxOutgoingBitrate(ctx, 1000000) }},
		{"transport.setMinOutgoingBitrate", func(ctx context.Context) error { return webrtc.SetMinOutgoingBitrate(ctx, 100000) }},
		{"transport.enableTraceEvent", func(ctx context.Context) error { return webrtc.EnableTraceEvent(ctx, []string{"bwe"}) }},
		{"transport.sendRtcp", func(ctx context.Context) error {
			return s.direct.SendRTCP(ctx, []byte{0x80, 201, 0, 1, 0, 0, 4, 0x57}) // an empty receiver report
		}},
		{"transport.dump", func(ctx context.Context) error { return only(webrtc.Dump(ctx)) }},
		{"transport.getStats", func(ctx context.Context) error { return only(webrtc.Stats(ctx)) }},
		{"transport.produce", func(ctx context.Context) error {
			return only(webrtc.Produce(ctx, client.ProduceOptions{Kind: client.Audio, RTPParameters: sent(t, opus)}))
		}},
		{"transport.consume", func(ctx context.Context) error {
			return only(plain.Consume(ctx, client.ConsumeOptions{ProducerID: s.producer.ID(), RTPCapabilities: s.router.Info.RTPCapabilities}))
		}},
		{"transport.produceData", func(ctx context.Context) error {
			return only(webrtc.ProduceData(ctx, client.ProduceDataOptions{SCTPStreamParameters: &client.SCTPStreamParameters{StreamID: 1}}))
		}},
		{"transport.consumeData", func(ctx context.Context) error {
			return only(webrtc.ConsumeData(ctx, client.ConsumeDataOptions{DataProducerID: s.dataProducer.ID(), Ordered: new(false)}))
		}},
		{"transport.close", webrtc.Close},
	}
}

func (s *studio) ofMedia() []step {
	return []step{
		{"producer.dump", func(ctx context.Context) error { return only(s.producer.Dump(ctx)) }},
		{"producer.getStats", func(ctx context.Context) error { return only(s.producer.Stats(ctx)) }},
		{"producer.pause", s.producer.Pause},
		{"producer.resume", s.producer.Resume},
		{"producer.enableTraceEvent", func(ctx context.Context) error { return s.producer.EnableTraceEvent(ctx, nil) }},
		{"producer.send", func(ctx context.Context) error { return s.producer.Send(ctx, packet(1)) }},
		{"consumer.dump", func(ctx context.Context) error { return only(s.consumer.Dump(ctx)) }},
		{"consumer.getStats", func(ctx context.Context) error { return only(s.consumer.Stats(ctx)) }},
		{"consumer.pause", s.consumer.Pause},
		{"consumer.resume", s.consumer.Resume},
		{"consumer.setPreferredLayers", func(ctx context.Context) error {
			return only(s.consumer.SetPreferredLayers(ctx, client.AllLayers))
		}},
		{"consumer.setPriority", func(ctx context.Context) error { return s.consumer.SetPriority(ctx, 255) }},
		{"consumer.unsetPriority", s.consumer.UnsetPriority},
		{"consumer.requestKeyFrame", s.consumer.RequestKeyFrame},
		{"consumer.enableTraceEvent", func(ctx context.Context) error { return s.consumer.EnableTraceEvent(ctx, []string{"rtp"}) }},
	}
}

func (s *studio) ofMessages() []step {
	return []step{
		{"dataProducer.dump", func(ctx context.Context) error { return only(s.dataProducer.Dump(ctx)) }},
		{"dataProducer.getStats", func(ctx context.Context) error { return only(s.dataProducer.Stats(ctx)) }},
		{"dataProducer.pause", s.dataProducer.Pause},
		{"dataProducer.resume", s.dataProducer.Resume},
		{"dataProducer.send", func(ctx context.Context) error {
			return s.dataProducer.Send(ctx, client.DataProducerMessage{Binary: []byte{1}, Subchannels: []uint16{7}})
		}},
		{"dataConsumer.dump", func(ctx context.Context) error { return only(s.dataConsumer.Dump(ctx)) }},
		{"dataConsumer.getStats", func(ctx context.Context) error { return only(s.dataConsumer.Stats(ctx)) }},
		{"dataConsumer.pause", s.dataConsumer.Pause},
		{"dataConsumer.resume", s.dataConsumer.Resume},
		{"dataConsumer.getBufferedAmount", func(ctx context.Context) error { return only(s.dataConsumer.BufferedAmount(ctx)) }},
		{"dataConsumer.setBufferedAmountLowThreshold", func(ctx context.Context) error {
			return s.dataConsumer.SetBufferedAmountLowThreshold(ctx, 10)
		}},
		{"dataConsumer.send", func(ctx context.Context) error {
			_, err := s.dataConsumer.Send(ctx, client.DataConsumerMessage{Message: new("hello")})
			return butFor(err, client.InvalidState) // on a direct transport the messages come as events
		}},
		{"dataConsumer.setSubchannels", func(ctx context.Context) error { return only(s.dataConsumer.SetSubchannels(ctx, []uint16{})) }},
		{"dataConsumer.addSubchannel", func(ctx context.Context) error { return only(s.dataConsumer.AddSubchannel(ctx, 0)) }},
		{"dataConsumer.removeSubchannel", func(ctx context.Context) error { return only(s.dataConsumer.RemoveSubchannel(ctx, 0)) }},
	}
}

func (s *studio) ofObserver(t *testing.T) []step {
	o := got(s.router.CreateAudioLevelObserver(within(t), client.AudioLevelObserverOptions{Threshold: new(0)}))(t)
	return []step{
		{"router.createActiveSpeakerObserver", func(ctx context.Context) error {
			return only(s.router.CreateActiveSpeakerObserver(ctx, client.ActiveSpeakerObserverOptions{}))
		}},
		{"router.createAudioLevelObserver", func(ctx context.Context) error { return o.Pause(ctx) }},
		{"rtpObserver.addProducer", func(ctx context.Context) error { return o.AddProducer(ctx, s.producer.ID()) }},
		{"rtpObserver.removeProducer", func(ctx context.Context) error { return o.RemoveProducer(ctx, s.producer.ID()) }},
		{"rtpObserver.pause", o.Pause},
		{"rtpObserver.resume", o.Resume},
		{"rtpObserver.close", o.Close},
	}
}

func (s *studio) ofTheEnd() []step {
	return []step{
		{"dataConsumer.close", s.dataConsumer.Close},
		{"dataProducer.close", s.dataProducer.Close},
		{"consumer.close", s.consumer.Close},
		{"producer.close", s.producer.Close},
		{"worker.detach", s.worker.Detach},
		{"worker.close", s.worker.Close},
	}
}
