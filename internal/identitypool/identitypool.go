// Package identitypool is the embedded identity pool: it gives the users of known
// issuers, and guests where they are allowed, an identity and temporary credentials,
// as Amazon Cognito Federated Identities does.
//
// It keeps no table. The identity of a login is a MAC of issuer and subject, so that a
// user has the same one on every server; that of a guest carries a MAC of itself.
package identitypool

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"fairway/internal/inference"
)

// Settings say who the pool's identities are, by names of principals.
type Settings struct {
	Issuers       []string          // whose id tokens are logins: exactly their iss
	Authenticated string            // of who shows a login
	ByGroup       map[string]string // by group, in place of Authenticated; the first of the token's groups that has one
	Guest         string            // of who shows none
	AllowGuests   bool
}

// Options are what a pool needs; all are required.
type Options struct {
	ID       string // "ap-southeast-1:" and a UUID
	Account  string // twelve digits, in the ARNs of sessions
	Secret   []byte // identities are made with it; the same on all servers of a pool
	Settings Settings
	Now      func() time.Time

	// Verify tells whom a token speaks for. Errors are *inference.Error: Validation,
	// ExpiredToken and UnrecognizedClient are the token's fault.
	Verify func(ctx context.Context, token string) (inference.Identity, error)

	// Issue makes the credentials of a session.
	Issue func(inference.TemporarySession) (inference.TemporaryCredentials, error)
}

// Pool is an identity pool. Its methods may be called concurrently.
type Pool struct {
	options  Options
	region   string
	settings atomic.Pointer[Settings] // in place of those of options
}

// New is the pool of the options.
func New(o Options) *Pool {
	region, _, _ := strings.Cut(o.ID, ":")
	p := &Pool{options: o, region: region}
	p.Configure(o.Settings)
	return p
}

// Configure replaces the settings. Credentials that were given stay what they are.
func (p *Pool) Configure(s Settings) { p.settings.Store(&s) }
