package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Pool is what a user pool is known by.
type Pool struct {
	ID           string // "ap-southeast-1_" and nine letters and digits
	Region       string
	ClientID     string
	IdentityPool string // "ap-southeast-1:" and a UUID
	Created      time.Time
}

// Pool is the pool of a region: the one that is kept, else the one that invent
// gives. Servers that start at once agree on one.
func (s *Store) Pool(ctx context.Context, region string, invent func() Pool) (Pool, error) {
	const op = "open user pool"
	p, ok, err := s.pool(ctx, region)
	if ok || err != nil {
		return p, failed(op, err)
	}
	p = invent()
	if p.Created.IsZero() {
		p.Created = s.now()
	}
	if _, err := s.change(ctx, op, `INSERT INTO pools (id, region, client_id, identity_pool, created)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (region) DO NOTHING`,
		p.ID, region, p.ClientID, p.IdentityPool, millis(p.Created)); err != nil {
		return Pool{}, err
	}
	p, _, err = s.pool(ctx, region)
	return p, failed(op, err)
}

func (s *Store) pool(ctx context.Context, region string) (Pool, bool, error) {
	var p Pool
	var created int64
	err := s.write.QueryRowContext(ctx, `SELECT id, region, client_id, identity_pool, created FROM pools WHERE region = $1`, region).
		Scan(&p.ID, &p.Region, &p.ClientID, &p.IdentityPool, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return Pool{}, false, nil
	}
	p.Created = fromMillis(created)
	return p, err == nil, err
}
