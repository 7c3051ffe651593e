package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"github.com/takoserver/takos-call/client"
)

// record writes until the room is closed or ctx ends.
func record(ctx context.Context, c *client.Client, room string, w io.Writer) error {
	router, err := c.RoomRouter(ctx, room)
	if err != nil {
		return err
	}
	transport, err := router.CreateDirectTransport(ctx, client.DirectTransportOptions{})
	if err != nil {
		return err
	}
	defer transport.Close(context.WithoutCancel(ctx))
	there, err := router.Attach(ctx) // from here on its events come
	if err != nil {
		return err
	}
	began := time.Now()
	_, err = io.WriteString(w, "#!rtpplay1.0 0.0.0.0/0\n"+string(make([]byte, 16)))
	for _, p := range there.Producers {
		err = errors.Join(err, listen(ctx, router, transport, p))
	}
	for e := range c.Events(ctx) {
		if err != nil {
			return err
		}
		switch e := e.(type) {
		case client.EventTransportNewProducer:
			err = listen(ctx, router, transport, e.Producer)
		case client.EventConsumerRTP:
			head := binary.BigEndian.AppendUint16(nil, uint16(8+len(e.Packet)))
			head = binary.BigEndian.AppendUint16(head, uint16(len(e.Packet)))
			head = binary.BigEndian.AppendUint32(head, uint32(time.Since(began).Milliseconds()))
			_, err = w.Write(append(head, e.Packet...))
		case client.EventRouterClosed: // with the room
			return nil
		}
	}
	return err
}

// listen has the packets of a producer come, unless it is gone already.
func listen(ctx context.Context, router *client.Router, on *client.Transport, p client.RouterProducerInfo) error {
	_, err := on.Consume(ctx, client.ConsumeOptions{ProducerID: p.ID, RTPCapabilities: router.Info.RTPCapabilities})
	if errors.Is(err, client.ErrNotFound) {
		return nil
	}
	return err
}
