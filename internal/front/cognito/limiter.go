package cognito

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Rate is how often one client may ask for one operation: Burst times at once, and
// once every Every in the long run.
type Rate struct {
	Burst int
	Every time.Duration
}

// The rates of a client. An office behind one address signs in together; who guesses
// codes of six digits at this rate has a day's work for each, and the user's own
// lockout long before that.
var (
	guessRate = Rate{Burst: 60, Every: 100 * time.Millisecond}
	otherRate = Rate{Burst: 300, Every: 10 * time.Millisecond}
)

// maxClients bounds the clients that a limiter remembers, times operations. The ones
// that asked longest ago are forgotten; one takes about 200 bytes.
const maxClients = 16 << 10

// limiter is the generic cell rate algorithm: for each key the time at which it will
// have its whole burst again. Its methods may be called concurrently.
type limiter struct {
	rate Rate

	mu   sync.Mutex
	full *simplelru.LRU[string, time.Time]
}

func newLimiter(r, otherwise Rate) *limiter {
	full, err := simplelru.NewLRU[string, time.Time](maxClients, nil)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &limiter{rate: cmp.Or(r, otherwise), full: full}
}

// allow takes one of the key's burst, and reports whether there was one.
func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	full, ok := l.full.Get(key)
	if !ok || full.Before(now) {
		full = now
	}
	full = full.Add(l.rate.Every)
	if full.Sub(now) > time.Duration(l.rate.Burst)*l.rate.Every {
		return false
	}
	l.full.Add(key, full)
	return true
}

// remoteAddress is the network address that r comes from: of IPv6 the network, for a
// client has as many addresses in it as it likes.
func remoteAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if address = address.Unmap().WithZone(""); address.Is6() {
		network, _ := address.Prefix(64) // 64 bits are within an address
		return network.String()
	}
	return address.String()
}
