package sfu

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/takoserver/takos-call/internal/ice"
	"github.com/takoserver/takos-call/internal/tcp"
	"github.com/takoserver/takos-call/internal/udp"
)

// WebRTCServerOptions are what a WebRTC server is made from.
type WebRTCServerOptions struct {
	// ListenInfos are the sockets, the most preferred first; 32 at the most.
	ListenInfos []ListenInfo
	// PortRange is for sockets that are given no port and no range; the zero
	// value is the SFU's PlainPorts.
	PortRange PortRange
	AppData   any
}

// WebRTCServer is a set of sockets that any number of WebRTC transports share.
// The SFU's own port is one too, and so are the sockets of a single transport.
type WebRTCServer struct {
	// Constant after it was made.
	sfu       *SFU
	id        string
	appData   any
	endpoints []*endpoint
	private   bool // of one transport, and closed with it

	readers  sync.WaitGroup
	goodbyes sync.WaitGroup // transports on their way out, which still need the sockets
	closing  sync.Once

	mu         sync.Mutex // a leaf; guards the following
	transports map[*WebRTCTransport]struct{}
	closed     bool
}

// endpoint is one port of a WebRTCServer, for one protocol.
type endpoint struct {
	// Constant after it was opened.
	server    *WebRTCServer
	ips       []netip.Addr // may be unspecified
	dual      bool         // ips[0] stands for both address families
	port      uint16
	announced string   // stands in tuples in the address's place; "": nothing does
	hosts     []string // that clients are told, the most preferred first
	// One of them is nil.
	sockets     *udp.Server
	connections *tcp.Server
}

// defaultMaxSockets is how many sockets servers may have: each has a goroutine and
// some 100 KB of buffers.
const defaultMaxSockets = 1024

func newWebRTCServer(s *SFU) *WebRTCServer {
	return &WebRTCServer{sfu: s, id: newID(), transports: map[*WebRTCTransport]struct{}{}}
}

// NewWebRTCServer opens the sockets of a server, or none if one cannot be had.
// Errors: ErrClosed, ErrLimit, ErrPortInUse, ErrNoAddress, *ortc.Error.
func (s *SFU) NewWebRTCServer(o WebRTCServerOptions) (*WebRTCServer, error) {
	v := newWebRTCServer(s)
	v.appData = o.AppData
	if err := checkListenInfos(o.ListenInfos); err != nil {
		return nil, err
	}
	if err := v.listen(o.ListenInfos, o.PortRange); err != nil {
		return nil, fmt.Errorf("making a WebRTC server: %w", err)
	}
	return v, nil
}

// newPrivateServer opens the sockets of one transport.
func (r *Router) newPrivateServer(list []ListenInfo, p Protocols) (*WebRTCServer, error) {
	v := newWebRTCServer(r.sfu)
	v.private = true
	if err := checkListenInfos(list); err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(l ListenInfo) bool { return !p.allow(l.Protocol) })
	if len(list) == 0 {
		return nil, typeErrorf("no protocol is left by which the transport could be reached")
	}
	return v, v.listen(list, r.ports)
}

// listen opens the sockets of a list that was checked, and begins to read them, or
// opens none.
func (v *WebRTCServer) listen(list []ListenInfo, ports PortRange) error {
	if !ports.valid() {
		return typeErrorf("portRange: from %d to %d is no range", ports.Min, ports.Max)
	}
	s := v.sfu
	if err := s.socketSlots.take(len(list)); err != nil {
		return fmt.Errorf("opening %d sockets: %w", len(list), err)
	}
	for i := range list {
		e, err := list[i].open(v, ports.or(s.options.PlainPorts))
		if err != nil {
			v.closeEndpoints()
			s.socketSlots.giveBack(len(list))
			return fmt.Errorf("listenInfos[%d]: %w", i, err)
		}
		v.endpoints = append(v.endpoints, e)
	}
	if err := s.addServer(v); err != nil {
		v.closeEndpoints()
		s.socketSlots.giveBack(len(list))
		return err
	}
	return nil
}

// addServer makes v known, and begins to read its sockets: together, as Close of
// the SFU waits for the readers of the servers that it knows. Errors: ErrClosed.
func (s *SFU) addServer(v *WebRTCServer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("server %w", ErrClosed)
	}
	s.servers[v] = struct{}{}
	for _, e := range v.endpoints {
		if e.sockets != nil {
			v.readers.Go(e.read)
		}
	}
	return nil
}

// ID is unique in the process.
func (v *WebRTCServer) ID() string { return v.id }

// AppData is what the maker of the server attached to it.
func (v *WebRTCServer) AppData() any { return v.appData }

// Closed reports whether Close was called.
func (v *WebRTCServer) Closed() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.closed
}

// Close closes the transports of the server, with reason CloseListenServer, and
// its sockets once their goodbyes are said. It waits for that, so that the ports
// are free when it returns.
func (v *WebRTCServer) Close() { v.closing.Do(v.close) }

func (v *WebRTCServer) close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	for _, t := range v.openTransports() {
		t.closeFor(CloseListenServer)
	}
	v.goodbyes.Wait()
	v.closeEndpoints()
	v.readers.Wait()
	v.sfu.retire(v)
}

func (v *WebRTCServer) closeEndpoints() {
	for _, e := range v.endpoints {
		if e.connections != nil {
			e.connections.Close()
		} else if err := e.sockets.Close(); err != nil {
			v.sfu.log.Warn("closing media sockets", "port", e.port, "error", err)
		}
	}
}

// retire forgets v, but not what it has counted.
func (s *SFU) retire(v *WebRTCServer) {
	if v == s.own {
		return // it ends with the SFU
	}
	datagrams, streams := v.stats()
	streams.Open, streams.Unproven = 0, 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.servers[v]; !open {
		return // it has not come to be
	}
	delete(s.servers, v)
	s.retired.datagrams.Add(datagrams)
	s.retired.streams.Add(streams)
	s.socketSlots.giveBack(len(v.endpoints))
}

// stats are the counters of v's sockets.
func (v *WebRTCServer) stats() (datagrams udp.Stats, streams tcp.Stats) {
	for _, e := range v.endpoints {
		if e.sockets != nil {
			datagrams.Add(e.sockets.Stats())
		} else {
			streams.Add(e.connections.Stats())
		}
	}
	return datagrams, streams
}

// socketStats are the counters of all servers, also of those that are closed,
// and the state of the SFU's own sockets.
func (s *SFU) socketStats() (datagrams udp.Stats, streams tcp.Stats) {
	s.mu.Lock()
	open, retired := s.openServersLocked(), s.retired
	s.mu.Unlock()
	datagrams = s.own.endpoints[0].sockets.Stats()
	datagrams.Add(retired.datagrams)
	streams.Add(retired.streams)
	for _, v := range open {
		d, c := v.stats()
		streams.Add(c)
		if v != s.own {
			datagrams.Add(d)
		}
	}
	return datagrams, streams
}

func (s *SFU) openServers() []*WebRTCServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openServersLocked()
}

// openServersLocked needs mu.
func (s *SFU) openServersLocked() []*WebRTCServer {
	list := make([]*WebRTCServer, 0, len(s.servers))
	for v := range s.servers {
		list = append(list, v)
	}
	return list
}

// retiredStats are the counters of servers that are closed.
type retiredStats struct {
	datagrams udp.Stats
	streams   tcp.Stats
}

// enter makes t one of v's transports. Errors: ErrClosed.
func (v *WebRTCServer) enter(t *WebRTCTransport) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return fmt.Errorf("making a transport: WebRTC server %q %w", v.id, ErrClosed)
	}
	v.transports[t] = struct{}{}
	return nil
}

// leave is the end of enter for t, which goes on needing the sockets until
// goodbyes.Done is called.
func (v *WebRTCServer) leave(t *WebRTCTransport) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.goodbyes.Add(1) // before Close can miss t
	delete(v.transports, t)
}

// openTransports are v's transports, by id.
func (v *WebRTCServer) openTransports() []*WebRTCTransport {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := make([]*WebRTCTransport, 0, len(v.transports))
	for t := range v.transports {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *WebRTCTransport) int { return cmp.Compare(a.id, b.id) })
	return list
}

// WebRTCServerDump is the state of a WebRTC server, in mediasoup's shape.
type WebRTCServerDump struct {
	ID         string   `json:"id"`
	UDPSockets []IPPort `json:"udpSockets"` // one per address …
	TCPServers []IPPort `json:"tcpServers"` // … in the order of the ListenInfos
	// WebRTCTransportIDs are in the order of the ids, as are the lists that follow.
	WebRTCTransportIDs []string `json:"webRtcTransportIds"`
	// LocalICEUsernameFragments are those that checks may name; two of a
	// transport while its peer has not used those of an ICE restart.
	LocalICEUsernameFragments []UsernameFragment `json:"localIceUsernameFragments"`
	// TupleHashes are the paths that checks have proven.
	TupleHashes []TupleHash `json:"tupleHashes"`
}

// IPPort is where a socket listens.
type IPPort struct {
	IP   string `json:"ip"`
	Port uint16 `json:"port"`
}

// UsernameFragment tells whose checks with that name are.
type UsernameFragment struct {
	UsernameFragment  string `json:"localIceUsernameFragment"`
	WebRTCTransportID string `json:"webRtcTransportId"`
}

// TupleHash tells whose packets on a path are; the hash is equal for equal paths
// within one run of the process.
type TupleHash struct {
	Hash              uint32 `json:"tupleHash"`
	WebRTCTransportID string `json:"webRtcTransportId"`
}

// Dump is the server's state. Errors: ErrClosed.
func (v *WebRTCServer) Dump() (WebRTCServerDump, error) {
	if v.Closed() {
		return WebRTCServerDump{}, fmt.Errorf("looking at WebRTC server %q: %w", v.id, ErrClosed)
	}
	d := WebRTCServerDump{
		ID: v.id, UDPSockets: []IPPort{}, TCPServers: []IPPort{}, WebRTCTransportIDs: []string{},
		LocalICEUsernameFragments: []UsernameFragment{}, TupleHashes: []TupleHash{},
	}
	for _, e := range v.endpoints {
		list := &d.UDPSockets
		if e.protocol() == ice.TCP {
			list = &d.TCPServers
		}
		for _, ip := range e.ips {
			*list = append(*list, IPPort{IP: ip.String(), Port: e.port})
		}
	}
	for _, t := range v.openTransports() {
		d.WebRTCTransportIDs = append(d.WebRTCTransportIDs, t.id)
		t.addTo(&d)
	}
	return d, nil
}

// addTo adds by what the packets of t are known.
func (t *WebRTCTransport) addTo(d *WebRTCServerDump) {
	t.recvMu.Lock()
	defer t.recvMu.Unlock()
	if t.ended.Load() {
		return
	}
	for _, ufrag := range t.link.agent.Ufrags() {
		d.LocalICEUsernameFragments = append(d.LocalICEUsernameFragments, UsernameFragment{ufrag, t.id})
	}
	for _, tuple := range t.link.agent.Tuples() {
		d.TupleHashes = append(d.TupleHashes, TupleHash{pathOf(tuple).Hash() ^ uint32(tuple.Protocol), t.id})
	}
}

// has reports whether a UDP socket of v has that address and port.
func (v *WebRTCServer) has(ip netip.Addr, port uint16) bool {
	return v.endpointAt(netip.AddrPortFrom(ip.Unmap(), port)) != nil
}

// endpointAt is the UDP endpoint that packets to local come to, nil if there is
// none. The IP of local may be unspecified, where the system does not tell.
func (v *WebRTCServer) endpointAt(local netip.AddrPort) *endpoint {
	for _, e := range v.endpoints {
		if e.sockets != nil && e.port == local.Port() && e.covers(local.Addr().WithZone("")) {
			return e
		}
	}
	return nil
}

// describe is tuple as the application is told of it.
func (v *WebRTCServer) describe(tuple ice.Tuple) TransportTuple {
	local := tuple.Local.Addr().String()
	for _, e := range v.endpoints {
		if e.announced != "" && e.protocol() == tuple.Protocol && e.port == tuple.Local.Port() && e.covers(tuple.Local.Addr().WithZone("")) {
			local = e.announced
		}
	}
	return TransportTuple{
		LocalAddress: local, LocalIP: local, LocalPort: tuple.Local.Port(),
		RemoteIP: tuple.Remote.Addr().String(), RemotePort: tuple.Remote.Port(),
		Protocol: tuple.Protocol.String(),
	}
}

func (e *endpoint) covers(ip netip.Addr) bool {
	return slices.ContainsFunc(e.ips, func(own netip.Addr) bool {
		sameFamily := e.dual || own.Is4() == ip.Is4()
		return own.WithZone("") == ip || sameFamily && (own.IsUnspecified() || ip.IsUnspecified())
	})
}

func (e *endpoint) protocol() ice.Protocol {
	if e.connections != nil {
		return ice.TCP
	}
	return ice.UDP
}

// segments reports whether the kernel cuts runs for v's sockets.
func (v *WebRTCServer) segments() bool { return v.endpoints[0].sockets.GSO() }

// read reads the one socket of an endpoint until it is closed, and borrows a
// worker for each batch: there may be many such sockets, with little to do.
func (e *endpoint) read() {
	s, reader := e.server.sfu, e.sockets.Readers()[0]
	batch := make([]udp.Datagram, batchSize)
	for {
		n, err := reader.Read(batch, nil)
		if err != nil {
			return // only when the socket is closed
		}
		w := s.workers.Get().(*worker)
		w.endpoint = e
		w.takeBatch(s.now(), batch[:n])
		w.endpoint = nil
		s.workers.Put(w)
	}
}
