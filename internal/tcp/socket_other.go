//go:build !linux

package tcp

import "net"

// sendBuffer stands in for what only Linux can bound more exactly.
const sendBuffer = 64 << 10

// tune makes conn fit for media. None of it is needed for it to work, so errors
// do not count.
func tune(conn *net.TCPConn) {
	_ = conn.SetNoDelay(true)
	_ = conn.SetWriteBuffer(sendBuffer)
}

// directWriter has no portable form.
func directWriter(net.Conn) func([]byte) int { return nil }
