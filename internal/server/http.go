package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/takoserver/takos-call/internal/address"
	"github.com/takoserver/takos-call/internal/admin"
	"github.com/takoserver/takos-call/internal/auth"
	"github.com/takoserver/takos-call/internal/signal/takosapi"
	"github.com/takoserver/takos-call/internal/signal/takoscall"
	"github.com/takoserver/takos-call/web"
)

// Timeouts of HTTP. They end with the upgrade: WebSockets last as long as a call,
// and the doors have timeouts of their own for them.
const (
	headerTimeout   = 10 * time.Second
	requestTimeout  = 30 * time.Second // to send a request, body and all
	answerTimeout   = time.Minute      // to take the answer
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 5 * time.Second // for answers that are under way at the end
	maxHeaderBytes  = 32 << 10
)

// openHTTP opens the listeners and makes what answers on them.
func (s *Server) openHTTP(ctx context.Context) error {
	c := s.config
	s.gate.limit = int64(c.MaxConnections)
	s.gate.perAddress = c.MaxConnectionsPerAddress
	trusted := auth.Addresses(c.TrustedProxies)
	s.gate.exempt = func(from netip.Addr) bool { return from.IsLoopback() || trusted.Contains(from) }
	s.gate.over = func(refused uint64) {
		s.log.Warn("connections were refused: there are too many", "refused", refused, "limit", c.MaxConnections, "per address", c.MaxConnectionsPerAddress)
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // strangers' broken handshakes
	}
	if c.HTTPS() {
		certificate, err := s.openCertificate()
		if err != nil {
			return err
		}
		s.http.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}
	}
	listeners, err := listenAll(ctx, c.ListenHosts(), c.Port)
	if err != nil {
		return err
	}
	s.listeners = listeners
	s.onClose(s.closeHTTP)
	return nil
}

// openCertificate opens the files of the settings, or with --lan those that the
// server makes itself.
func (s *Server) openCertificate() (*certificateFile, error) {
	c := s.config
	if c.TLSCert != "" {
		certificate, err := openCertificate(c.TLSCert, c.TLSKey, s.log)
		if err != nil {
			return nil, fmt.Errorf("TAKOS_CALL_TLS_CERT (--tls-cert) and TAKOS_CALL_TLS_KEY (--tls-key) must name a certificate and its key in PEM: %w", err)
		}
		return certificate, nil
	}
	interfaces, err := address.Interfaces()
	if err != nil {
		return nil, err
	}
	policy := c.AddressPolicy()
	policy.LoopbackOnly = true // people on this machine use localhost
	var addresses []netip.Addr
	for _, host := range address.Announced(address.Choose(interfaces, policy)) {
		if ip, err := netip.ParseAddr(host); err == nil {
			addresses = append(addresses, ip)
		}
	}
	certPath, keyPath, err := selfSigned(c.DataDir, addresses, time.Now())
	if err != nil {
		return nil, err
	}
	return openCertificate(certPath, keyPath, s.log)
}

// closeHTTP ends what is left of HTTP; the doors have closed their WebSockets.
func (s *Server) closeHTTP() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
	for _, l := range s.listeners {
		_ = l.Close() // those that were never served
	}
}

// handler routes requests. The base path precedes everything but the questions
// of load balancers, which may ask the server past its proxy.
func (s *Server) handler() http.Handler {
	operators := admin.Handler(admin.Options{
		Source: s, Readiness: s, Version: s.build.Version, Commit: s.build.Commit,
		AllowMetrics: s.mayReadMetrics, Logger: s.log,
	})
	mux := http.NewServeMux()
	for _, path := range []string{"/health", "/ready", "/metrics"} {
		mux.Handle(path, operators)
	}
	mux.Handle(takosapi.Path, s.api)
	mux.Handle(takosapi.Path+"/", s.api)
	for _, path := range []string{takoscall.PathCall, takoscall.PathInvitation, takoscall.PathToken} {
		mux.Handle(path, s.call)
	}
	mux.Handle("/", web.Handler())

	base := string(s.config.BasePath)
	if base == "" {
		return s.recovering(s.asAddressed(s.onlyOurHost(mux)))
	}
	top := http.NewServeMux()
	for _, path := range []string{"/health", "/ready", "/metrics"} {
		top.Handle(path, operators)
	}
	top.Handle(base+"/", http.StripPrefix(base, mux)) // without the slash net/http redirects
	return s.recovering(s.asAddressed(s.onlyOurHost(top)))
}

// asAddressed gives a request the host that the client addressed, which a
// trusted proxy passes on. Origins are compared with it.
func (s *Server) asAddressed(next http.Handler) http.Handler {
	trusted := auth.Addresses(s.config.TrustedProxies)
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if host := r.Header.Get("X-Forwarded-Host"); isHost(host) && err == nil && trusted.Contains(peer.Addr().Unmap()) {
			r = r.Clone(r.Context())
			r.Host = host
		}
		next.ServeHTTP(w, r)
	})
}

// recovering keeps a panic in a handler from being more than one failed request,
// and counts it.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.panics.Add(1)
				s.log.Error("a request panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				panic(http.ErrAbortHandler) // net/http closes the connection
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// onlyOurHost refuses requests that did not come straight from this machine
// where no key protects the server. Otherwise any web page could make a name of
// its own lead to this machine and so be of the same origin as the server (DNS
// rebinding), and a proxy that somebody puts in front would let everybody in.
func (s *Server) onlyOurHost(next http.Handler) http.Handler {
	if !s.open() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		ip, err := netip.ParseAddr(host)
		local := host == "localhost" || err == nil && ip.IsLoopback()
		if !local || proxied(r) {
			writeError(w, http.StatusMisdirectedRequest, "MISDIRECTED",
				"without an API key this server answers only on its own machine, as localhost; behind a proxy it needs API_KEY and TAKOS_CALL_TRUSTED_PROXIES")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// proxied reports whether a request shows any sign of a proxy between the client
// and us. HTTP/1.0 is what nginx speaks to what is behind it unless it is told
// otherwise, and no browser or library of today.
func proxied(r *http.Request) bool {
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return !r.ProtoAtLeast(1, 1)
}

// isHost reports whether text can be the host of a URL, with or without a port.
// What comes in the header Host net/http has looked at.
func isHost(text string) bool {
	const others = "-._:[]"
	return text != "" && len(text) <= 255 && !strings.ContainsFunc(text, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(others, c))
	})
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

// mayReadMetrics allows the addresses of the settings, and whoever has a key and
// an address from which keys are taken. A request through a proxy that is not
// trusted could come from anywhere.
func (s *Server) mayReadMetrics(r *http.Request) bool {
	trusted := auth.Addresses(s.config.TrustedProxies)
	allowed := auth.Addresses(s.config.AllowedAddresses)
	if _, ok := s.keys.Check(auth.RequestKey(r)); ok && allowed.Allows(auth.ClientAddress(r, trusted)) {
		return true
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	if proxied(r) && !trusted.Contains(peer.Addr().Unmap()) {
		return false
	}
	return auth.Addresses(s.config.MetricsAddresses).Contains(auth.ClientAddress(r, trusted))
}

func writeError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"success": false,
		"error":   map[string]string{"code": code, "message": message},
	})
}

// openDebug opens Go's profiler, on loopback (config.Check sees to that).
func (s *Server) openDebug(ctx context.Context) error {
	if s.config.DebugListen == "" {
		return nil
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.config.DebugListen)
	if err != nil {
		return fmt.Errorf("open the debug listener: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l) // ends with Close
	}()
	s.onClose(func() {
		_ = server.Close()
		<-served
	})
	s.log.Info("the profiler listens", "address", l.Addr().String())
	return nil
}
