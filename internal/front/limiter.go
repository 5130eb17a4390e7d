package front

import (
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

// GuessRate is that of operations which a secret could be guessed with, or that make us
// check what anybody can send. An office behind one address signs in together; who
// guesses codes of six digits at this rate has a day's work for each.
var GuessRate = Rate{Burst: 60, Every: 100 * time.Millisecond}

// maxClients bounds the clients that a limiter remembers, times operations. The ones
// that asked longest ago are forgotten; one takes about 200 bytes.
const maxClients = 16 << 10

// Limiter is the generic cell rate algorithm: for each key the time at which it will
// have its whole burst again. Its methods may be called concurrently.
type Limiter struct {
	rate Rate

	mu   sync.Mutex
	full *simplelru.LRU[string, time.Time]
}

// NewLimiter lets every key have its burst at first.
func NewLimiter(r Rate) *Limiter {
	full, err := simplelru.NewLRU[string, time.Time](maxClients, nil)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Limiter{rate: r, full: full}
}

// Allow takes one of the key's burst, and reports whether there was one.
func (l *Limiter) Allow(key string, now time.Time) bool {
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
