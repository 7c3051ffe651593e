package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/takoserver/takos-call/internal/address"
)

// publishedKey is the key that an older server had when nobody set one. Whoever
// copied its settings must not open the server to everybody who knows that.
const publishedKey = "default_api_key"

// shortKey is the length below which a key can be guessed.
const shortKey = 16

// Check returns an error for settings that are right one by one but not
// together. name gives the name of a setting in the source that it came from
// ([Sources.Name]).
func (c *Config) Check(name func(setting string) string) error {
	for _, check := range []func(*Config, func(string) string) error{
		checkListen, checkKeys, checkTLS, checkDomain, checkAnnounced, checkPorts, checkDebug,
	} {
		if err := check(c, name); err != nil {
			return err
		}
	}
	return nil
}

// Advice returns sentences about settings that work but may not be meant.
func (c *Config) Advice(name func(setting string) string) []string {
	var advice []string
	if slices.ContainsFunc(c.APIKeys, func(k Secret) bool { return len(k) < shortKey }) {
		advice = append(advice, fmt.Sprintf("%s holds a key of fewer than %d characters, which can be guessed; make one with: openssl rand -hex 32", name("api-key"), shortKey))
	}
	if !c.LoopbackOnly() && !c.LAN && c.TLSCert == "" && len(c.TrustedProxies) == 0 {
		advice = append(advice, fmt.Sprintf("browsers give a page camera and microphone only over HTTPS: set %s and %s, or %s for a reverse proxy that does TLS", name("tls-cert"), name("tls-key"), name("trusted-proxies")))
	}
	return advice
}

func checkListen(c *Config, name func(string) string) error {
	host := c.ListenHost
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" && host != "" {
		return fmt.Errorf("%s is %q, but must be an IP address of this machine, 0.0.0.0, :: or localhost", name("listen-host"), host)
	}
	if c.LAN && isLoopback(host) {
		return fmt.Errorf("%s is for other devices, but %s keeps them out; leave one of them away", name("lan"), name("listen-host"))
	}
	if c.LAN || len(c.APIKeys) > 0 || c.LoopbackOnly() {
		return nil
	}
	opening := "listen-host" // what lets others in
	if host == "" || isLoopback(host) {
		opening = "public-url"
		if len(c.TrustedProxies) > 0 {
			opening = "trusted-proxies"
		}
	}
	return fmt.Errorf("%s lets other machines in, but no API key protects the server: set %s (make one with: openssl rand -hex 32), or use --lan to let in those who have an invitation, or leave %s away",
		name(opening), name("api-key"), name(opening))
}

func checkKeys(c *Config, name func(string) string) error {
	if len(c.ScopedKeys) > 0 && len(c.APIKeys) == 0 {
		return fmt.Errorf("%s holds keys that may do less than others, but there is no other: set %s too (make one with: openssl rand -hex 32)", name("scoped-keys"), name("api-key"))
	}
	if slices.Contains(c.APIKeys, publishedKey) {
		return fmt.Errorf("%s holds %s, which everybody knows; make a key of your own with: openssl rand -hex 32", name("api-key"), publishedKey)
	}
	return nil
}

// domainPattern is a host name or an IPv4 address.
var domainPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

func checkDomain(c *Config, name func(string) string) error {
	if c.Domain != "" && !domainPattern.MatchString(c.Domain) {
		return fmt.Errorf("%s is %q, but must be a domain like example.org", name("domain"), c.Domain)
	}
	return nil
}

func checkTLS(c *Config, name func(string) string) error {
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		return fmt.Errorf("%s is set, but %s must be set too", name("tls-cert"), name("tls-key"))
	case c.TLSKey != "" && c.TLSCert == "":
		return fmt.Errorf("%s is set, but %s must be set too", name("tls-key"), name("tls-cert"))
	}
	return nil
}

func checkAnnounced(c *Config, name func(string) string) error {
	if len(c.ListenIPs) == 0 {
		return fmt.Errorf("%s is empty, but must be %s", name("listen-ip"), IPs{}.want())
	}
	for _, host := range c.AnnouncedIPs {
		ip, err := netip.ParseAddr(host)
		if err != nil {
			continue // a host name
		}
		if reason := address.Unusable(ip, c.LoopbackOnly()); reason != "" {
			hint := "name an address that clients can reach, or leave it empty to announce what this machine has"
			if ip.IsLoopback() {
				hint += "; for calls on this machine only, set " + name("listen-host") + " to localhost"
			}
			return fmt.Errorf("%s contains %s, which cannot be announced, because %s; %s", name("announced-ip"), host, reason, hint)
		}
	}
	return nil
}

func checkPorts(c *Config, name func(string) string) error {
	if c.RTCMinPort > c.RTCMaxPort {
		return fmt.Errorf("%s is %d, but must not be above %s, which is %d", name("rtc-min-port"), c.RTCMinPort, name("rtc-max-port"), c.RTCMaxPort)
	}
	return nil
}

func checkDebug(c *Config, name func(string) string) error {
	if c.DebugListen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.DebugListen)
	if err != nil || !isLoopback(strings.TrimSpace(host)) {
		return fmt.Errorf("%s is %q, but must be a loopback address and a port, such as 127.0.0.1:6060, because the profiler tells secrets", name("debug-listen"), c.DebugListen)
	}
	return nil
}
