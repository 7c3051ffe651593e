package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// expirySoon is when a certificate should be about to be renewed: ACME clients
// renew 30 days before the end.
const expirySoon = 14 * 24 * time.Hour

// checkTLS looks at the certificate as a browser would.
func checkTLS(m Machine, s Settings, r *Report) {
	const topic = "TLS"
	if s.TLSCert == "" {
		if s.LAN {
			r.add(Note, topic, "the server makes a certificate itself; browsers will warn about it", "")
		}
		return
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		r.add(Bad, topic, err.Error(), fmt.Sprintf("%s and %s must be files of a matching pair in PEM form", s.Name("tls-cert"), s.Name("tls-key")))
		return
	}
	leaf := pair.Leaf
	now := m.Now()
	switch {
	case now.After(leaf.NotAfter):
		r.add(Bad, topic, fmt.Sprintf("the certificate in %s has expired on %s", s.TLSCert, leaf.NotAfter.Format(time.DateOnly)), "renew it; a running server takes the new file by itself")
	case now.Before(leaf.NotBefore):
		r.add(Bad, topic, fmt.Sprintf("the certificate in %s is not valid before %s", s.TLSCert, leaf.NotBefore.Format(time.DateTime)), "look at this machine's clock")
	case leaf.NotAfter.Sub(now) < expirySoon:
		r.add(Warn, topic, fmt.Sprintf("the certificate in %s expires on %s", s.TLSCert, leaf.NotAfter.Format(time.DateOnly)), "see why it has not been renewed")
	default:
		r.add(Good, topic, fmt.Sprintf("%s and %s match; valid until %s", s.TLSCert, s.TLSKey, leaf.NotAfter.Format(time.DateOnly)), "")
	}
	checkNames(s, r, leaf)
	checkIssuer(m, r, pair)
	if info, err := os.Stat(s.TLSKey); err == nil && info.Mode().Perm()&0o004 != 0 {
		r.add(Warn, "TLS key", "every user of this machine can read "+s.TLSKey, "chmod o-r "+s.TLSKey)
	}
}

// checkNames compares the certificate with the name that people will use. What
// media is announced by may be another name, which needs no certificate.
func checkNames(s Settings, r *Report, leaf *x509.Certificate) {
	const topic = "TLS names"
	if u, err := url.Parse(string(s.PublicURL)); err == nil && u.Hostname() != "" {
		if err := leaf.VerifyHostname(u.Hostname()); err != nil {
			r.add(Bad, topic, fmt.Sprintf("the certificate is not for the host of %s: %v", s.Name("public-url"), err), "get one that is")
		} else {
			r.add(Good, topic, "the certificate is for "+u.Hostname(), "")
		}
		return
	}
	for _, host := range s.AnnouncedIPs {
		if _, err := netip.ParseAddr(host); err != nil && leaf.VerifyHostname(host) != nil {
			r.add(Note, topic, "the certificate is not for "+host+", which media is announced by", "this is right if people open the page by another name")
		}
	}
}

// checkIssuer sees whether the chain in the file leads to an issuer that this
// machine trusts; browsers trust much the same.
func checkIssuer(m Machine, r *Report, pair tls.Certificate) {
	intermediates := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			intermediates.AddCert(c)
		}
	}
	_, err := pair.Leaf.Verify(x509.VerifyOptions{Intermediates: intermediates, CurrentTime: between(pair.Leaf, m.Now())})
	if err != nil {
		r.add(Warn, "TLS issuer", "this machine does not trust the certificate: "+err.Error(), "browsers may not either; the file must hold the whole chain, the server's own certificate first")
	}
}

// between returns now, or a time within the certificate's validity, whose end is
// reported apart.
func between(c *x509.Certificate, now time.Time) time.Time {
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return c.NotBefore
	}
	return now
}
