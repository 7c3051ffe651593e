// Package web is the call page: the built files of this folder's TypeScript, and the handler that serves them.
//
// It knows nothing of calls. The page finds the doors it needs (/_takos/v2/call and the two beside it) by
// addresses relative to its own, so that a base path may precede everything: mount the handler behind
// http.StripPrefix. A Handler may be used from any goroutine.
package web

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// dist is empty but for .keep in a clone in which the page has not been built.
//
//go:embed all:dist
var dist embed.FS

// notBuilt is what people see who built the server without its page.
const notBuilt = "The call page is not part of this build. Run `make build`, which builds it first.\n"

// policy allows the page its own files and connections, and nothing inline or foreign (CSP Level 3).
var policy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' data:",
	"media-src 'self' blob: mediastream:",
	// Safari 15 does not take 'self' for a WebSocket of the same origin.
	"connect-src 'self' ws: wss:",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'self'",
}, "; ")

// Built reports whether this binary contains the page.
func Built() bool {
	_, err := fs.Stat(dist, "dist/index.html")
	return err == nil
}

// Handler serves GET and HEAD of / (the start page), /c/INVITATION (the call) and /assets/.
// Everything else is 404. Where the page is not built, the first two answer 503 and say so.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // Only an invalid path fails, and ours is constant.
	}
	return newHandler(files)
}

func newHandler(files fs.FS) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page(files, "index.html"))
	mux.Handle("GET /c/{invitation}", page(files, "call.html"))
	mux.Handle("GET /assets/{name}", asset(files))
	return mux
}

// page serves an HTML file under a strict policy. It is asked for anew each time: it names the current assets.
func page(files fs.FS, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		html, err := fs.ReadFile(files, name)
		if err != nil {
			http.Error(w, notBuilt, http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()")
		// The address of a call is an invitation: no other site is to learn it.
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-cache")
		_, _ = w.Write(html)
	})
}

// asset serves a built file. Its name holds a hash of its content, so it may be kept for ever.
func asset(files fs.FS) http.Handler {
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Join("assets", r.PathValue("name"))
		if info, err := fs.Stat(files, name); err != nil || info.IsDir() {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		server.ServeHTTP(w, r)
	})
}
