package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Secret is a value that must not be printed or logged.
type Secret string

// String hides the value from fmt.
func (Secret) String() string { return "(secret)" }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the value from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Keys are API keys, all of them valid.
type Keys []Secret

// UnmarshalText reads keys separated by commas.
func (k *Keys) UnmarshalText(text []byte) error {
	return unmarshalList(k, text, func(s string) (Secret, error) { return Secret(s), nil })
}

func (Keys) want() string { return "keys separated by commas" }

// ScopedKey is an API key that allows less than everything.
type ScopedKey struct {
	Secret     Secret
	ReadOnly   bool   // only commands that change nothing
	RoomPrefix string // only rooms whose id begins with it; empty is all
}

// ScopedKeys are API keys that allow less than everything.
type ScopedKeys []ScopedKey

// UnmarshalText reads keys separated by commas, each followed by what it is
// limited to, after semicolons.
func (k *ScopedKeys) UnmarshalText(text []byte) error { return unmarshalList(k, text, parseScopedKey) }

func parseScopedKey(text string) (ScopedKey, error) {
	secret, rest, limited := strings.Cut(text, ";")
	key := ScopedKey{Secret: Secret(strings.TrimSpace(secret))}
	if !limited || key.Secret == "" {
		return key, errors.New("a key or its limits are missing")
	}
	for limit := range strings.SplitSeq(rest, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(limit), "=")
		switch {
		case name == "read" && value == "":
			key.ReadOnly = true
		case name == "rooms" && value != "":
			key.RoomPrefix = value
		default:
			return key, errors.New("a limit is neither read nor rooms=PREFIX")
		}
	}
	return key, nil
}

func (ScopedKeys) want() string {
	return "keys with their limits, such as KEY;read or KEY;read;rooms=team-a/, separated by commas"
}

// IPs are IP addresses.
type IPs []netip.Addr

// UnmarshalText reads addresses separated by commas.
func (l *IPs) UnmarshalText(text []byte) error { return unmarshalList(l, text, netip.ParseAddr) }

func (IPs) want() string {
	return "IP addresses separated by commas, such as 0.0.0.0 for every IPv4 address"
}

// Networks are networks in CIDR notation.
type Networks []netip.Prefix

// UnmarshalText reads networks and addresses separated by commas; an address
// is a network of one.
func (l *Networks) UnmarshalText(text []byte) error {
	return unmarshalList(l, text, func(s string) (netip.Prefix, error) {
		if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
			ip = ip.Unmap()
			return netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	})
}

func (Networks) want() string {
	return "addresses or networks separated by commas, such as 10.0.0.0/8 or 2001:db8::7"
}

// Hosts are IP addresses and host names.
type Hosts []string

// UnmarshalText reads hosts separated by commas. Addresses get their shortest
// form.
func (l *Hosts) UnmarshalText(text []byte) error {
	return unmarshalList(l, text, func(s string) (string, error) {
		if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
			return ip.Unmap().String(), nil
		}
		if !isHostName(s) {
			return "", fmt.Errorf("%q is neither an address nor a host name", s)
		}
		return strings.ToLower(s), nil
	})
}

func (Hosts) want() string {
	return "addresses or host names separated by commas, such as 203.0.113.9 or call.example.org"
}

// isHostName reports whether s is a host name (RFC 1123 §2.1). All digits and
// dots is not one, but a mistyped address.
func isHostName(s string) bool {
	if len(s) == 0 || len(s) > 253 || strings.Trim(s, "0123456789.") == "" {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		letters := func(r rune) bool {
			return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-'
		}
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !letters(r) }) {
			return false
		}
	}
	return true
}

// Origins are web origins (RFC 6454), or hosts of whichever scheme, in which *
// stands for any text: https://app.example.org, *.example.org, localhost:*.
type Origins []string

// UnmarshalText reads origins and host patterns separated by commas.
func (l *Origins) UnmarshalText(text []byte) error {
	return unmarshalList(l, text, func(s string) (string, error) {
		host := s
		if strings.Contains(s, "://") {
			u, err := parseURL(s)
			if err != nil || u.Path != "" {
				return "", fmt.Errorf("%q is not a web origin", s)
			}
			host = u.Host
		}
		if strings.ContainsAny(host, "/?#@[]\\ ") {
			return "", fmt.Errorf("%q is not a host", s)
		}
		return strings.ToLower(s), nil
	})
}

func (Origins) want() string {
	return "web origins or hosts separated by commas, such as https://app.example.org or *.example.org, without a path"
}

// URL is a web address without a trailing slash, or "".
type URL string

// UnmarshalText reads an http or https URL without query and fragment.
func (u *URL) UnmarshalText(text []byte) error {
	*u = ""
	if len(text) == 0 {
		return nil
	}
	parsed, err := parseURL(strings.TrimRight(string(text), "/"))
	if err == nil {
		*u = URL(parsed.String())
	}
	return err
}

func (URL) want() string { return "a web address such as https://call.example.org" }

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("%q is not a plain web address", s)
	}
	return u, nil
}

// BasePath is the path before everything: "" or "/a/b".
type BasePath string

// UnmarshalText reads a path; slashes at its ends do not matter.
func (p *BasePath) UnmarshalText(text []byte) error {
	*p = ""
	trimmed := strings.Trim(string(text), "/")
	if trimmed == "" {
		return nil
	}
	for part := range strings.SplitSeq(trimmed, "/") {
		if part == "" || part == "." || part == ".." || part != url.PathEscape(part) {
			return fmt.Errorf("%q is no part of a plain path", part)
		}
	}
	*p = BasePath("/" + trimmed)
	return nil
}

func (BasePath) want() string { return "a path such as /call, of letters, digits, - and _" }

// ICEServer is an RTCIceServer of the W3C's WebRTC specification.
type ICEServer struct {
	URLs       ICEURLs `json:"urls"`
	Username   string  `json:"username,omitempty"`
	Credential string  `json:"credential,omitempty"`
}

// ICEURLs are the URLs of an [ICEServer]: in JSON a string or a list.
type ICEURLs []string

// UnmarshalJSON reads a string or a list of strings.
func (l *ICEURLs) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*l = ICEURLs{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// ICEServers is what a browser is given as its iceServers.
type ICEServers []ICEServer

// UnmarshalText reads the JSON list.
func (l *ICEServers) UnmarshalText(text []byte) error {
	*l = nil
	if len(text) == 0 {
		return nil
	}
	var servers []ICEServer
	if err := json.Unmarshal(text, &servers); err != nil {
		return fmt.Errorf("it is not the JSON list expected: %w", err)
	}
	for _, s := range servers {
		if len(s.URLs) == 0 {
			return fmt.Errorf("a server in it has no urls")
		}
		for _, u := range s.URLs {
			scheme, _, _ := strings.Cut(u, ":")
			if !slices.Contains([]string{"stun", "stuns", "turn", "turns"}, scheme) {
				return fmt.Errorf("%q in it is no URL of a STUN or TURN server", u)
			}
		}
	}
	*l = servers
	return nil
}

func (ICEServers) want() string {
	return `a JSON list such as [{"urls":"turn:turn.example.org","username":"u","credential":"c"}]`
}

// SRTPProfiles are names of SRTP protection profiles, the most preferred first.
type SRTPProfiles []string

// srtpProfiles are the profiles this server speaks (RFC 5764 §4.1.2, RFC 7714 §14.2).
var srtpProfiles = []string{"AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES_CM_128_HMAC_SHA1_80"}

// UnmarshalText reads names separated by commas.
func (l *SRTPProfiles) UnmarshalText(text []byte) error {
	err := unmarshalList(l, text, func(s string) (string, error) {
		if !slices.Contains(srtpProfiles, s) {
			return "", fmt.Errorf("%q is none of them", s)
		}
		return s, nil
	})
	if err == nil && len(*l) == 0 {
		err = fmt.Errorf("the list is empty")
	}
	return err
}

func (SRTPProfiles) want() string { return "a list of " + strings.Join(srtpProfiles, ", ") }

// Size is a number of bytes.
type Size int64

// sizeUnits are the units of a Size, the largest first.
var sizeUnits = []unit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}

// UnmarshalText reads a number of bytes, such as 65536, 64KiB or 4MiB.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := parseUnits(string(text), sizeUnits)
	*s = Size(n)
	return err
}

// String returns the size in the largest unit that fits evenly.
func (s Size) String() string { return formatUnits(int64(s), sizeUnits) }

func (Size) want() string { return "a number of bytes, such as 65536, 64KiB or 4MiB" }

// Bitrate is a number of bits per second.
type Bitrate int64

var bitrateUnits = []unit{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1}}

// UnmarshalText reads a number of bits per second, such as 1500000, 600k or 2M.
func (b *Bitrate) UnmarshalText(text []byte) error {
	n, err := parseUnits(string(text), bitrateUnits)
	*b = Bitrate(n)
	return err
}

// String returns the rate in the largest unit that fits evenly.
func (b Bitrate) String() string { return formatUnits(int64(b), bitrateUnits) }

func (Bitrate) want() string {
	return "a number of bits a second, such as 1500000, 600k or 2M"
}

type unit struct {
	suffix string
	factor int64
}

// parseUnits reads a whole number with one of the units.
func parseUnits(text string, units []unit) (int64, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/u.factor {
			break
		}
		return n * u.factor, nil
	}
	return 0, fmt.Errorf("%q is not such a number", text)
}

func formatUnits(n int64, units []unit) string {
	for _, u := range units {
		if n%u.factor == 0 && (n != 0 || u.factor == 1) {
			return strconv.FormatInt(n/u.factor, 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}

// unmarshalList reads items separated by commas; blanks around them do not
// matter and an empty text is an empty list.
func unmarshalList[L ~[]T, T any](list *L, text []byte, parse func(string) (T, error)) error {
	*list = nil
	for item := range strings.SplitSeq(string(text), ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		value, err := parse(item)
		if err != nil {
			return err
		}
		*list = append(*list, value)
	}
	return nil
}
