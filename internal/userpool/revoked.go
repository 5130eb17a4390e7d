package userpool

import (
	"context"
	"maps"
	"sync"
	"time"
)

// maxTokenLife is the longest that an access or id token may live, Cognito's limit.
// What was revoked or retired longer ago concerns no token.
const maxTokenLife = 24 * time.Hour

// revoked is the sessions whose tokens are good no more, though they have not
// expired, as far as this server knows.
type revoked struct {
	mu    sync.RWMutex
	ids   map[string]time.Time // and when this server heard of it
	asked time.Time            // when it last asked the store
}

func newRevoked() *revoked { return &revoked{ids: map[string]time.Time{}} }

func (r *revoked) has(id string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.ids[id]
	return ok
}

func (r *revoked) add(now time.Time, ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if _, ok := r.ids[id]; !ok {
			r.ids[id] = now
		}
	}
}

// forget drops those heard of before then.
func (r *revoked) forget(before time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.ids, func(_ string, heard time.Time) bool { return heard.Before(before) })
}

// since is from when on the store is to be asked: a minute before the last time,
// because the clocks of servers differ and what they write takes a moment to be seen.
func (r *revoked) since(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := r.asked.Add(-time.Minute)
	if r.asked.IsZero() {
		since = now.Add(-maxTokenLife)
	}
	return since
}

func (r *revoked) askedAt(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = now
}

// Revoked reports whether the sign-in that a token comes from, its origin_jti, was
// revoked: at once when it was here, within seconds when another server did it.
func (p *Pool) Revoked(originJTI string) bool { return p.revoked.has(originJTI) }

// readRevoked learns from the store what was revoked since it was last asked.
func (p *Pool) readRevoked(ctx context.Context) error {
	now := p.now()
	ids, err := p.store.RevokedUserSessions(ctx, p.ID(), p.revoked.since(now))
	if err != nil {
		return err
	}
	p.revoked.add(now, ids...)
	p.revoked.askedAt(now)
	return nil
}

// revokeSession ends one session.
func (p *Pool) revokeSession(ctx context.Context, id string) error {
	if _, err := p.store.RevokeUserSession(ctx, id); err != nil {
		return failed(err)
	}
	p.revoked.add(p.now(), id)
	return nil
}

// revokeAll ends every session of a user: their tokens are good no more.
func (p *Pool) revokeAll(ctx context.Context, sub string) error {
	if _, err := p.store.RevokeUserSessions(ctx, p.ID(), sub); err != nil {
		return failed(err)
	}
	return failed(p.readRevoked(ctx))
}
