package budget

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fairway/internal/inference"
)

// Bank leases shares of limits to servers. It is safe for concurrent use.
type Bank interface {
	// Take leases up to want of a slot to a server. What all servers hold or spent never
	// passes limit by it; taken is that sum afterwards. After an error nothing may be
	// spent, though it may be held.
	Take(ctx context.Context, server string, slot inference.Slot, limit, want int64) (granted, taken int64, err error)

	// Give takes back what a server leased and will not use; more than it holds is all of
	// it. After an error nobody knows whether it did.
	Give(ctx context.Context, server string, back []inference.Charge) error
}

// errand is a call of the bank for one cell, which has one at a time.
type errand struct {
	done chan struct{} // closed when it is, or late
	late bool
}

const (
	takeWithin = 10 * time.Second // how long the bank may take, whoever waits for it
	dryFor     = time.Second      // until a bank that had no more is asked again
	retryEvery = time.Second      // until one that does not answer is
)

var errLate = errors.New("no answer within " + patience.String())

// isAway reports whether there is no waiting for the bank now.
func (b *Book) isAway(c *cell) bool { return b.absent || c.errand != nil && c.errand.late }

// extra is what may be reserved of a cell beyond its leases now.
func (b *Book) extra(c *cell) int64 {
	if c.shared && b.away == Allow && b.isAway(c) {
		return c.block(b.parts)
	}
	return 0
}

// seek is what can be done for a cell that has less left than is needed: an errand to
// wait for, else the error that the call ends with.
func (b *Book) seek(c *cell, need int64, now time.Time, patient bool) (<-chan struct{}, *inference.Error) {
	switch {
	case need > c.limit, !c.shared, now.Before(c.dry):
		return nil, exceeded(c, need, now)
	case !patient || b.isAway(c):
		b.fetch(c, need, now)
		if need > c.limit-c.known() { // which no bank could help with
			return nil, exceeded(c, need, now)
		}
		return nil, errAbsent(c)
	}
	b.fetch(c, need, now)
	return c.errand.done, nil
}

// fetch leases a block of a cell, or what is needed where that is more, unless an errand
// is under way or it is too early for one.
func (b *Book) fetch(c *cell, need int64, now time.Time) {
	if c.errand != nil || now.Before(c.dry) || b.absent && now.Before(b.retryAt) {
		return
	}
	if b.absent {
		b.retryAt = now.Add(retryEvery)
	}
	e := &errand{done: make(chan struct{})}
	c.errand = e
	limit, held := c.limit, c.held()
	want := max(c.block(b.parts), need+c.used-held)
	late := time.AfterFunc(b.patience, func() { b.expire(c, e) })
	b.errands.Go(func() {
		defer late.Stop()
		ctx, cancel := context.WithTimeout(context.Background(), takeWithin)
		defer cancel()
		granted, taken, err := b.bank.Take(ctx, b.server, c.slot, limit, want)
		b.turn(err)
		b.mu.Lock()
		defer b.mu.Unlock()
		if err != nil {
			c.doubt += want
		} else {
			c.leased = max(c.leased, held) + granted
			c.others = max(0, taken-c.leased)
			if granted < want {
				c.dry = b.now().Add(dryFor)
			}
		}
		c.finish()
	})
}

// held is what the bank counts for the leases of a cell before it leases more: of money
// what was spent where that is more, as it has that from the records of the calls.
func (c *cell) held() int64 {
	if c.slot.Measure.IsMoney() {
		return max(c.leased, c.spent)
	}
	return c.leased
}

// expire lets nobody wait for an errand any longer.
func (b *Book) expire(c *cell, e *errand) {
	b.mu.Lock()
	expired := c.errand == e
	if expired {
		e.late = true
		close(e.done)
	}
	b.mu.Unlock()
	if expired {
		b.turn(errLate)
	}
}

// finish ends the errand of a cell and wakes who waits for it.
func (c *cell) finish() {
	if !c.errand.late {
		close(c.errand.done)
	}
	c.errand = nil
}

// turn takes in whether the bank answers, and tells an operator when that changes.
func (b *Book) turn(err error) {
	b.mu.Lock()
	changed := b.absent != (err != nil)
	b.absent = err != nil
	if b.absent {
		b.retryAt = b.now().Add(retryEvery)
	}
	away := b.away
	b.mu.Unlock()
	switch {
	case changed && err != nil:
		b.log.Warn("store does not answer for budgets", slog.String("away", string(away)), slog.Any("error", err))
	case changed:
		b.log.Info("store answers for budgets again")
	}
}
