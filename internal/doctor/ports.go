package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/takoserver/takos-call/internal/address"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// wantedBuffer is what the media sockets ask the kernel for, in bytes.
const wantedBuffer = 4 << 20

// roundTripTimeout is how long a datagram may take from this machine to itself.
const roundTripTimeout = time.Second

// checkServer asks a server that may be running with these settings whether it
// is ready, and reports whether there is one.
func checkServer(ctx context.Context, m Machine, s Settings, r *Report) bool {
	const topic = "server"
	if s.Port == 0 {
		return false
	}
	target := s.LocalURL() + "/ready"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return false
	}
	response, err := m.HTTP.Do(request)
	if err != nil {
		r.add(Note, topic, "none is running on "+strings.TrimSuffix(target, "/ready"), "")
		return false
	}
	defer response.Body.Close()
	var ready struct {
		Ready   *bool    `json:"ready"`
		Reasons []string `json:"reasons"`
	}
	if err := json.NewDecoder(response.Body).Decode(&ready); err != nil || ready.Ready == nil {
		return false // another program; the check of the port says so
	}
	if !*ready.Ready {
		r.add(Warn, topic, "one is running, but is not ready: "+strings.Join(ready.Reasons, "; "), "")
	} else {
		r.add(Good, topic, "one is running and ready on "+strings.TrimSuffix(target, "/ready"), "")
	}
	return true
}

// localClient asks this machine, whose certificate is not made for the name
// that it is asked by.
func localClient() *http.Client {
	return &http.Client{
		Timeout:   3 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
	}
}

// checkMedia opens the media port as the server will, and sends a datagram to
// each address that browsers will be given.
func checkMedia(s Settings, r *Report, interfaces []address.Interface, running bool) {
	topic := fmt.Sprintf("media port %d", s.RTCMinPort)
	port := uint16(s.RTCMinPort)
	listen := address.Listenable(s.ListenIPs, interfaces)
	options := udp.Options{IPs: listen, Port: port, Readers: s.Sockets, DisableGSO: !s.GSO, ReceiveBuffer: wantedBuffer, SendBuffer: wantedBuffer}
	sockets, err := udp.Listen(options)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && running:
		r.add(Good, topic, "is in use by the running server", "")
		options.Port = 0 // the rest can be seen on any port
		if sockets, err = udp.Listen(options); err != nil {
			return
		}
	case err != nil:
		r.add(Bad, topic, "cannot be opened: "+err.Error(), "stop what uses it, or choose another with "+s.Name("rtc-min-port"))
		return
	case s.LoopbackOnly():
		r.add(Good, topic, "UDP is free", "")
		checkMediaTCP(s, r, listen)
	default:
		r.add(Good, topic, "UDP is free", "a firewall must let UDP port "+strconv.Itoa(int(sockets.Port()))+" in from everywhere")
		checkMediaTCP(s, r, listen)
	}
	defer sockets.Close()
	checkKernelBuffers(r, sockets.Stats())
	checkOffloads(s, r, sockets.Stats())
	for _, host := range address.Announced(address.Choose(interfaces, s.AddressPolicy())) {
		ip, err := netip.ParseAddr(host)
		if err != nil || ownerOf(interfaces, ip) == "" {
			continue // it leads elsewhere
		}
		if err := roundTrip(ip); err != nil {
			r.add(Bad, "UDP to "+host, "a datagram from this machine to itself does not arrive: "+err.Error(), "look at this machine's firewall")
		} else {
			r.add(Good, "UDP to "+host, "a datagram from this machine to itself arrives", "")
		}
	}
}

// checkMediaTCP opens the media port's TCP side as the server will.
func checkMediaTCP(s Settings, r *Report, listen []netip.Addr) {
	topic := fmt.Sprintf("TCP for media, port %d", s.RTCMinPort)
	if !s.TCP {
		r.add(Note, topic, "switched off by "+s.Name("tcp")+": clients whose firewall blocks UDP cannot call", "")
		return
	}
	connections, err := tcp.Listen(tcp.Options{IPs: listen, Port: uint16(s.RTCMinPort)})
	if err != nil {
		r.add(Bad, topic, "cannot be opened: "+err.Error(), "stop what uses it, choose another with "+s.Name("rtc-min-port")+", or do without TCP: "+s.Name("tcp")+"=false")
		return
	}
	defer connections.Close()
	advice := ""
	if !s.LoopbackOnly() {
		advice = "a firewall should let TCP port " + strconv.Itoa(int(connections.Port())) + " in, for clients whose own blocks UDP"
	}
	r.add(Good, topic, "is free", advice)
}

// roundTrip sends a datagram to an address of this machine and back.
func roundTrip(ip netip.Addr) error {
	echo, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return err
	}
	defer echo.Close()
	asker, err := net.DialUDP("udp", nil, echo.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return err
	}
	defer asker.Close()
	deadline := time.Now().Add(roundTripTimeout)
	if err := errors.Join(echo.SetDeadline(deadline), asker.SetDeadline(deadline)); err != nil {
		return err
	}
	if _, err := asker.Write([]byte("takos-call doctor")); err != nil {
		return err
	}
	buffer := make([]byte, 64)
	n, from, err := echo.ReadFromUDP(buffer)
	if err != nil {
		return err
	}
	if _, err := echo.WriteToUDP(buffer[:n], from); err != nil {
		return err
	}
	_, err = asker.Read(buffer)
	return err
}

// checkKernelBuffers compares what the kernel grants with what the server asks
// for.
func checkKernelBuffers(r *Report, st udp.Stats) {
	for _, b := range []struct {
		name, sysctl string
		granted      int
	}{
		{"receive", "net.core.rmem_max", st.ReceiveBuffer},
		{"send", "net.core.wmem_max", st.SendBuffer},
	} {
		topic := b.name + " buffer"
		if b.granted < wantedBuffer {
			r.add(Warn, topic, fmt.Sprintf("the kernel grants %d KiB of %d KiB: bursts may be lost", b.granted>>10, wantedBuffer>>10),
				fmt.Sprintf("echo %s=%d >> /etc/sysctl.d/60-takos-call.conf && sysctl --system", b.sysctl, wantedBuffer))
		} else {
			r.add(Good, topic, fmt.Sprintf("the kernel grants %d KiB", b.granted>>10), "")
		}
	}
}

// checkOffloads says whether the kernel takes and gives runs of packets.
func checkOffloads(s Settings, r *Report, st udp.Stats) {
	switch {
	case st.GSO:
		r.add(Good, "UDP_SEGMENT", "the kernel cuts runs of packets (GSO)", "")
	case !s.GSO:
		r.add(Note, "UDP_SEGMENT", "switched off by "+s.Name("gso"), "")
	default:
		r.add(Warn, "UDP_SEGMENT", "this kernel does not cut runs of packets (GSO): sending costs about twice as much", "Linux 4.18 and newer does")
	}
	if st.GRO {
		r.add(Good, "UDP_GRO", "the kernel joins runs of packets that arrive", "")
	} else {
		r.add(Note, "UDP_GRO", "this kernel does not join runs of packets that arrive; Linux 5.0 and newer does", "")
	}
}

// checkHTTP opens the HTTP port as the server will.
func checkHTTP(ctx context.Context, s Settings, r *Report, running bool) {
	topic := fmt.Sprintf("HTTP port %d", s.Port)
	if running {
		r.add(Good, topic, "is in use by the running server", "")
		return
	}
	var config net.ListenConfig
	opened := 0
	for _, host := range s.ListenHosts() {
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(s.Port)))
		if err != nil {
			if host == "::1" && opened > 0 {
				continue // without IPv6 the other one does
			}
			r.add(Bad, topic, "cannot be opened: "+err.Error(), "stop what uses it, or choose another with "+s.Name("port"))
			return
		}
		opened++
		_ = listener.Close()
	}
	if s.LoopbackOnly() {
		r.add(Good, topic, "is free; only this machine will reach it", "for other devices see --lan, for a server set "+s.Name("api-key"))
	} else {
		r.add(Good, topic, "is free; other machines will reach it", "a firewall must let TCP port "+strconv.Itoa(s.Port)+" in")
	}
}
