package userpool

import (
	"context"
	"time"
)

const (
	pollEvery  = 3 * time.Second // how soon this server knows what another did
	sweepEvery = time.Hour
)

// keepUp learns what other servers do and clears away what is over, until ctx ends.
func (p *Pool) keepUp(ctx context.Context) {
	p.sweep(ctx)
	poll, sweep := time.NewTicker(pollEvery), time.NewTicker(sweepEvery)
	defer poll.Stop()
	defer sweep.Stop()
	behind := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			behind = p.poll(ctx, behind)
		case <-sweep.C:
			p.sweep(ctx)
		}
	}
}

// poll reads revocations and signing keys, and reports whether that failed. It is
// logged when it begins to.
func (p *Pool) poll(ctx context.Context, behind bool) bool {
	err := p.readRevoked(ctx)
	if err == nil {
		err = p.signer.load(ctx)
	}
	if err != nil && !behind && ctx.Err() == nil {
		p.log.WarnContext(ctx, "user pool cannot read the store, revocations elsewhere are not known", "error", err)
	}
	return err != nil
}

// sweep makes the signing key that is missing or due, and forgets sessions and keys
// whose tokens have all expired.
func (p *Pool) sweep(ctx context.Context) {
	now := p.now()
	p.revoked.forget(now.Add(-maxTokenLife - time.Hour))
	err := p.signer.renew(ctx)
	if err == nil {
		err = p.signer.forget(ctx)
	}
	if err == nil {
		_, err = p.store.DeleteUserSessions(ctx, now.Add(-maxTokenLife))
	}
	if err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "user pool cannot be swept", "error", err)
	}
}
