package client

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	apiPath  = "/takos-api"
	keyField = "api_key" // in a query, as other clients write it
	keyName  = "Api-Key" // in a header
)

// endpoint is what to dial.
type endpoint struct {
	url    string
	header http.Header
}

// parseEndpoint completes the URL of a server. A key in the query goes into the
// header, where proxies do not log it.
func parseEndpoint(address, key string) (endpoint, error) {
	u, err := url.Parse(address)
	if err != nil {
		return endpoint{}, fmt.Errorf("the server's URL cannot be read: %w", withoutURL(err))
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return endpoint{}, fmt.Errorf("the server's URL must begin with ws://, wss://, http:// or https://, not %q", u.Scheme)
	}
	if u.Host == "" {
		return endpoint{}, fmt.Errorf("the server's URL names no host")
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	if !strings.HasSuffix(u.Path, apiPath) {
		u.Path += apiPath
	}
	query := u.Query()
	if key == "" {
		key = query.Get(keyField)
	}
	query.Del(keyField)
	u.RawQuery, u.RawPath, u.Fragment = query.Encode(), "", ""
	header := http.Header{}
	if key != "" {
		header.Set(keyName, key)
	}
	return endpoint{u.String(), header}, nil
}

// withoutURL strips what may contain a key.
func withoutURL(err error) error {
	if wrapped, ok := err.(*url.Error); ok {
		return wrapped.Err
	}
	return err
}
