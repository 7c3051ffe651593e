package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	api "github.com/takoserver/takos-call/client"
	"github.com/takoserver/takos-call/internal/ortc"
)

// APIRoom is a room of a server that is driven over /takos-api. It is a
// Signalling; peers come into the room when their signalling is asked for.
type APIRoom struct {
	// Constant after OpenRoom.
	client       *api.Client
	id           string
	peers        Peers
	capabilities json.RawMessage

	mu    sync.Mutex
	added map[string]chan struct{} // by peer: closed when it is in the room, or cannot be
}

// Peers says who is who in a room.
type Peers int

// The ways.
const (
	// Apart makes every sender and every receiver a peer.
	Apart Peers = iota
	// Together makes the i-th sender and the i-th receiver one peer.
	Together
)

// OpenRoom makes a room. Close it.
func OpenRoom(ctx context.Context, c *api.Client, id string, p Peers) (*APIRoom, error) {
	if _, err := c.CreateRoom(ctx, id, api.RoomOptions{}); err != nil {
		return nil, err
	}
	r := &APIRoom{client: c, id: id, peers: p, added: map[string]chan struct{}{}}
	var err error
	if r.capabilities, err = c.RouterRTPCapabilities(ctx, id); err != nil {
		return nil, errors.Join(err, r.Close(ctx))
	}
	return r, nil
}

// Close closes the room and whatever is left in it.
func (r *APIRoom) Close(ctx context.Context) error { return r.client.CloseRoom(ctx, r.id) }

// Sender implements Signalling.
func (r *APIRoom) Sender(ctx context.Context, i int) (SendSignalling, error) {
	return r.peer(ctx, "sender", i)
}

// Receiver implements Signalling.
func (r *APIRoom) Receiver(ctx context.Context, i int) (ReceiveSignalling, error) {
	return r.peer(ctx, "receiver", i)
}

// peer returns the i-th of its role, who is added for the first who asks.
func (r *APIRoom) peer(ctx context.Context, role string, i int) (*apiPeer, error) {
	if r.peers == Together {
		role = "peer"
	}
	p := &apiPeer{room: r, id: role + "-" + strconv.Itoa(i)}
	r.mu.Lock()
	added, known := r.added[p.id]
	if !known {
		added = make(chan struct{})
		r.added[p.id] = added
	}
	r.mu.Unlock()
	if !known {
		defer close(added)
		_, err := r.client.AddPeer(ctx, r.id, p.id, api.PeerOptions{})
		return p, err
	}
	select {
	case <-added: // if it failed, so will what the peer does
		return p, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// apiPeer implements SendSignalling and ReceiveSignalling.
type apiPeer struct {
	room *APIRoom
	id   string
}

// CreateTransport implements TransportSignalling.
func (p *apiPeer) CreateTransport(ctx context.Context, d Direction) (TransportInfo, error) {
	info, err := p.room.client.CreateTransport(ctx, p.room.id, p.id, api.Direction(d), api.TransportOptions{})
	if err != nil {
		return TransportInfo{}, err
	}
	return recode[TransportInfo](info)
}

// ConnectTransport implements TransportSignalling.
func (p *apiPeer) ConnectTransport(ctx context.Context, transportID string, d DTLSParameters) error {
	parameters, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return p.room.client.ConnectTransport(ctx, p.room.id, p.id, transportID, parameters)
}

// Produce implements SendSignalling.
func (p *apiPeer) Produce(ctx context.Context, transportID string, kind ortc.MediaKind, o ortc.RTPParameters) (string, error) {
	parameters, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	info, err := p.room.client.CreateProducer(ctx, p.room.id, p.id, transportID,
		api.ProducerOptions{Kind: api.MediaKind(kind), RTPParameters: parameters})
	return info.ID, err
}

// Consume implements ReceiveSignalling.
func (p *apiPeer) Consume(ctx context.Context, transportID, producerID string) (ConsumerInfo, error) {
	info, err := p.room.client.CreateConsumer(ctx, p.room.id, p.id, transportID,
		api.ConsumerOptions{ProducerID: producerID, RTPCapabilities: p.room.capabilities})
	if err != nil {
		return ConsumerInfo{}, err
	}
	return recode[ConsumerInfo](info)
}

// recode turns an object of the client package into ours by way of its JSON,
// which is that of the protocol on both sides.
func recode[To any](from any) (to To, err error) {
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, &to)
	}
	if err != nil {
		return to, fmt.Errorf("understand the server's answer: %w", err)
	}
	return to, nil
}
