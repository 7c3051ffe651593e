package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/takoserver/takos-call/client"
)

const soon = 500 * time.Millisecond

func impatient(s *Server) {
	s.http.ReadHeaderTimeout, s.http.ReadTimeout = soon, soon
}

func TestRequestsHaveATimeToComeAndAnswersToGo(t *testing.T) {
	r := start(t, settings(t))
	if h := r.http; h.ReadHeaderTimeout <= 0 || h.ReadTimeout <= 0 || h.ReadTimeout > time.Minute || h.WriteTimeout <= 0 || h.IdleTimeout <= 0 {
		t.Errorf("times for headers %v, requests %v, answers %v, idleness %v", h.ReadHeaderTimeout, h.ReadTimeout, h.WriteTimeout, h.IdleTimeout)
	}
}

func TestRequestWhoseBodyNeverComesIsEnded(t *testing.T) {
	const key = "0123456789abcdef"
	r := start(t, settings(t, "API_KEY="+key, "TAKOS_CALL_LISTEN_HOST=127.0.0.1"), impatient)
	backend, err := client.Dial(t.Context(), r.url, client.Options{APIKey: key, HTTPClient: r.client, MinBackoff: time.Hour, MaxBackoff: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	requests := []string{
		"POST /takos-api/createRoom HTTP/1.1\r\nHost: x\r\nApi-Key: " + key + "\r\nContent-Length: 1000\r\n\r\n{",
		"POST /takos-api/createRoom HTTP/1.1\r\nHost: x\r\nApi-Key: wrong\r\nContent-Length: 1000\r\n\r\n",
		"POST /_takos/v2/invitation HTTP/1.1\r\nHost: x\r\nApi-Key: " + key + "\r\nContent-Length: 1000\r\n\r\n",
		"POST /_takos/v2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
		"POST /_takos/v2/call HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
		"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
		"GET /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
		"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"GE",
	}
	t.Run("slow", func(t *testing.T) {
		for i, request := range requests {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				began := time.Now()
				if err := r.waitForEnd(request); err != nil {
					t.Errorf("%q: %v", request, err)
				}
				if took := time.Since(began); took < soon/2 {
					t.Errorf("%q had only %v", request, took)
				}
			})
		}
	})
	// A WebSocket, which is a request that lasts, is none of these.
	if _, err := backend.CreateRoom(t.Context(), "team", client.RoomOptions{}); err != nil {
		t.Error(err)
	}
}

// waitForEnd sends the beginning of a request and waits until the server has
// ended its connection. Whatever is answered must be no success but of GET.
func (r *running) waitForEnd(request string) error {
	c, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	reader := bufio.NewReader(c)
	if answer, err := http.ReadResponse(reader, nil); err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		if answer.StatusCode == http.StatusOK && strings.HasPrefix(request, "POST") {
			return fmt.Errorf("answered %s", answer.Status)
		}
	}
	var timeout net.Error
	if _, err := io.Copy(io.Discard, reader); errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("the connection is still there")
	}
	return nil
}
