package takoscall

import (
	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/ortc"
	"github.com/takoserver/takos-call/internal/room"
)

type initMessage struct {
	Type string   `json:"type"`
	Data initData `json:"data"`
}

type initData struct {
	RoomID             string               `json:"roomId"`
	MyPeerID           string               `json:"myPeerId"`
	Peers              []string             `json:"peers"`
	PeerInfos          map[string]peerInfo  `json:"peerInfos"`
	CallType           auth.CallType        `json:"callType"`
	Kind               auth.CallKind        `json:"kind"`
	RouterCapabilities ortc.RTPCapabilities `json:"routerRtpCapabilities"`
	Transport          transportPair        `json:"transport"`
	Producers          []producerInfo       `json:"producers"`
	ICEServers         []ICEServer          `json:"iceServers"`
	Dialect            Dialect              `json:"dialect"`
	Host               bool                 `json:"host"`
	Resumed            bool                 `json:"resumed"`
	ActiveSpeaker      *speakerInfo         `json:"activeSpeaker,omitempty"`
	MyProducers        []producerInfo       `json:"myProducers,omitempty"`
	MyConsumers        []consumerInfo       `json:"myConsumers,omitempty"`
	DataProducers      []dataProducerInfo   `json:"dataProducers,omitempty"`
	MyDataProducers    []dataProducerInfo   `json:"myDataProducers,omitempty"`
	MyDataConsumers    []dataConsumerInfo   `json:"myDataConsumers,omitempty"`
}

type peerInfo struct {
	DisplayName string `json:"displayName"`
	Host        bool   `json:"host"`
}

type transportPair struct {
	Send transportInfo `json:"send"`
	Recv transportInfo `json:"recv"`
}

// transportInfo is what mediasoup-client's createSendTransport takes.
type transportInfo struct {
	ID             string `json:"id"`
	ICEParameters  any    `json:"iceParameters"`
	ICECandidates  any    `json:"iceCandidates"`
	DTLSParameters any    `json:"dtlsParameters"`
	SCTPParameters any    `json:"sctpParameters"`
}

type producerInfo struct {
	ID      string         `json:"id"`
	PeerID  string         `json:"peerId,omitempty"`
	Kind    ortc.MediaKind `json:"kind"`
	Paused  bool           `json:"paused"`
	Source  string         `json:"source,omitempty"`
	AppData any            `json:"appData,omitempty"`
	// WantedSpatialLayer is a *uint8, of the client's own video: nil is told as null.
	WantedSpatialLayer any `json:"wantedSpatialLayer,omitempty"`
}

// speakerInfo is who has the floor, or is heard.
type speakerInfo struct {
	PeerID     string `json:"peerId"`
	ProducerID string `json:"producerId"`
}

func speakerInfoOf(p *room.Producer) speakerInfo { return speakerInfo{p.Peer().ID(), p.ID()} }

type consumerInfo struct {
	ConsumerID string      `json:"consumerId"`
	ProducerID string      `json:"producerId"`
	Layers     *layersInfo `json:"layers,omitempty"` // that come now
}

func (s *session) initMessage(now room.Snapshot, resumed bool) initMessage {
	data := initData{
		RoomID: now.Room.ID(), MyPeerID: s.peer.ID(), CallType: s.grant.CallType, Kind: s.grant.Kind,
		Peers: []string{}, PeerInfos: map[string]peerInfo{}, Producers: []producerInfo{},
		RouterCapabilities: now.Room.RTPCapabilities(),
		Transport:          transportPair{transportInfoOf(s.send), transportInfoOf(s.recv)},
		ICEServers:         s.door.options.ICEServers, Dialect: s.dialect, Host: s.peer.Host(), Resumed: resumed,
	}
	if now.Speaker != nil {
		info := speakerInfoOf(now.Speaker)
		data.ActiveSpeaker = &info
	}
	for _, p := range now.Peers {
		data.addData(p, p.Peer == s.peer, resumed)
		if p.Peer == s.peer {
			if resumed {
				data.addMine(p)
			}
			continue
		}
		data.Peers = append(data.Peers, p.Peer.ID())
		data.PeerInfos[p.Peer.ID()] = peerInfo{p.Peer.DisplayName(), p.Peer.Host()}
		for _, producer := range p.Producers {
			data.Producers = append(data.Producers, producerInfoOf(producer))
		}
	}
	return initMessage{Type: "init", Data: data}
}

// addMine lists what the client had before it lost its connection.
func (d *initData) addMine(p room.PeerSnapshot) {
	for _, producer := range p.Producers {
		info := producerInfoOf(producer)
		info.PeerID = ""
		if info.Kind == ortc.Video {
			info.WantedSpatialLayer = producer.WantedSpatial()
		}
		d.MyProducers = append(d.MyProducers, info)
	}
	for _, c := range p.Consumers {
		info := consumerInfo{ConsumerID: c.ID(), ProducerID: c.ProducerID()}
		if l, sent := c.CurrentLayers(); sent {
			info.Layers = layersInfoOf(&l)
		}
		d.MyConsumers = append(d.MyConsumers, info)
	}
}

func transportInfoOf(t *room.Transport) transportInfo {
	w := t.WebRTC()
	return transportInfo{
		ID: t.ID(), ICEParameters: w.ICEParameters(), ICECandidates: w.ICECandidates(), DTLSParameters: w.DTLSParameters(),
		SCTPParameters: w.SCTPParameters(),
	}
}

func producerInfoOf(p *room.Producer) producerInfo {
	return producerInfo{
		ID: p.ID(), PeerID: p.Peer().ID(), Kind: p.Kind(), Paused: p.Paused(), Source: p.Source(), AppData: p.AppData(),
	}
}
