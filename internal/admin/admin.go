// Package admin serves what operators and their machines ask a server: whether
// the process lives (/health), whether it takes calls (/ready), and its figures
// for Prometheus (/metrics).
//
// It knows the server only by the two interfaces that it declares. Everything
// may be called from any goroutine.
package admin

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Source is where the figures come from.
type Source interface {
	// Figures returns the state of this moment. It is called for each scrape.
	Figures() Figures
}

// Readiness tells whether the server takes calls.
type Readiness interface {
	// NotReady returns why not, each a short sentence for people; none: it does.
	NotReady() []string
}

// Options are what the pages need.
type Options struct {
	Source    Source
	Readiness Readiness
	// Version and Commit name the build.
	Version, Commit string
	// AllowMetrics decides who may read /metrics; nil is everybody.
	AllowMetrics func(*http.Request) bool
	Logger       *slog.Logger // default slog.Default
}

// Handler returns the handler of /health, /ready and /metrics; everything else
// is not found. Its registry is its own, so that two servers in one process do
// not meet in Prometheus's global one.
func Handler(o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) { writeReady(w, o.Readiness.NotReady()) })
	mux.Handle("GET /metrics", guarded(o.AllowMetrics, metrics(o)))
	return mux
}

// writeReady answers 200 or 503, which is what load balancers look at.
func writeReady(w http.ResponseWriter, reasons []string) {
	status := http.StatusOK
	if len(reasons) > 0 {
		status = http.StatusServiceUnavailable
	} else {
		reasons = []string{}
	}
	writeJSON(w, status, struct {
		Ready   bool     `json:"ready"`
		Reasons []string `json:"reasons"`
	}{len(reasons) == 0, reasons})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked may have gone
}

// guarded refuses whoever is not allowed.
func guarded(allow func(*http.Request) bool, next http.Handler) http.Handler {
	if allow == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allow(r) {
			writeJSON(w, http.StatusForbidden, map[string]any{
				"success": false,
				"error":   map[string]string{"code": "FORBIDDEN", "message": "this address may not read the metrics without an API key"},
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func metrics(o Options) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newCollector(o.Source, o.Version, o.Commit),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(o.Logger.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
	})
}
