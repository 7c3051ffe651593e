// Command relay is bad networks between browsers and a server, for the tests
// of this folder: lines (see package line) that are made and changed over HTTP.
//
//	POST   /lines           {"server": "127.0.0.1:40000", "seed": 1} → {"id": 1, "address": "127.0.0.1:45678"}
//	PATCH  /lines/1         {"up": conditions, "down": conditions, "udpBlocked": true}: what is given changes
//	POST   /lines/1/rebind  new source ports towards the server
//	GET    /lines/1         statistics
//	DELETE /lines/1
//
// Conditions are {"loss": 0.05, "burst": 3, "delayMs": 30, "jitterMs": 5, "reorder": 0.1,
// "reorderByMs": 20, "duplicate": 0.1, "rate": 700000, "queueMs": 200, "police": false,
// "down": false}, each 0 or false when it is left out; see package link for what they mean.
//
// It says on standard output where it is, and ends with its standard input.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	control := newControl()
	server := &http.Server{Handler: control.handler()}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Printf("http://%s\n", listener.Addr())
	io.Copy(io.Discard, os.Stdin) // until whoever started us is gone
	if err := server.Shutdown(context.Background()); err != nil {
		log.Print(err)
	}
	<-ended
	if err := control.close(); err != nil {
		log.Fatal(err)
	}
}

// writeJSON answers.
func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}
