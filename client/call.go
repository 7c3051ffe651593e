package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// request is a message to the server.
type request struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Data any    `json:"data,omitempty"`
}

// message is what the server sends: a response or an event.
type message struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Success bool            `json:"success"`
	Data    json.RawMessage `json:"data"`
	Error   *Error          `json:"error"`
}

// Call carries out a command by its name on the wire, for those that this package
// has no method for. data and answer are encoded and decoded as JSON; either may
// be nil. See the package's description for errors.
func (c *Client) Call(ctx context.Context, command string, data, answer any) error {
	return c.call(ctx, command, data, answer, nil)
}

// call carries out a command. accepted, unless nil, runs when the server has said
// yes and before anything that it sent afterwards is looked at.
func (c *Client) call(ctx context.Context, command string, data, answer any, accepted func()) error {
	reply, err := c.exchange(ctx, command, data, accepted)
	if err != nil {
		return fmt.Errorf("takos-call: %s: %w", command, err)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(reply, answer); err != nil {
		return fmt.Errorf("takos-call: %s: read the answer: %w", command, err)
	}
	return nil
}

func (c *Client) exchange(ctx context.Context, command string, data any, accepted func()) (json.RawMessage, error) {
	id := strconv.FormatUint(c.lastID.Add(1), 10)
	text, err := json.Marshal(request{command, id, data})
	if err != nil {
		return nil, fmt.Errorf("encode the data: %w", err)
	}
	if most := c.options.MaxCommandBytes; len(text) > most {
		return nil, &Error{MessageTooBig, fmt.Sprintf("the command has %d bytes; %d is the most", len(text), most)}
	}
	for {
		k, err := c.connection(ctx)
		if err != nil {
			return nil, err
		}
		reply, err := k.exchange(ctx, id, text, func(answer json.RawMessage) {
			c.attached.note(command, data, answer)
			if accepted != nil {
				accepted()
			}
		})
		if errors.Is(err, errNotSent) {
			continue
		}
		if err != nil && c.ctx.Err() != nil && errors.Is(err, ErrDisconnected) {
			err = ErrClosed
		}
		return reply, err
	}
}

// answerOf carries out a command and returns its answer.
func answerOf[A any](ctx context.Context, c *Client, command string, data any) (A, error) {
	var answer A
	err := c.Call(ctx, command, data, &answer)
	return answer, err
}

// find carries out a question that the server answers with null if there is no
// such thing.
func find[A any](ctx context.Context, c *Client, command string, data any) (A, error) {
	answer, err := answerOf[*A](ctx, c, command, data)
	if err == nil && answer == nil {
		err = fmt.Errorf("takos-call: %s: %w", command, ErrNotFound)
	}
	if err != nil {
		var zero A
		return zero, err
	}
	return *answer, nil
}
