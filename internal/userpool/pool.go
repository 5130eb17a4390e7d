// Package userpool is the embedded user pool: a token issuer with Cognito's
// identifiers, claims and password verifiers, its signing key and its test user.
//
// What a pool must keep over restarts lies in one directory, readable by its
// owner only:
//
//	pool.json        identifiers, and users with their SRP salts and verifiers
//	signing-key.pem  the RSA key, PKCS #8
//	test-user.json   the test user's password in the clear, a development
//	                 credential that is handed out in fairway_outputs.json anyway
package userpool

import (
	"context"
	"strings"
	"time"

	"fairway/internal/inference"
)

// Options are a pool's settings.
type Options struct {
	Region            inference.Region
	BaseURL           string // issuers are BaseURL + "/" + pool id; empty gives Cognito's own issuer
	Dir               string // where the pool is kept; empty keeps it in memory
	PasswordMinLength int    // of the pool's policy; 0 is Cognito's default of 8
	Now               func() time.Time
}

// Pool is a user pool with one app client. It does not change once it is open;
// its methods may be called concurrently.
type Pool struct {
	opts     Options
	id       string
	clientID string
	issuer   string
	test     Login
	signer   *signer
	users    map[string]*User // by lower-case user name: the pool ignores case
}

// Login is what a user signs in with.
type Login struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// New opens the pool that Dir keeps, or makes one. A pool kept for another
// region is replaced, for its id names the region. The signing key of a new pool
// is made in the background; what needs it waits.
func New(o Options) (*Pool, error) {
	dir, err := openDir(o.Dir)
	if err != nil {
		return nil, err
	}
	kept, err := load(dir, o)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(dir)
	if err != nil {
		return nil, err
	}
	p := &Pool{
		opts:     o,
		id:       kept.PoolID,
		clientID: kept.ClientID,
		issuer:   issuer(o, kept.PoolID),
		test:     kept.test,
		signer:   signer,
		users:    make(map[string]*User, len(kept.Users)),
	}
	for _, u := range kept.Users {
		p.users[strings.ToLower(u.Username)] = u
	}
	return p, nil
}

func issuer(o Options, id string) string {
	if o.BaseURL == "" {
		return "https://cognito-idp." + string(o.Region) + ".amazonaws.com/" + id
	}
	return strings.TrimSuffix(o.BaseURL, "/") + "/" + id
}

// Close returns once nothing of the pool runs or writes any more.
func (p *Pool) Close() error {
	<-p.signer.ready
	return nil
}

// ID is the pool's id, "ap-southeast-1_" and nine letters and digits.
func (p *Pool) ID() string { return p.id }

// ClientID is the app client's id, 26 lower-case letters and digits.
func (p *Pool) ClientID() string { return p.clientID }

// Issuer is the iss of the pool's tokens.
func (p *Pool) Issuer() string { return p.issuer }

// TestUser is the confirmed user that every pool has for development.
func (p *Pool) TestUser() Login { return p.test }

// SignIn checks a user's password and gives them tokens, waiting for the signing
// key. A wrong password and an unknown user are the same UnrecognizedClient error
// and take the same time.
func (p *Pool) SignIn(ctx context.Context, username, password string) (Tokens, error) {
	u, ok := p.users[strings.ToLower(username)]
	if !ok {
		u = &User{Username: username, Salt: "0", Verifier: "0"} // nobody's password
	}
	if !u.hasPassword(poolName(p.id), password) {
		return Tokens{}, &inference.Error{
			Kind:    inference.UnrecognizedClient,
			Op:      "sign in",
			Message: "Incorrect username or password.",
		}
	}
	return p.issue(ctx, u)
}

// poolName is the part of a pool id after the region.
func poolName(id string) string {
	_, name, _ := strings.Cut(id, "_")
	return name
}
