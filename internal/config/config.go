// Package config is the settings: what they are called, what they mean, which
// values are right, and where they come from.
//
// Every setting is declared once, as a field of [Config]. The flags of the
// command line, the names in the environment, the keys of the settings file,
// the checks, the help and the reference page (docs/settings.md) all come from
// that declaration. The tags of a field are
//
//	name     the flag, and the key in the settings file
//	var      the name in the environment and in .env
//	help     what it means, for people
//	default  the value when nobody says anything; absent: empty
//	range    the smallest and the largest value, as "1..10"
//	oneof    the only values, separated by commas
//	unit     of a plain number
//	example  a value to show where the default shows too little
//	secret   "yes": never printed
//
// The package knows nothing about what the settings do; server translates them
// into the Options of each package. A Config is read-only once it is loaded.
package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/takoserver/takos-call/internal/address"
)

//go:generate sh -c "go run ../../cmd/takos-call settings > ../../docs/settings.md"

// Config is all settings.
type Config struct {
	HTTP   `embed:"" group:"http"`
	Media  `embed:"" group:"media"`
	Calls  `embed:"" group:"calls"`
	Limits `embed:"" group:"limits"`
	Run    `embed:"" group:"run"`
}

// HTTP is who may reach the doors, and where.
type HTTP struct {
	Port             int        `name:"port" var:"PORT" default:"3000" range:"0..65535" help:"TCP port of HTTP and WebSocket. 0 takes a free one."`
	ListenHost       string     `name:"listen-host" var:"TAKOS_CALL_LISTEN_HOST" example:"0.0.0.0" help:"Address to listen on for HTTP. Empty: every address when API_KEY is set or with --lan, else only this machine (127.0.0.1 and ::1)."`
	ScopedKeys       ScopedKeys `name:"scoped-keys" var:"TAKOS_CALL_SCOPED_KEYS" secret:"yes" example:"KEY;read,OTHER;rooms=team-a/" help:"Keys of /takos-api that allow less, beside API_KEY: with read only commands that change nothing, with rooms= only rooms whose id begins so, or both."`
	APIKeys          Keys       `name:"api-key" var:"API_KEY" secret:"yes" example:"new-key,old-key" help:"Key of /takos-api. Several, separated by commas, are all valid, so that a key can be replaced without an interruption."`
	LAN              bool       `name:"lan" var:"TAKOS_CALL_LAN" help:"Let other devices of the local network call: listens on every address, with TLS by a certificate that the server makes itself unless TAKOS_CALL_TLS_CERT names one."`
	TLSCert          string     `name:"tls-cert" var:"TAKOS_CALL_TLS_CERT" example:"/etc/takos-call/fullchain.pem" help:"File with the TLS certificate and its chain (PEM). Read again when it changes."`
	TLSKey           string     `name:"tls-key" var:"TAKOS_CALL_TLS_KEY" example:"/etc/takos-call/privkey.pem" help:"File with the private key of TAKOS_CALL_TLS_CERT (PEM)."`
	BasePath         BasePath   `name:"base-path" var:"TAKOS_CALL_BASE_PATH" example:"/call" help:"Path under which a reverse proxy serves everything, when it does not serve it at the top."`
	PublicURL        URL        `name:"public-url" var:"TAKOS_CALL_PUBLIC_URL" example:"https://call.example.org" help:"Where browsers find the call page, for the links of invitations. Empty: as the request that asks for the invitation was addressed. The base path is part of it."`
	TrustedProxies   Networks   `name:"trusted-proxies" var:"TAKOS_CALL_TRUSTED_PROXIES" example:"127.0.0.1,::1" help:"Addresses and networks of reverse proxies whose X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host are believed; have them set all three."`
	AllowedAddresses Networks   `name:"allowed-addresses" var:"TAKOS_CALL_ALLOWED_ADDRESSES" example:"10.0.0.0/8,2001:db8::7" help:"Addresses and networks that may use the doors which take an API key. Empty: all."`
	AllowedOrigins   Origins    `name:"allowed-origins" var:"TAKOS_CALL_ALLOWED_ORIGINS" example:"https://app.example.org,*.example.com" help:"Web origins whose pages may use the doors which take an API key, or host names with * as a wildcard. Empty: none but the server's own."`
	MetricsAddresses Networks   `name:"metrics-addresses" var:"TAKOS_CALL_METRICS_ADDRESSES" default:"127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7" help:"Addresses and networks that may read /metrics without an API key."`
	DebugListen      string     `name:"debug-listen" var:"TAKOS_CALL_DEBUG_LISTEN" example:"127.0.0.1:6060" help:"Loopback address and port for Go's profiler (/debug/pprof/). Empty: off."`
}

// Media is how audio and video reach the server.
type Media struct {
	ListenIPs        IPs           `name:"listen-ip" var:"MEDIASOUP_LISTEN_IP" default:"0.0.0.0,::" help:"Addresses that media sockets listen on. 0.0.0.0 is every IPv4 address, :: every IPv6 address."`
	AnnouncedIPs     Hosts         `name:"announced-ip" var:"MEDIASOUP_ANNOUNCED_IP" example:"203.0.113.9,192.168.1.7" help:"Addresses or host names that browsers are told to send media to, the most preferred first; for a server behind NAT its public address, and its local one for clients in the same network. Empty: the addresses of the interfaces, without loopback, link-local and container bridges."`
	RTCMinPort       int           `name:"rtc-min-port" var:"MEDIASOUP_RTC_MIN_PORT" default:"40000" range:"0..65535" help:"First port of the range for media. This one port serves all calls, by UDP and by TCP. 0 takes a free one."`
	RTCMaxPort       int           `name:"rtc-max-port" var:"MEDIASOUP_RTC_MAX_PORT" default:"49999" range:"0..65535" help:"Last port of the range for media. The ports after the first are for plain RTP, one or two for each such transport, and for sockets that an application asks for without a port."`
	TCP              bool          `name:"tcp" var:"TAKOS_CALL_TCP" default:"true" negatable:"" help:"Take media over TCP too, on the port of the same number, from clients behind a firewall that blocks UDP. UDP is preferred."`
	TransportTimeout time.Duration `name:"transport-timeout" var:"TAKOS_CALL_TRANSPORT_TIMEOUT" default:"30s" range:"1s..1h" help:"How long a transport may be disconnected before it is closed."`
	ICEServers       ICEServers    `name:"ice-servers" var:"TAKOS_CALL_ICE_SERVERS" secret:"yes" example:"[{\"urls\":\"turn:turn.example.org\",\"username\":\"u\",\"credential\":\"c\"}]" help:"Your own TURN and STUN servers for the browsers, as the JSON list that RTCPeerConnection takes. The server itself needs none."`
	SRTPProfiles     SRTPProfiles  `name:"srtp-profiles" var:"TAKOS_CALL_SRTP_PROFILES" default:"AEAD_AES_128_GCM,AEAD_AES_256_GCM,AES_CM_128_HMAC_SHA1_80" help:"Protection profiles of SRTP, the most preferred first. For tests and odd clients; AEAD_AES_128_GCM costs the least."`
	Sockets          int           `name:"sockets" var:"TAKOS_CALL_SOCKETS" default:"0" range:"0..64" help:"UDP sockets per address, each read by a core. 0: one per core."`
	GSO              bool          `name:"gso" var:"TAKOS_CALL_GSO" default:"true" negatable:"" help:"Let the kernel cut runs of packets (UDP_SEGMENT), which more than halves the cost of sending. Turn it off for a network driver that gets it wrong."`
}

// Calls is how people are let into calls.
type Calls struct {
	Dialect            string        `name:"call-dialect" var:"TAKOS_CALL_CALL_DIALECT" default:"deployed" oneof:"deployed,seed" help:"How others are told of a new producer at /_takos/v2/call: deployed sends produce, seed sends produced. A client can choose for itself with &dialect= in its URL."`
	Domain             string        `name:"domain" var:"TAKOS_CALL_DOMAIN" example:"example.org" help:"What stands behind the @ of the user ids that visitors with an invitation get. Empty: the host of TAKOS_CALL_PUBLIC_URL, or else the one by which the visitor reached the server."`
	GracePeriod        time.Duration `name:"grace-period" var:"TAKOS_CALL_GRACE_PERIOD" default:"15s" range:"1s..10m" help:"How long someone whose WebSocket broke stays in the call while media goes on."`
	Speakers           bool          `name:"speakers" var:"TAKOS_CALL_SPEAKERS" default:"true" negatable:"" help:"Tell backends and browsers who is speaking, from the audio levels that senders tell."`
	TokenLifetime      time.Duration `name:"token-lifetime" var:"TAKOS_CALL_TOKEN_LIFETIME" default:"2m" range:"1s..24h" help:"How long a call token may wait for its first use. After that it lets the same user connect again while the call lives."`
	InvitationLifetime time.Duration `name:"invitation-lifetime" var:"TAKOS_CALL_INVITATION_LIFETIME" default:"24h" range:"1m..8760h" help:"How long the link of an invitation lets people in."`
	PingInterval       time.Duration `name:"ping-interval" var:"TAKOS_CALL_PING_INTERVAL" default:"15s" range:"1s..5m" help:"How often a WebSocket is pinged; one that does not answer until the next ping is taken as lost."`
}

// Limits bound what others can make the server do.
type Limits struct {
	MaxRooms                 int     `name:"max-rooms" var:"TAKOS_CALL_MAX_ROOMS" default:"10000" range:"1..1000000" help:"Rooms at a time."`
	MaxPeers                 int     `name:"max-peers" var:"TAKOS_CALL_MAX_PEERS" default:"500" range:"1..100000" help:"Peers in a room; a room's own maxPeers may be lower."`
	MaxTransports            int     `name:"max-transports" var:"TAKOS_CALL_MAX_TRANSPORTS" default:"32" range:"2..1000" help:"Transports of a peer."`
	MaxProducers             int     `name:"max-producers" var:"TAKOS_CALL_MAX_PRODUCERS" default:"32" range:"1..1000" help:"Producers of a peer."`
	MaxConsumers             int     `name:"max-consumers" var:"TAKOS_CALL_MAX_CONSUMERS" default:"2000" range:"1..100000" help:"Consumers of a peer."`
	MaxWorkers               int     `name:"max-workers" var:"TAKOS_CALL_MAX_WORKERS" default:"1000" range:"1..100000" help:"Workers at a time, of backends that use mediasoup's objects."`
	MaxWorkersPerKey         int     `name:"max-workers-per-key" var:"TAKOS_CALL_MAX_WORKERS_PER_KEY" default:"500" range:"1..100000" help:"Of these, made with one API key."`
	MaxRouters               int     `name:"max-routers" var:"TAKOS_CALL_MAX_ROUTERS" default:"1000" range:"1..100000" help:"Routers of a worker."`
	MaxOpenTransports        int     `name:"max-open-transports" var:"TAKOS_CALL_MAX_OPEN_TRANSPORTS" default:"50000" range:"2..10000000" help:"Transports of all peers together. Each takes about 50 KB of memory."`
	MaxSockets               int     `name:"max-sockets" var:"TAKOS_CALL_MAX_SOCKETS" default:"1024" range:"1..100000" help:"Sockets for media that applications ask for, by WebRTC servers and transports with ports of their own. Each takes a descriptor and about 100 KB of memory."`
	MaxConnections           int     `name:"max-connections" var:"TAKOS_CALL_MAX_CONNECTIONS" default:"10000" range:"1..1000000" help:"HTTP and WebSocket connections at a time."`
	MaxConnectionsPerAddress int     `name:"max-connections-per-address" var:"TAKOS_CALL_MAX_CONNECTIONS_PER_ADDRESS" default:"1000" range:"1..1000000" help:"Of these, from one address other than this machine's and trusted proxies'."`
	MaxTCP                   int     `name:"max-tcp" var:"TAKOS_CALL_MAX_TCP" default:"10000" range:"1..1000000" help:"TCP connections for media at a time."`
	MaxTCPPerAddress         int     `name:"max-tcp-per-address" var:"TAKOS_CALL_MAX_TCP_PER_ADDRESS" default:"512" range:"1..1000000" help:"Of these, from one IPv4 address or IPv6 /64 network; a client takes two."`
	MaxMessageSize           Size    `name:"max-message-size" var:"TAKOS_CALL_MAX_MESSAGE_SIZE" default:"1MiB" range:"16KiB..64MiB" help:"Largest message a client may send; a larger one closes its connection. Participants of a call may send no more than 256KiB in any case."`
	MessageRate              int     `name:"message-rate" var:"TAKOS_CALL_MESSAGE_RATE" default:"200" range:"1..100000" unit:"messages a second" help:"Messages, pings and pongs that a client may send in the long run; short bursts of five times as many pass."`
	APIMessageRate           int     `name:"api-message-rate" var:"TAKOS_CALL_API_MESSAGE_RATE" default:"20000" range:"1..1000000" unit:"messages a second" help:"Commands, pings and pongs that one connection of /takos-api may send in the long run."`
	RequestsPerMinute        int     `name:"requests-per-minute" var:"TAKOS_CALL_REQUESTS_PER_MINUTE" default:"120" range:"1..1000000" unit:"requests a minute" help:"Invitations, tokens for invitations and wrong tokens that one address may ask for."`
	APIRequestRate           int     `name:"api-request-rate" var:"TAKOS_CALL_API_REQUEST_RATE" default:"1000" range:"1..1000000" unit:"requests a second" help:"Commands over HTTP that one address may send."`
	SendQueue                int     `name:"send-queue" var:"TAKOS_CALL_SEND_QUEUE" default:"4096" range:"16..1000000" unit:"messages" help:"Messages that may wait for a slow client before its connection is closed."`
	SendQueueSize            Size    `name:"send-queue-size" var:"TAKOS_CALL_SEND_QUEUE_SIZE" default:"8MiB" range:"64KiB..1GiB" help:"What those messages may take together."`
	MaxIncomingBitrate       Bitrate `name:"max-incoming-bitrate" var:"TAKOS_CALL_MAX_INCOMING_BITRATE" default:"0" help:"What each client is told to stay below when it sends, in bits a second, unless /takos-api sets something lower or later. 0: no limit but the network's."`
}

// Run is how the process runs.
type Run struct {
	DataDir       string        `name:"data-dir" var:"TAKOS_CALL_DATA_DIR" default:"takos-data" help:"Folder for what must survive a restart: tokens, invitations, the certificate of --lan."`
	DrainDeadline time.Duration `name:"drain-deadline" var:"TAKOS_CALL_DRAIN_DEADLINE" default:"30s" range:"0s..24h" help:"How long calls may go on after SIGTERM; new rooms are refused meanwhile."`
	LogLevel      string        `name:"log-level" var:"MEDIASOUP_LOG_LEVEL" default:"info" oneof:"debug,info,warn,error,none" help:"The least important messages to log."`
	LogFormat     string        `name:"log-format" var:"TAKOS_CALL_LOG_FORMAT" default:"text" oneof:"text,json" help:"Form of the log on standard error."`
	ConfigFile    string        `name:"config" var:"TAKOS_CALL_CONFIG" example:"/etc/takos-call/takos-call.yaml" help:"Settings file (YAML). Empty: takos-call.yaml in the working directory, when there is one. Its keys are the names of the flags."`
	EnvFile       string        `name:"env-file" var:"TAKOS_CALL_ENV_FILE" example:"/etc/takos-call/env" help:"File with environment variables. Empty: .env in the working directory, when there is one."`
}

// LoopbackOnly reports whether only this machine can get in: the HTTP listener is
// on loopback, and no setting speaks of a proxy that lets others through.
func (c *Config) LoopbackOnly() bool {
	for _, host := range c.ListenHosts() {
		if !isLoopback(host) {
			return false
		}
	}
	u, err := url.Parse(string(c.PublicURL))
	return len(c.TrustedProxies) == 0 && err == nil && (c.PublicURL == "" || isLoopback(u.Hostname()))
}

// ListenHosts returns the hosts to listen on for HTTP; "" is every address.
func (c *Config) ListenHosts() []string {
	switch {
	case c.ListenHost == "localhost":
		return []string{"127.0.0.1", "::1"}
	case c.ListenHost != "":
		return []string{c.ListenHost}
	case c.LAN || len(c.APIKeys) > 0:
		return []string{""}
	}
	return []string{"127.0.0.1", "::1"}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// AddressPolicy says which addresses of this machine may be announced.
func (c *Config) AddressPolicy() address.Policy {
	return address.Policy{Listen: c.ListenIPs, Announced: c.AnnouncedIPs, LoopbackOnly: c.LoopbackOnly()}
}

// HTTPS reports whether the HTTP listener itself speaks TLS.
func (c *Config) HTTPS() bool { return c.LAN || c.TLSCert != "" }

// LocalURL is where this machine finds the HTTP listener, without a slash at
// the end.
func (c *Config) LocalURL() string {
	scheme := "http"
	if c.HTTPS() {
		scheme = "https"
	}
	host := c.ListenHosts()[0]
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if err == nil && ip.Is6() {
			host = "::1"
		}
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(c.Port)) + string(c.BasePath)
}
