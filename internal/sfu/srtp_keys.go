package sfu

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/pion/srtp/v3"
)

// SRTPCryptoSuite is how a PlainTransport protects packets, by the names of
// RFC 4568 §6.2 and RFC 7714 §14.2.
type SRTPCryptoSuite string

// The suites that mediasoup knows.
const (
	AEADAES256GCM      SRTPCryptoSuite = "AEAD_AES_256_GCM"
	AEADAES128GCM      SRTPCryptoSuite = "AEAD_AES_128_GCM"
	AESCM128HMACSHA180 SRTPCryptoSuite = "AES_CM_128_HMAC_SHA1_80"
	AESCM128HMACSHA132 SRTPCryptoSuite = "AES_CM_128_HMAC_SHA1_32"
)

// SRTPParameters are the key that one side encrypts with.
type SRTPParameters struct {
	CryptoSuite SRTPCryptoSuite `json:"cryptoSuite"`
	// KeyBase64 is the master key and, behind it, the master salt.
	KeyBase64 string `json:"keyBase64"`
}

// profile is the suite as Pion knows it. Errors: *ortc.Error.
func (s SRTPCryptoSuite) profile() (srtp.ProtectionProfile, error) {
	switch s {
	case AEADAES256GCM:
		return srtp.ProtectionProfileAeadAes256Gcm, nil
	case AEADAES128GCM:
		return srtp.ProtectionProfileAeadAes128Gcm, nil
	case AESCM128HMACSHA180:
		return srtp.ProtectionProfileAes128CmHmacSha1_80, nil
	case AESCM128HMACSHA132:
		return srtp.ProtectionProfileAes128CmHmacSha1_32, nil
	}
	return 0, typeErrorf("cryptoSuite: %q is not known", s)
}

// newSRTPParameters draws a key. Errors: *ortc.Error.
func newSRTPParameters(suite SRTPCryptoSuite) (SRTPParameters, error) {
	_, keyBytes, saltBytes, err := suite.sizes()
	if err != nil {
		return SRTPParameters{}, err
	}
	master := make([]byte, keyBytes+saltBytes)
	_, _ = rand.Read(master) // never fails
	return SRTPParameters{CryptoSuite: suite, KeyBase64: base64.StdEncoding.EncodeToString(master)}, nil
}

func (s SRTPCryptoSuite) sizes() (profile srtp.ProtectionProfile, keyBytes, saltBytes int, err error) {
	if profile, err = s.profile(); err != nil {
		return 0, 0, 0, err
	}
	if keyBytes, err = profile.KeyLen(); err == nil {
		saltBytes, err = profile.SaltLen()
	}
	return profile, keyBytes, saltBytes, err
}

// The replay windows, in packets; those of DTLS.
const (
	rtpReplayWindow  = 1024
	rtcpReplayWindow = 128
)

// inbound makes what decrypts the other side's packets. Errors: *ortc.Error.
func (p SRTPParameters) inbound() (*srtp.Context, error) {
	return p.context(srtp.SRTPReplayProtection(rtpReplayWindow), srtp.SRTCPReplayProtection(rtcpReplayWindow))
}

// outbound makes what encrypts our packets. It must not be made twice: two
// contexts with one key would repeat nonces.
func (p SRTPParameters) outbound() (*srtp.Context, error) { return p.context() }

func (p SRTPParameters) context(options ...srtp.ContextOption) (*srtp.Context, error) {
	profile, keyBytes, saltBytes, err := p.CryptoSuite.sizes()
	if err != nil {
		return nil, err
	}
	master, err := base64.StdEncoding.DecodeString(p.KeyBase64)
	switch {
	case err != nil:
		return nil, typeErrorf("keyBase64: not base64") // the key stays out of logs
	case len(master) != keyBytes+saltBytes:
		return nil, typeErrorf("keyBase64: %d bytes of key and salt, %s takes %d", len(master), p.CryptoSuite, keyBytes+saltBytes)
	}
	c, err := srtp.CreateContext(master[:keyBytes], master[keyBytes:], profile, options...)
	if err != nil {
		return nil, fmt.Errorf("making an SRTP context: %w", err)
	}
	return c, nil
}
