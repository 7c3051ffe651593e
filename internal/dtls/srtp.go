package dtls

import (
	"fmt"

	pion "github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

// The replay windows, in packets. Video at 10 Mbit/s is a thousand packets a second,
// and a retransmission or a reordered packet may be a second late.
const (
	rtpReplayWindow  = 1024
	rtcpReplayWindow = 128
)

// DefaultProfiles returns the protection profiles we take, the cheapest first: a
// packet costs a quarter of a microsecond with AES-GCM and seven times that with
// AES-CM and HMAC-SHA1, which all WebRTC peers have to know (RFC 8827 §6.5).
func DefaultProfiles() []srtp.ProtectionProfile {
	return []srtp.ProtectionProfile{
		srtp.ProtectionProfileAeadAes128Gcm,
		srtp.ProtectionProfileAeadAes256Gcm,
		srtp.ProtectionProfileAes128CmHmacSha1_80,
	}
}

// pionProfiles converts between two packages' names of the numbers of RFC 5764 §4.1.2.
func pionProfiles(profiles []srtp.ProtectionProfile) []pion.SRTPProtectionProfile {
	list := make([]pion.SRTPProtectionProfile, 0, len(profiles))
	for _, p := range profiles {
		list = append(list, pion.SRTPProtectionProfile(p))
	}
	return list
}

// exportKeys returns what the handshake has agreed on for SRTP (RFC 5764 §4.2); keys
// are nil when the peer does not speak it.
func exportKeys(session *pion.Conn, state *pion.State, local Role) (srtp.ProtectionProfile, *srtp.SessionKeys, error) {
	selected, ok := session.SelectedSRTPProtectionProfile()
	if !ok {
		return 0, nil, nil
	}
	config := srtp.Config{Profile: srtp.ProtectionProfile(selected)}
	if err := config.ExtractSessionKeysFromDTLS(state, local == RoleClient); err != nil {
		return 0, nil, fmt.Errorf("export SRTP keys: %w", err)
	}
	return config.Profile, &config.Keys, nil
}

// SRTP returns the contexts of an established connection, one for decrypting, with
// replay protection, and one for encrypting. The caller serialises their use.
//
// It does so once: two contexts that encrypt with one key would repeat nonces and
// give away what they encrypt. ok is false the second time, before StateConnected,
// and when the peer does not speak SRTP.
func (c *Conn) SRTP() (inbound, outbound *srtp.Context, profile srtp.ProtectionProfile, ok bool) {
	c.mu.Lock()
	keys, profile := c.keys, c.profile
	c.keys = nil
	c.mu.Unlock()
	if keys == nil {
		return nil, nil, 0, false
	}
	inbound, err := srtp.CreateContext(keys.RemoteMasterKey, keys.RemoteMasterSalt, profile,
		srtp.SRTPReplayProtection(rtpReplayWindow), srtp.SRTCPReplayProtection(rtcpReplayWindow))
	if err == nil {
		outbound, err = srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, profile)
	}
	if err != nil {
		c.options.Logger.Error("SRTP contexts cannot be made", "profile", profile, "error", err)
		return nil, nil, 0, false
	}
	return inbound, outbound, profile, true
}

// SelectedProfile returns the protection profile agreed on, ok false for none.
func (c *Conn) SelectedProfile() (profile srtp.ProtectionProfile, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.profile, c.profile != 0
}
