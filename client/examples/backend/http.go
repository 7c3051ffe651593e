package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/takoserver/takos-call/client"
)

// handler is what browsers see.
func (b *backend) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /join", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Room, Name string }
		if read(w, r, &q) {
			answer, err := b.join(r.Context(), q.Room, q.Name)
			write(w, answer, err)
		}
	})
	mux.HandleFunc("POST /connect", b.forMember(b.connect))
	mux.HandleFunc("POST /produce", b.forMember(b.produce))
	mux.HandleFunc("POST /consume", b.forMember(b.consume))
	mux.HandleFunc("POST /leave", b.forMember(func(ctx context.Context, m *member, _ request) (any, error) {
		b.remove(ctx, m)
		return nil, nil
	}))
	mux.HandleFunc("GET /news", b.news)
	return mux
}

// request is what a member asks for. The JSON of mediasoup-client is handed
// through unread.
type request struct {
	Session         string           `json:"session"`
	TransportID     string           `json:"transportId"`
	ProducerID      string           `json:"producerId"`
	Kind            client.MediaKind `json:"kind"`
	DTLSParameters  json.RawMessage  `json:"dtlsParameters"`
	RTPParameters   json.RawMessage  `json:"rtpParameters"`
	RTPCapabilities json.RawMessage  `json:"rtpCapabilities"`
}

func (b *backend) connect(ctx context.Context, m *member, q request) (any, error) {
	return nil, b.calls.ConnectTransport(ctx, m.room, m.peer, q.TransportID, q.DTLSParameters)
}

func (b *backend) produce(ctx context.Context, m *member, q request) (any, error) {
	return b.calls.CreateProducer(ctx, m.room, m.peer, m.send, client.ProducerOptions{
		Kind: q.Kind, RTPParameters: q.RTPParameters,
	})
}

func (b *backend) consume(ctx context.Context, m *member, q request) (any, error) {
	return b.calls.CreateConsumer(ctx, m.room, m.peer, m.recv, client.ConsumerOptions{
		ProducerID: q.ProducerID, RTPCapabilities: q.RTPCapabilities,
	})
}

// forMember answers requests of those who have joined.
func (b *backend) forMember(do func(context.Context, *member, request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q request
		if !read(w, r, &q) {
			return
		}
		m := b.member(q.Session)
		if m == nil {
			http.Error(w, "join first", http.StatusForbidden)
			return
		}
		answer, err := do(r.Context(), m, q)
		write(w, answer, err)
	}
}

// news tells a browser what to consume, as server-sent events, until the member
// has gone.
func (b *backend) news(w http.ResponseWriter, r *http.Request) {
	m := b.member(r.FormValue("session"))
	if m == nil {
		http.Error(w, "join first", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for out.Flush() == nil {
		select {
		case producer, present := <-m.news:
			if !present {
				return
			}
			fmt.Fprintf(w, "data: %s\n\n", producer)
		case <-r.Context().Done():
			return
		}
	}
}

func read(w http.ResponseWriter, r *http.Request, q any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<19)).Decode(q)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

// write answers. What the server refused is the browser's business; anything
// else is ours.
func write(w http.ResponseWriter, answer any, err error) {
	var refusal *client.Error
	switch {
	case errors.As(err, &refusal):
		http.Error(w, refusal.Error(), http.StatusConflict)
	case err != nil:
		http.Error(w, "the call server cannot be reached", http.StatusBadGateway)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}
