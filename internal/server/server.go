// Package server wires the packages together: it translates the settings into
// each one's Options, opens what has to be opened, routes requests to the doors,
// and takes everything down again in the reverse order.
//
// It decides nothing about calls. A Server is made by New, run once by Run from
// one goroutine, and closed when Run returns.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/pion/srtp/v3"

	"github.com/takoserver/takos-call/internal/address"
	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/config"
	"github.com/takoserver/takos-call/internal/room"
	"github.com/takoserver/takos-call/internal/sfu"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
	"github.com/takoserver/takos-call/internal/store"
	"github.com/takoserver/takos-call/internal/worker"
)

// Build names the build.
type Build struct{ Version, Commit string }

// Server is a whole server.
type Server struct {
	// constant after New
	config      *config.Config
	build       Build
	log         *slog.Logger
	announced   []string
	store       *store.Store
	tokens      *auth.Tokens
	invitations *auth.Invitations
	keys        *auth.Keys
	sfu         *sfu.SFU
	rooms       *room.Registry
	workers     *worker.Registry
	api         *takosapi.Door
	call        *takoscall.Door
	gate        gate
	http        *http.Server
	listeners   []net.Listener
	closers     []func() // run in the reverse order
	drained     func()   // for tests: called when the clients have been told

	panics atomic.Uint64 // recovered in handlers of requests
}

// New opens everything; nothing is served before Run. The errors say what could
// not be had and what to do. The settings have passed config.Check.
func New(ctx context.Context, c *config.Config, build Build, log *slog.Logger) (*Server, error) {
	s := &Server{config: c, build: build, log: log}
	for _, step := range []func(context.Context) error{
		s.findAddresses, s.openStore, s.openMedia, s.openDoors, s.openHTTP, s.openDebug,
	} {
		if err := step(ctx); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Close takes down what New has opened. Run does it by itself.
func (s *Server) Close() {
	for len(s.closers) > 0 {
		last := len(s.closers) - 1
		closer := s.closers[last]
		s.closers = s.closers[:last]
		closer()
	}
}

func (s *Server) onClose(f func()) { s.closers = append(s.closers, f) }

// resolveTimeout is how long the name server may take for an announced name.
const resolveTimeout = 5 * time.Second

// findAddresses decides what candidates are made of.
func (s *Server) findAddresses(ctx context.Context) error {
	interfaces, err := address.Interfaces()
	if err != nil {
		return err
	}
	if missing, ok := address.Missing(s.config.ListenIPs, interfaces); ok {
		return fmt.Errorf("MEDIASOUP_LISTEN_IP (--listen-ip) names %s, which is no address of this machine that can be listened on: name one that is (takos-call doctor lists them), or 0.0.0.0 or :: for all", missing)
	}
	s.config.ListenIPs = address.Listenable(s.config.ListenIPs, interfaces)
	for _, host := range address.Announced(address.Choose(interfaces, s.config.AddressPolicy())) {
		s.announced = append(s.announced, host)
		if _, err := netip.ParseAddr(host); err != nil {
			s.announced = append(s.announced, s.resolve(ctx, host)...)
		}
	}
	if len(s.announced) == 0 {
		return errors.New("this machine has no address that browsers could be given: connect a network, or name one with MEDIASOUP_ANNOUNCED_IP; takos-call doctor says more")
	}
	s.log.Info("browsers are given these addresses for media", "addresses", s.announced)
	return nil
}

// resolve returns the addresses of an announced name. They are announced beside
// it, because not every browser resolves a name in a candidate.
func (s *Server) resolve(ctx context.Context, host string) []string {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		s.log.Warn("an announced name does not resolve here; it is announced all the same", "name", host, "error", err)
		return nil
	}
	var usable []string
	for _, ip := range addresses {
		if address.Unusable(ip, s.config.LoopbackOnly()) == "" {
			usable = append(usable, ip.Unmap().String())
		}
	}
	return usable
}

// openStore opens what survives a restart.
func (s *Server) openStore(context.Context) error {
	if err := os.MkdirAll(s.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("make the data folder; TAKOS_CALL_DATA_DIR names another: %w", err)
	}
	opened, err := store.Open(filepath.Join(s.config.DataDir, "takos-call.db"), store.Options{Logger: s.log})
	if errors.Is(err, store.ErrInUse) {
		return fmt.Errorf("the data folder %s is in use, probably by a takos-call that is running; stop that one or name another folder with TAKOS_CALL_DATA_DIR (--data-dir): %w", s.config.DataDir, err)
	}
	if err != nil {
		return fmt.Errorf("open the store in the data folder %s: %w", s.config.DataDir, err)
	}
	s.store = opened
	s.onClose(func() {
		if err := opened.Close(); err != nil {
			s.log.Error("closing the store", "error", err)
		}
	})
	if s.tokens, err = auth.NewTokens(opened, auth.TokenOptions{FirstUse: s.config.TokenLifetime}); err != nil {
		return fmt.Errorf("read the call tokens: %w", err)
	}
	if s.invitations, err = auth.NewInvitations(opened, auth.InvitationOptions{Lifetime: s.config.InvitationLifetime}); err != nil {
		return fmt.Errorf("read the invitations: %w", err)
	}
	return nil
}

// plainPorts are the ports of the range for media behind the first, which is
// that of calls.
func plainPorts(first, last int) sfu.PortRange {
	if first == 0 || first == last {
		return sfu.PortRange{}
	}
	return sfu.PortRange{Min: uint16(first + 1), Max: uint16(last)}
}

// openMedia opens the sockets for media and the rooms above them.
func (s *Server) openMedia(context.Context) error {
	c := s.config
	media, err := sfu.New(sfu.Options{
		ListenIPs:     c.ListenIPs,
		Port:          uint16(c.RTCMinPort),
		Announced:     s.announced,
		Readers:       c.Sockets,
		SRTPProfiles:  profiles(c.SRTPProfiles),
		MaxTransports: c.MaxOpenTransports,
		MaxSockets:    c.MaxSockets,
		PlainPorts:    plainPorts(c.RTCMinPort, c.RTCMaxPort),
		EnableTCP:     c.TCP,

		MaxConnections:           c.MaxTCP,
		MaxConnectionsPerAddress: c.MaxTCPPerAddress,

		DisableGSO: !c.GSO,
		Logger:     s.log,
	})
	if err != nil {
		return err
	}
	s.sfu = media
	s.onClose(media.Close)
	s.rooms = room.NewRegistry(room.Options{
		SFU: media,
		Limits: room.Limits{
			Rooms:             c.MaxRooms,
			PeersPerRoom:      c.MaxPeers,
			TransportsPerPeer: c.MaxTransports,
			ProducersPerPeer:  c.MaxProducers,
			ConsumersPerPeer:  c.MaxConsumers,
		},
		DisconnectTimeout:  c.TransportTimeout,
		AudioLevelInterval: defaultOrNever(c.Speakers),
		SpeakerInterval:    defaultOrNever(c.Speakers),
		Logger:             s.log,
	})
	s.onClose(s.rooms.Close)
	s.workers = worker.NewRegistry(s.sfu, worker.Limits{
		Workers: c.MaxWorkers, WorkersPerOwner: c.MaxWorkersPerKey, RoutersPerWorker: c.MaxRouters,
	})
	s.onClose(s.workers.Close)
	if c.MaxIncomingBitrate > 0 {
		s.onClose(s.rooms.Observe(s.limitIncoming))
	}
	return nil
}

// defaultOrNever is an interval of the rooms.
func defaultOrNever(wanted bool) time.Duration {
	if wanted {
		return 0
	}
	return -1
}

// limitIncoming tells the client of a new sending transport to stay below the
// settings' bit rate, unless a lower one was asked for.
func (s *Server) limitIncoming(e room.Event) {
	if e.Type != room.TransportCreated || e.Transport.Direction() == room.Receive {
		return
	}
	limit := uint64(s.config.MaxIncomingBitrate)
	if own := e.Transport.Media().Stats().MaxIncomingBitrate; own > 0 && own <= limit {
		return
	}
	if err := e.Transport.SetMaxIncomingBitrate(limit); err != nil {
		s.log.Warn("limiting the incoming bit rate", "transport", e.Transport.ID(), "error", err)
	}
}

// profiles translates the names of SRTP profiles (RFC 5764 §4.1.2, RFC 7714 §14.2).
func profiles(names config.SRTPProfiles) []srtp.ProtectionProfile {
	known := map[string]srtp.ProtectionProfile{
		"AEAD_AES_128_GCM":        srtp.ProtectionProfileAeadAes128Gcm,
		"AEAD_AES_256_GCM":        srtp.ProtectionProfileAeadAes256Gcm,
		"AES_CM_128_HMAC_SHA1_80": srtp.ProtectionProfileAes128CmHmacSha1_80,
	}
	var list []srtp.ProtectionProfile
	for _, name := range names {
		list = append(list, known[name])
	}
	return list
}

// keysOf names the configured keys by their position, for the log.
func keysOf(c *config.Config) []auth.Key {
	var keys []auth.Key
	for i, secret := range c.APIKeys {
		keys = append(keys, auth.Key{Name: "key" + strconv.Itoa(i+1), Secret: string(secret)})
	}
	for i, k := range c.ScopedKeys {
		keys = append(keys, auth.Key{
			Name: "scoped" + strconv.Itoa(i+1), Secret: string(k.Secret),
			Scope: auth.Scope{RoomPrefix: k.RoomPrefix, ReadOnly: k.ReadOnly},
		})
	}
	return keys
}

// Port is the TCP port of HTTP.
func (s *Server) Port() int { return s.listeners[0].Addr().(*net.TCPAddr).Port }

// Links returns where a person on this machine, or with --lan on any machine of
// the network, opens the page, without a slash at the end; the first is the best.
func (s *Server) Links() []string {
	if s.config.PublicURL != "" {
		return []string{string(s.config.PublicURL)}
	}
	hosts := s.announced
	if s.config.LoopbackOnly() {
		hosts = []string{"localhost"}
	}
	scheme := "http"
	if s.config.HTTPS() {
		scheme = "https"
	}
	var links []string
	for _, host := range hosts {
		links = append(links, scheme+"://"+net.JoinHostPort(host, strconv.Itoa(s.Port()))+string(s.config.BasePath))
	}
	return links
}

// Invite makes an invitation to a new call and returns the end of its link, to
// be put behind one of Links.
func (s *Server) Invite() (path string, expires time.Time, err error) {
	invitation, expires, err := s.invitations.Create(auth.Invitation{
		RoomID: uuid.NewString(), CallType: auth.VideoCall, Kind: auth.GroupCall,
	}, 0)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("make an invitation: %w", err)
	}
	return "/c/" + invitation, expires, nil
}
