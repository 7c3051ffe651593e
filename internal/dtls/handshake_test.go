package dtls

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

func TestHandshake(t *testing.T) {
	for _, serverFirst := range []bool{true, false} {
		t.Run(fmt.Sprintf("server first %v", serverFirst), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := newPair(Options{}, Options{})
				defer closeAll(server, client)
				wantState(t, server, StateNew)
				if server.Role() != RoleAuto {
					t.Errorf("role %s before Start", server.Role())
				}
				if !serverFirst {
					start(t, client, RoleClient, certificateA.Fingerprints())
					settle(time.Second)
				}
				start(t, server, RoleServer, certificateB.Fingerprints())
				wantState(t, server, StateConnecting)
				if serverFirst {
					start(t, client, RoleClient, certificateA.Fingerprints())
				}
				settle(time.Second)
				for _, s := range []*side{server, client} {
					wantState(t, s, StateConnected)
					if got := s.reported(); !slices.Equal(got, []State{StateConnected}) {
						t.Errorf("reported %v", got)
					}
				}
				if server.Role() != RoleServer || client.Role() != RoleClient {
					t.Errorf("roles %s and %s", server.Role(), client.Role())
				}
				if !bytes.Equal(server.RemoteCertificate(), certificateB.tls.Certificate[0]) ||
					!bytes.Equal(client.RemoteCertificate(), certificateA.tls.Certificate[0]) {
					t.Error("wrong remote certificate")
				}
				exchangeMedia(t, server, client)
			})
		})
	}
}

// exchangeMedia encrypts on either side and decrypts on the other.
func exchangeMedia(t *testing.T, a, b *side) {
	t.Helper()
	aIn, aOut, profile, ok := a.SRTP()
	bIn, bOut, _, ok2 := b.SRTP()
	if !ok || !ok2 {
		t.Fatal("no SRTP contexts")
	}
	if got, _ := a.SelectedProfile(); got != profile {
		t.Errorf("selected profile %v, contexts for %v", got, profile)
	}
	for _, way := range []struct{ out, in *srtp.Context }{{aOut, bIn}, {bOut, aIn}} {
		packet, err := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 7, SequenceNumber: 9}, Payload: []byte("picture")}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := way.out.EncryptRTP(nil, packet, nil)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := way.in.DecryptRTP(nil, sealed, nil); err != nil || !bytes.Equal(opened, packet) {
			t.Fatalf("decrypted %x: %v", opened, err)
		}
		if _, err := way.in.DecryptRTP(nil, sealed, nil); err == nil {
			t.Error("a replayed packet is accepted")
		}
		report := []byte{0x80, 201, 0, 1, 0, 0, 0, 7}
		sealed, err = way.out.EncryptRTCP(nil, report, nil)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := way.in.DecryptRTCP(nil, sealed, nil); err != nil || !bytes.Equal(opened, report) {
			t.Fatalf("decrypted %x: %v", opened, err)
		}
		if _, err := way.in.DecryptRTCP(nil, sealed, nil); err == nil {
			t.Error("a replayed report is accepted")
		}
	}
}

func TestSRTPContextsAreGivenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{})
		defer closeAll(server, client)
		if _, _, _, ok := server.SRTP(); ok {
			t.Error("contexts before the handshake")
		}
		startPair(t, server, client)
		settle(time.Second)
		if _, _, _, ok := server.SRTP(); !ok {
			t.Error("no contexts after the handshake")
		}
		if _, _, _, ok := server.SRTP(); ok {
			t.Error("two encrypting contexts with one key")
		}
		client.Close()
		if _, _, _, ok := client.SRTP(); ok {
			t.Error("contexts after Close")
		}
	})
}

func TestReplayWindowIsWide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := connected(t, Options{}, Options{})
		defer closeAll(server, client)
		in, _, _, _ := server.SRTP()
		_, out, _, _ := client.SRTP()
		seal := func(seq uint16) []byte {
			packet, _ := (&rtp.Packet{Header: rtp.Header{Version: 2, SSRC: 7, SequenceNumber: seq}}).Marshal()
			sealed, err := out.EncryptRTP(nil, packet, nil)
			if err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		late := seal(100)
		if _, err := in.DecryptRTP(nil, seal(100+rtpReplayWindow-1), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := in.DecryptRTP(nil, late, nil); err != nil {
			t.Errorf("a packet %d late: %v", rtpReplayWindow-1, err)
		}
	})
}

func TestProfiles(t *testing.T) {
	const (
		gcm128 = srtp.ProtectionProfileAeadAes128Gcm
		gcm256 = srtp.ProtectionProfileAeadAes256Gcm
		cm80   = srtp.ProtectionProfileAes128CmHmacSha1_80
	)
	tests := []struct {
		name           string
		server, client []srtp.ProtectionProfile
		want           srtp.ProtectionProfile
	}{
		{"default", nil, nil, gcm128},
		{"Chromium's offer", nil, []srtp.ProtectionProfile{cm80, gcm256, gcm128}, gcm128},
		{"AES-CM only", nil, []srtp.ProtectionProfile{cm80}, cm80},
		{"AES-256 only", nil, []srtp.ProtectionProfile{gcm256}, gcm256},
		{"AES-128 only", nil, []srtp.ProtectionProfile{gcm128}, gcm128},
		{"the server is held to AES-CM", []srtp.ProtectionProfile{cm80}, nil, cm80},
		{"nothing in common", []srtp.ProtectionProfile{cm80}, []srtp.ProtectionProfile{gcm128}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := newPair(Options{Profiles: test.server}, Options{Profiles: test.client})
				defer closeAll(server, client)
				startPair(t, server, client)
				settle(time.Second)
				if test.want == 0 {
					wantState(t, server, StateFailed)
					wantState(t, client, StateFailed)
					return
				}
				wantState(t, server, StateConnected)
				if got, ok := server.SelectedProfile(); !ok || got != test.want {
					t.Errorf("profile %v, want %v", got, test.want)
				}
				exchangeMedia(t, server, client)
			})
		})
	}
}

func TestPeerWithoutSRTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSide(Options{})
		p := newForeign(t, s, true)
		p.begin()
		start(t, s, RoleServer, certificateB.Fingerprints())
		settle(time.Second)
		wantState(t, s, StateConnected)
		if _, _, _, ok := s.SRTP(); ok {
			t.Error("SRTP contexts for a peer that does not speak it")
		}
		if _, ok := s.SelectedProfile(); ok {
			t.Error("a profile for a peer that does not speak SRTP")
		}
		s.Close()
		p.conn.Close()
	})
}

func TestAgainstPion(t *testing.T) {
	profiles := pion.WithSRTPProtectionProfiles(pion.SRTP_AEAD_AES_128_GCM)
	for name, client := range map[string]bool{"server": true, "client": false} {
		t.Run("as "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSide(Options{})
				p := newForeign(t, s, client, profiles)
				p.begin()
				start(t, s, Role(name), certificateB.Fingerprints())
				settle(time.Second)
				wantState(t, s, StateConnected)
				if err := <-p.done; err != nil {
					t.Errorf("Pion: %v", err)
				}
				p.conn.Close()
				settle(time.Second)
				wantState(t, s, StateClosed)
				s.Close()
			})
		})
	}
}

// Chromium's and Firefox's ClientHellos come in two records, and these in two
// datagrams, which may overtake each other.
func TestFragmentedClientHello(t *testing.T) {
	for _, mtu := range []int{100, 60} {
		for _, reversed := range []bool{false, true} {
			t.Run(fmt.Sprintf("MTU %d reversed %v", mtu, reversed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSide(Options{})
					p := newForeign(t, s, true, pion.WithMTU(mtu), pion.WithSRTPProtectionProfiles(pion.SRTP_AEAD_AES_128_GCM))
					if reversed {
						p.out.sooner = 100 * time.Microsecond
					}
					p.begin()
					start(t, s, RoleServer, certificateB.Fingerprints())
					settle(time.Second)
					wantState(t, s, StateConnected)
					fragments := 0
					for _, d := range p.out.datagrams() {
						if hasHandshake(d, handshakeClientHello) {
							fragments++
						}
					}
					if fragments < 2 {
						t.Errorf("the ClientHello came in %d datagrams", fragments)
					}
					p.conn.Close()
					s.Close()
				})
			})
		}
	}
}

func TestHandshakeUnderLoss(t *testing.T) {
	var total, worst time.Duration
	const rounds = 40
	for seed := range uint64(rounds) {
		synctest.Test(t, func(t *testing.T) {
			server, client := newPair(Options{}, Options{HelloDelay: -1})
			server.out.lose, client.out.lose = randomLoss(seed, 0.25), randomLoss(seed+1000, 0.25)
			began := time.Now()
			startPair(t, server, client)
			for server.State() != StateConnected || client.State() != StateConnected {
				time.Sleep(5 * time.Millisecond)
				if took := time.Since(began); took > 20*time.Second {
					t.Fatalf("seed %d: %s and %s after %v", seed, server.State(), client.State(), took)
				}
			}
			took := time.Since(began)
			total, worst = total+took, max(worst, took)
			exchangeMedia(t, server, client)
			closeAll(server, client)
		})
	}
	t.Logf("25 %% loss, 20 ms round trip: mean %v, worst %v", total/rounds, worst)
}

func TestLostLastFlightIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{})
		defer closeAll(server, client)
		startPair(t, server, client)
		for server.State() != StateConnected {
			// The server's flights pass until it is connected, and its last is lost.
			time.Sleep(time.Millisecond)
			server.out.setLoss(func(b []byte) bool { return !hasHandshake(b, handshakeServerHello) })
		}
		settle(10 * time.Second)
		wantState(t, client, StateConnecting)
		server.out.setLoss(nil)
		settle(10 * time.Second)
		wantState(t, client, StateConnected)
	})
}

func TestWrongFingerprint(t *testing.T) {
	for _, victim := range []Role{RoleServer, RoleClient} {
		t.Run("noticed by the "+string(victim), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := newPair(Options{}, Options{})
				defer closeAll(a, b)
				other := RoleClient
				if victim == RoleClient {
					other = RoleServer
				}
				start(t, a, victim, mustCertificate().Fingerprints())
				start(t, b, other, certificateA.Fingerprints())
				settle(time.Second)
				wantState(t, a, StateFailed)
				if !errors.Is(a.failure(), ErrFingerprint) {
					t.Errorf("failed with %v", a.failure())
				}
				wantState(t, b, StateFailed) // told by an alert, not by a timeout
				if b.failure() == nil || !strings.Contains(b.failure().Error(), "BadCertificate") {
					t.Errorf("the other side failed with %v", b.failure())
				}
				if _, _, _, ok := a.SRTP(); ok || a.RemoteCertificate() != nil {
					t.Error("keys for a peer that is not who it should be")
				}
				for _, s := range []*side{a, b} {
					if got := s.reported(); !slices.Equal(got, []State{StateFailed}) {
						t.Errorf("reported %v", got)
					}
				}
			})
		})
	}
}

func TestFingerprintsAllowedLaterCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{})
		defer closeAll(server, client)
		start(t, server, RoleServer, mustCertificate().Fingerprints()) // another's
		server.Allow(certificateB.Fingerprints())
		start(t, client, RoleClient, certificateA.Fingerprints())
		settle(time.Second)
		wantState(t, server, StateConnected)
		wantState(t, client, StateConnected)
		server.Allow(nil) // too late for anything
		exchangeMedia(t, server, client)
	})
}

func TestEveryHashAndLetterCaseIsTaken(t *testing.T) {
	for _, f := range certificateB.Fingerprints() {
		for _, list := range [][]Fingerprint{
			{f},
			{{f.Algorithm, strings.ToLower(f.Value)}},
			{{strings.ToUpper(f.Algorithm), f.Value}},
			{certificateA.Fingerprints()[2], f}, // any may match
		} {
			t.Run(list[0].Algorithm, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server, client := newPair(Options{}, Options{})
					defer closeAll(server, client)
					start(t, server, RoleServer, list)
					start(t, client, RoleClient, certificateA.Fingerprints())
					settle(time.Second)
					wantState(t, server, StateConnected)
				})
			})
		}
	}
}

func TestClientHelloBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{HelloDelay: -1, FlightInterval: time.Hour})
		defer closeAll(server, client)
		start(t, client, RoleClient, certificateA.Fingerprints())
		settle(time.Second)
		wantState(t, server, StateNew)
		start(t, server, RoleServer, certificateB.Fingerprints())
		settle(time.Second)
		wantState(t, server, StateConnected) // the client has not repeated itself
		wantState(t, client, StateConnected)
	})
}

func TestOnlyTheLastDatagramsBeforeStartAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{HelloDelay: -1})
		defer closeAll(server, client)
		hello := plaintextRecord(contentHandshake, clientHelloFragment(0, 10, 0, 10))
		for range 100 {
			server.Feed(hello)
			server.Feed([]byte("\x16\xfe\xfd not a record"))
		}
		start(t, client, RoleClient, certificateA.Fingerprints())
		settle(3 * time.Second)
		server.mu.Lock()
		kept := len(server.early)
		server.mu.Unlock()
		if kept != maxEarly {
			t.Errorf("%d datagrams are kept", kept)
		}
	})
}

// The trap of clients that signal "server" and then act as the client.
func TestClientThatMeetsAClientBecomesTheServer(t *testing.T) {
	for name, test := range map[string]struct {
		delay time.Duration // between our Start and the peer's
		loss  bool          // of all that we send before the peer starts
	}{
		"before Start":           {delay: -time.Second},
		"while listening":        {delay: 0},
		"after our ClientHello":  {delay: 300 * time.Millisecond, loss: true},
		"after several attempts": {delay: 5 * time.Second, loss: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, browser := newPair(Options{}, Options{HelloDelay: -1})
				defer closeAll(s, browser)
				if test.loss {
					s.out.lose = always
				}
				startPeer := func() { start(t, browser, RoleClient, certificateA.Fingerprints()) }
				if test.delay < 0 {
					startPeer()
					settle(-test.delay)
				}
				start(t, s, RoleClient, certificateB.Fingerprints())
				settle(max(test.delay, 0))
				s.out.setLoss(nil)
				if test.delay >= 0 {
					startPeer()
				}
				settle(2 * time.Second)
				wantState(t, s, StateConnected)
				wantState(t, browser, StateConnected)
				if s.Role() != RoleServer || browser.Role() != RoleClient {
					t.Errorf("roles %s and %s", s.Role(), browser.Role())
				}
				if got := s.reported(); !slices.Equal(got, []State{StateConnected}) {
					t.Errorf("reported %v", got)
				}
				exchangeMedia(t, s, browser)
			})
		})
	}
}

func TestAnsweredClientStaysClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{}, Options{})
		defer closeAll(server, client)
		hello := plaintextRecord(contentHandshake, clientHelloFragment(0, 10, 0, 10))
		clear(hello[5:11]) // or its number would make Pion take all others for old
		forward := server.out.receive
		server.out.receive = func(b []byte) {
			forward(b)
			client.Feed(hello)
		}
		startPair(t, server, client)
		settle(time.Second)
		wantState(t, client, StateConnected)
		if client.Role() != RoleClient {
			t.Errorf("role %s", client.Role())
		}
	})
}

func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := newPair(Options{HandshakeTimeout: 5 * time.Second}, Options{HandshakeTimeout: 5 * time.Second})
		defer closeAll(server, client)
		server.out.lose = always
		start(t, server, RoleServer, certificateB.Fingerprints())
		settle(time.Hour)
		wantState(t, server, StateConnecting) // nobody has come yet
		start(t, client, RoleClient, certificateA.Fingerprints())
		settle(4 * time.Second)
		wantState(t, server, StateConnecting)
		wantState(t, client, StateConnecting)
		settle(2 * time.Second)
		wantState(t, server, StateFailed)
		wantState(t, client, StateFailed)
		if n := len(client.out.datagrams()); n < 4 || n > 10 {
			t.Errorf("%d flights in five seconds", n)
		}
	})
}

func TestClientListensBeforeItSpeaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := newSide(Options{})
		start(t, client, RoleClient, certificateB.Fingerprints())
		settle(DefaultHelloDelay - time.Millisecond)
		if n := len(client.out.datagrams()); n != 0 {
			t.Errorf("%d datagrams sent", n)
		}
		settle(2 * time.Millisecond)
		if n := len(client.out.datagrams()); n != 1 {
			t.Errorf("%d datagrams sent after the delay", n)
		}
		client.Close()
	})
}

func TestStartRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := certificateB.Fingerprints()
		s := newSide(Options{})
		for _, role := range []Role{RoleAuto, "", "actpass"} {
			if err := s.Start(role, good); err == nil {
				t.Errorf("started in role %q", role)
			}
		}
		if err := s.Start(RoleServer, nil); err == nil || !strings.Contains(err.Error(), "fingerprints") {
			t.Errorf("started without fingerprints: %v", err)
		}
		start(t, s, RoleServer, good)
		if err := s.Start(RoleServer, good); err == nil {
			t.Error("started twice")
		}
		s.Close()
		if err := New(Options{Certificate: certificateA}).Start(RoleServer, good); err == nil {
			t.Error("started without Send")
		}
		closed := newSide(Options{})
		closed.Close()
		if err := closed.Start(RoleServer, good); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("started after Close: %v", err)
		}
	})
}
