package signal

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestEachAddressHasItsOwnRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate := NewAddressRate(1, 3)
		a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		for range 3 {
			if !rate.Allow(a) {
				t.Error("refused within the burst")
			}
		}
		if rate.Allow(a) || !rate.Allow(b) {
			t.Error("one address counts for the other")
		}
		time.Sleep(time.Second)
		if !rate.Allow(a) || rate.Allow(a) {
			t.Error("one second gives one more")
		}
		if !rate.Allow(netip.Addr{}) {
			t.Error("no address is refused")
		}
	})
}

func TestSubscriberCountsOnceInIPv6(t *testing.T) {
	rate := NewAddressRate(0.001, 1)
	if !rate.Allow(netip.MustParseAddr("2001:db8::1")) || rate.Allow(netip.MustParseAddr("2001:db8::2")) {
		t.Error("two addresses of one /64 count twice")
	}
	if !rate.Allow(netip.MustParseAddr("2001:db8:0:1::1")) {
		t.Error("the next /64 is refused")
	}
}

func TestMemoryOfAddressesIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rate := NewAddressRate(1, 1)
		ask := func(n int) {
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], uint32(n))
			rate.Allow(netip.AddrFrom4(b))
		}
		for n := range maxAddresses {
			ask(n)
		}
		time.Sleep(time.Minute) // all of them are as good as new
		ask(maxAddresses)
		if n := len(rate.limiters); n != 1 {
			t.Errorf("%d addresses are remembered", n)
		}
		for n := range 2 * maxAddresses { // and now all within a moment
			ask(n)
		}
		if n := len(rate.limiters); n > maxAddresses {
			t.Errorf("%d addresses are remembered", n)
		}
	})
}
