package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"fairway/internal/inference"
)

// How the keys of an issuer are kept.
const (
	keysFresh    = 10 * time.Minute // older ones are fetched anew, while they go on being used
	keysKept     = 24 * time.Hour   // the longest that they are used while the issuer is away
	refetches    = 3                // fetches that may follow one another at once, whoever asks for what,
	refetchGap   = 30 * time.Second // and how long it takes until there may be one more
	firstGap     = time.Second      // between fetches while there is nothing yet
	fetchTimeout = 10 * time.Second // of one fetch
	maxKid       = 256              // bytes of a key's id
)

var errNoKey = errors.New("the issuer has no key of that id")

// published are the keys that an issuer publishes, fetched when they are needed.
type published struct {
	fetch func(context.Context) (map[string]Key, error)
	now   func() time.Time

	mu       sync.Mutex
	keys     map[string]Key // replaced as a whole
	fetched  time.Time      // when keys came
	began    time.Time      // when the last fetch began
	rested   time.Time      // when all refetches may be made again
	failed   error          // of the last fetch
	fetching chan struct{}  // closed when the fetch that is under way ends, nil without one
}

// NewJWKS is the JSON Web Key Set at url, which is https or on this machine. Keys are
// fetched when first needed, then anew in the background before they get old, and when
// a token names one that is not known: three times at once, so that a key is good as
// soon as it is published, and once every 30 seconds in the long run, whatever tokens
// name. While the issuer is away those that came last are used, for a day at most. A nil
// client is one of our own. No client follows a redirect to another host.
func NewJWKS(url string, client *http.Client, now func() time.Time) KeySet {
	f := newFetcher(client)
	return &published{now: now, fetch: func(ctx context.Context) (map[string]Key, error) { return f.keys(ctx, url) }}
}

// Discover is NewJWKS for the key set that the issuer's OpenID configuration names.
func Discover(issuer string, client *http.Client, now func() time.Time) KeySet {
	f := newFetcher(client)
	return &published{now: now, fetch: func(ctx context.Context) (map[string]Key, error) {
		url, err := f.discover(ctx, issuer)
		if err != nil {
			return nil, err
		}
		return f.keys(ctx, url)
	}}
}

// Key waits for a fetch only where the key is not known.
func (p *published) Key(ctx context.Context, kid string) (Key, error) {
	if len(kid) > maxKid {
		return Key{}, errNoKey
	}
	key, fetching := p.look(kid)
	if key.Public != nil {
		return key, nil
	}
	if fetching != nil {
		select {
		case <-fetching:
		case <-ctx.Done():
			return Key{}, away(ctx.Err())
		}
	}
	return p.found(kid)
}

// look is the key if it is known, else what to wait for, nil when it is not yet time
// to ask again.
func (p *published) look(kid string) (Key, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok := p.usable(kid)
	if !ok || p.now().Sub(p.fetched) >= keysFresh {
		p.begin()
	}
	return key, p.fetching
}

func (p *published) found(kid string) (Key, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok := p.usable(kid)
	switch {
	case ok:
		return key, nil
	case p.failed != nil:
		return Key{}, away(p.failed)
	default:
		return Key{}, errNoKey
	}
}

// usable is the key of that id among those that are not too old. A token without an id
// is taken to mean the only key there is.
func (p *published) usable(kid string) (Key, bool) {
	if p.now().Sub(p.fetched) >= keysKept {
		return Key{}, false
	}
	if kid == "" && len(p.keys) == 1 {
		for _, only := range p.keys {
			return only, true
		}
	}
	key, ok := p.keys[kid]
	return key, ok
}

// begin begins a fetch, unless one is under way or there were too many of late.
func (p *published) begin() {
	if p.fetching != nil || !p.mayFetch(p.now()) {
		return
	}
	p.began, p.fetching = p.now(), make(chan struct{})
	go p.run()
}

// mayFetch takes one of the refetches, where there are keys already.
func (p *published) mayFetch(now time.Time) bool {
	if p.keys == nil {
		return now.Sub(p.began) >= firstGap
	}
	rested := p.rested
	if rested.Before(now) {
		rested = now
	}
	rested = rested.Add(refetchGap)
	if rested.Sub(now) > refetches*refetchGap {
		return false
	}
	p.rested = rested
	return true
}

// run outlives the request that began it, for others wait too.
func (p *published) run() {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	keys, err := p.fetch(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed = err; err == nil {
		p.keys, p.fetched = keys, p.now()
	}
	close(p.fetching)
	p.fetching = nil
}

// away is the error of keys that cannot be had.
func away(err error) error { return unreachable(fmt.Errorf("get keys of issuer: %w", err)) }

// unreachable is the error of what an issuer does not tell.
func unreachable(err error) error {
	return &inference.Error{
		Kind: inference.ServiceUnavailable, Op: "authenticate", Message: "The issuer of the token cannot be reached. Try your request again.",
		Err: err,
	}
}
