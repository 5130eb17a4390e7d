package userpool

import (
	"context"
	"encoding/hex"
	"math/big"
	"regexp"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"fairway/internal/srp"
	"fairway/internal/store"
	"fairway/internal/wire/uuid"
)

// known reports whether the store has u; strangers only look like users.
func (u user) known() bool { return u.Pool != "" }

// verifier is u's, for SRP.
func (u user) verifier() srp.Verifier { return srp.Verifier{Salt: u.Salt, Value: u.Verifier} }

// byNameOrStranger is the user whom name names, or a stranger who is treated as one until the
// end: the same challenge, the same time, the same lockout, and no right password.
func (p *Pool) byNameOrStranger(ctx context.Context, name string) (user, error) {
	u, ok, err := p.byName(ctx, name)
	if err != nil {
		return user{}, err
	}
	if !ok {
		u = p.stranger(name)
	}
	return p.challengeable(u), nil
}

// stranger is nobody, with the user name that a user of that name or alias could have.
func (p *Pool) stranger(name string) user {
	name = strings.ToLower(name)
	sub := uuid.Of([16]byte(p.secrets.derive("stranger's sub", name, 16)))
	if len(p.settings.Load().SignInBy) > 0 && !uuidForm.MatchString(name) {
		name = sub
	}
	u := user{User: store.User{Sub: sub, Username: name}, account: p.strangers.of(name)}
	u.Status = confirmed
	return u
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)

// challengeable is u with a verifier, which is nobody's if u has none.
func (p *Pool) challengeable(u user) user {
	if u.Verifier != "" {
		return u
	}
	salt := p.secrets.derive("stranger's salt", u.Username, 16)
	value := p.secrets.derive("stranger's verifier", u.Username, 384)
	value[0] &= 0x7f // below the group's modulus
	u.Salt, u.Verifier = new(big.Int).SetBytes(salt).Text(16), hex.EncodeToString(value)
	return u
}

// maxStrangers bounds the strangers whose failures are remembered.
const maxStrangers = 4096

// strangers remembers the failures of those whom the store does not know, on this
// server only.
type strangers struct {
	mu       sync.Mutex
	accounts *lru.Cache[string, account]
}

func newStrangers() *strangers {
	accounts, err := lru.New[string, account](maxStrangers)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &strangers{accounts: accounts}
}

// of is what became of a stranger; its maps and lists are not to be modified.
func (s *strangers) of(name string) account {
	a, _ := s.accounts.Get(name)
	return a
}

// strike has hit change what is remembered of a stranger, one at a time.
func (s *strangers) strike(name string, hit func(*account)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, _ := s.accounts.Get(name)
	hit(&a)
	s.accounts.Add(name, a)
}
