package signal

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Origins are the web pages that may open a session that needs no token: web
// origins, or host names of whichever scheme, with * as a wildcard within one,
// such as "https://app.example.com", "*.example.com" or "localhost:*". A request
// without an Origin header does not come from a page.
type Origins []string

// Allow reports whether the request comes from no page, from a page of this
// server or from one of the list.
func (o Origins) Allow(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	// Where we speak TLS ourselves a page that did not come by it is not ours:
	// anybody on its way could have written it.
	if strings.EqualFold(u.Host, r.Host) && (r.TLS == nil || u.Scheme == "https") {
		return true
	}
	for _, pattern := range o {
		scheme, host, both := strings.Cut(strings.ToLower(pattern), "://")
		if !both {
			host = scheme
		} else if scheme != strings.ToLower(u.Scheme) {
			continue
		}
		if matched, err := path.Match(host, strings.ToLower(u.Host)); err == nil && matched {
			return true
		}
	}
	return false
}

// IsUpgrade reports whether the request asks for a WebSocket.
func IsUpgrade(r *http.Request) bool {
	return headerHas(r.Header, "Connection", "upgrade") && headerHas(r.Header, "Upgrade", "websocket")
}

func headerHas(h http.Header, name, token string) bool {
	for _, value := range h.Values(name) {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
