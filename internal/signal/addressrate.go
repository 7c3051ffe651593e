package signal

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses bounds what an AddressRate remembers. Whoever has more addresses
// than this to ask from is not stopped by counting them.
const maxAddresses = 50000

// AddressRate limits how often each address may do something. IPv6 addresses
// count by their /64, which is what one subscriber has.
type AddressRate struct {
	limit rate.Limit
	burst int

	mu       sync.Mutex
	limiters map[netip.Prefix]*rate.Limiter // guarded by mu
}

// NewAddressRate allows perSecond times a second, in bursts of burst.
func NewAddressRate(perSecond float64, burst int) *AddressRate {
	return &AddressRate{limit: rate.Limit(perSecond), burst: burst, limiters: make(map[netip.Prefix]*rate.Limiter)}
}

// Allow reports whether the address may do it now, and counts it if so.
func (a *AddressRate) Allow(address netip.Addr) bool {
	bits := 32
	if address.Is6() {
		bits = 64
	}
	who, _ := address.Prefix(bits) // the zero address counts as one
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	limiter := a.limiters[who]
	if limiter == nil {
		if len(a.limiters) >= maxAddresses {
			a.forgetLocked(now)
		}
		limiter = rate.NewLimiter(a.limit, a.burst)
		a.limiters[who] = limiter
	}
	return limiter.AllowN(now, 1)
}

// forgetLocked drops the addresses that have not been seen for so long that
// forgetting them changes nothing, and all if that is not enough.
func (a *AddressRate) forgetLocked(now time.Time) {
	for who, limiter := range a.limiters {
		if limiter.TokensAt(now) >= float64(a.burst) {
			delete(a.limiters, who)
		}
	}
	if len(a.limiters) >= maxAddresses {
		clear(a.limiters)
	}
}
