// Package userpool is the embedded user pool: Cognito's operations, identifiers,
// claims and words over users that the store keeps, so that every server of one
// store is the same pool.
package userpool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fairway/internal/inference"
	"fairway/internal/store"
	"fairway/internal/wire/uuid"
)

// Options are a pool's settings.
type Options struct {
	Region   inference.Region
	BaseURL  string // issuers are BaseURL + "/" + pool id; empty gives Cognito's own issuer
	Store    *store.Store
	Settings Settings
	Courier  Courier          // carries codes; without one no code can be sent
	Log      *slog.Logger     // default: none
	Now      func() time.Time // default: time.Now
}

// Pool is a user pool with one app client. Its methods may be called concurrently;
// those that are operations of Cognito fail with *Error.
type Pool struct {
	kept      store.Pool
	issuer    string
	store     *store.Store
	settings  atomic.Pointer[Settings] // completed
	courier   Courier
	log       *slog.Logger
	now       func() time.Time
	secrets   *secrets
	strangers *strangers
	signer    *signer
	revoked   *revoked
	strikes   *strikes
	stop      context.CancelFunc
	running   sync.WaitGroup
}

// New opens the region's pool that the store keeps, or makes one. The signing key
// of a new pool is made in the background; what needs it waits. The caller closes
// the pool, before its store.
func New(ctx context.Context, o Options) (*Pool, error) {
	kept, err := o.Store.Pool(ctx, string(o.Region), func() store.Pool { return newPool(o) })
	if err != nil {
		return nil, err
	}
	secret, err := o.Store.Secret(ctx, "user pool "+kept.ID, func() []byte { return random(32) })
	if err != nil {
		return nil, err
	}
	p := &Pool{
		kept:      kept,
		issuer:    issuer(o, kept.ID),
		store:     o.Store,
		courier:   o.Courier,
		log:       cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		now:       o.Now,
		secrets:   newSecrets(secret),
		strangers: newStrangers(),
		revoked:   newRevoked(),
		strikes:   newStrikes(),
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.Configure(o.Settings)
	p.signer = newSigner(p.store, p.ID(), p.now)
	if err := errors.Join(p.signer.load(ctx), p.readRevoked(ctx)); err != nil {
		return nil, fmt.Errorf("open user pool: %w", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	p.running.Go(func() { p.keepUp(background) })
	return p, nil
}

func newPool(o Options) store.Pool {
	return store.Pool{
		ID:           string(o.Region) + "_" + newID(9, lower+upper+digits),
		Region:       string(o.Region),
		ClientID:     newID(26, lower+digits),
		IdentityPool: string(o.Region) + ":" + uuid.New(),
	}
}

func issuer(o Options, id string) string {
	if o.BaseURL == "" {
		return "https://cognito-idp." + string(o.Region) + ".amazonaws.com/" + id
	}
	return strings.TrimSuffix(o.BaseURL, "/") + "/" + id
}

// Close returns once nothing of the pool runs any more.
func (p *Pool) Close() error {
	p.stop()
	p.running.Wait()
	return nil
}

// Configure changes how the pool treats its users from now on.
func (p *Pool) Configure(s Settings) {
	s.Password.MinLength = cmp.Or(s.Password.MinLength, 8)
	s.MFA = cmp.Or(s.MFA, MFAOff)
	s.AccessLife = min(cmp.Or(s.AccessLife, time.Hour), maxTokenLife)
	s.IDLife = min(cmp.Or(s.IDLife, time.Hour), maxTokenLife)
	s.RefreshLife = cmp.Or(s.RefreshLife, 30*24*time.Hour)
	s.Lockout.Failures = cmp.Or(s.Lockout.Failures, 5)
	s.Lockout.For = cmp.Or(s.Lockout.For, time.Second)
	s.Lockout.MaxFor = cmp.Or(s.Lockout.MaxFor, 15*time.Minute)
	p.settings.Store(&s)
}

// ID is the pool's id, "ap-southeast-1_" and nine letters and digits.
func (p *Pool) ID() string { return p.kept.ID }

// ClientID is the app client's id, 26 lower-case letters and digits.
func (p *Pool) ClientID() string { return p.kept.ClientID }

// IdentityPoolID is the id of the identity pool beside it, a region, ":" and a UUID.
func (p *Pool) IdentityPoolID() string { return p.kept.IdentityPool }

// Issuer is the iss of the pool's tokens.
func (p *Pool) Issuer() string { return p.issuer }

// name is the part of the pool's id after the region, which SRP binds passwords to.
func (p *Pool) name() string {
	_, name, _ := strings.Cut(p.kept.ID, "_")
	return name
}

// ours refuses every app client but the pool's own.
func (p *Pool) ours(clientID string) error {
	if clientID != p.kept.ClientID {
		return refuse(ResourceNotFound, "User pool client "+clip(clientID, 128)+" does not exist.")
	}
	return nil
}

// clip is at most n bytes of what a client sent, for a message.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
