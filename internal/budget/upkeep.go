package budget

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fairway/internal/inference"
)

const (
	upkeepEvery = 10 * time.Second
	idleAfter   = 30 * time.Second // leases that nobody used for so long go back
	giveWithin  = 10 * time.Second
	giveAtOnce  = 256  // leases, in one call of the bank
	lookAtOnce  = 1024 // pots, before others have their turn with the book
)

// Run gives leases back that nobody uses, forgets pots that are over, writes the log and
// posts the webhooks, until ctx ends.
func (b *Book) Run(ctx context.Context) {
	posts := make(chan notice, queued)
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { b.tell(ctx, posts) })
	for range posters {
		all.Go(func() { b.post(ctx, posts) })
	}
	ticker := time.NewTicker(upkeepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			b.upkeep(ctx)
		}
	}
}

// Close gives back what is leased and neither spent nor reserved, once what the bank is
// asked has ended. No call may be reserved after it.
func (b *Book) Close(ctx context.Context) error {
	if b.bank == nil {
		return nil
	}
	b.errands.Wait()
	err := b.giveBack(ctx, 0)
	b.errands.Wait()
	return err
}

func (b *Book) upkeep(ctx context.Context) {
	b.complain()
	b.forget()
	b.mu.Lock()
	absent := b.absent
	b.mu.Unlock()
	if b.bank == nil || absent {
		return
	}
	if err := b.giveBack(ctx, idleAfter); err != nil {
		b.log.WarnContext(ctx, "leases of budgets not given back", slog.Any("error", err))
	}
}

// complain tells what was left out since the last time.
func (b *Book) complain() {
	b.mu.Lock()
	lost, crowded := b.lost, b.crowded
	b.lost, b.crowded = 0, false
	b.mu.Unlock()
	if lost > 0 {
		b.log.Warn("notices of budgets left out, too many at once", slog.Int("lost", lost))
	}
	if crowded {
		b.log.Warn("too many pots of budgets, new ones share one", slog.Int("most", b.mostPots))
	}
}

// each visits the pots of all budgets with the book, which others may have in between.
func (b *Book) each(visit func(of *budget, name string, p *pot)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, of := range b.budgets {
		for name, p := range of.pots {
			if b.byName[of.Name] == nil {
				break // it was taken out in between
			}
			visit(of, name, p)
			if n++; n%lookAtOnce == 0 {
				b.mu.Unlock()
				b.mu.Lock()
			}
		}
	}
}

// forget drops the pots that nothing would be lost with. Where room is short these are
// also those that the bank remembers.
func (b *Book) forget() {
	now := b.now()
	b.each(func(of *budget, name string, p *pot) {
		if p.isOver(now, b.pots > b.mostPots/2) {
			delete(of.pots, name)
			b.pots--
		}
	})
}

// isOver reports whether nothing would be lost with a pot.
func (p *pot) isOver(now time.Time, crowded bool) bool {
	for _, c := range p.cells {
		if c != nil && !c.isOver(now, crowded) {
			return false
		}
	}
	return true
}

func (c *cell) isOver(now time.Time, crowded bool) bool {
	switch {
	case c.running > 0 || c.errand != nil:
		return false
	case c.hasEnded(now):
		return true
	case now.Sub(c.touched) < idleAfter:
		return false
	case c.used == 0 && c.leased+c.doubt == 0:
		return crowded || !c.warned && !c.stopped
	}
	return crowded && c.shared && c.slot.Measure.IsMoney() && c.leased <= c.used
}

// hasEnded reports whether the window of the cell is over.
func (c *cell) hasEnded(now time.Time) bool { return !c.ends.IsZero() && !now.Before(c.ends) }

// giveBack gives the bank what is leased and not used, of slots that were idle for so
// long; of others what is much more than they lease at a time. It goes on where the bank
// fails, and gives the first error.
func (b *Book) giveBack(ctx context.Context, idle time.Duration) error {
	now := b.now()
	var cells []*cell
	b.each(func(_ *budget, _ string, p *pot) {
		for _, c := range p.cells {
			if c != nil && c.shared && !c.hasEnded(now) && c.leased+c.doubt > max(0, c.used) {
				cells = append(cells, c)
			}
		}
	})
	b.mu.Lock()
	gone := b.gone
	b.gone = nil
	b.mu.Unlock()
	return cmp.Or(b.give(ctx, cells, now.Add(-idle)), b.give(ctx, gone, now))
}

// give gives back what cells can spare that were idle since then.
func (b *Book) give(ctx context.Context, cells []*cell, since time.Time) error {
	var failed error
	for some := range slices.Chunk(cells, giveAtOnce) {
		failed = cmp.Or(failed, b.giveSome(ctx, some, since))
	}
	return failed
}

// giveSome is one call of the bank. The cells are on an errand meanwhile, and what they
// give is theirs no longer, however it ends.
func (b *Book) giveSome(ctx context.Context, cells []*cell, since time.Time) error {
	var back []inference.Charge
	b.mu.Lock()
	cells = slices.DeleteFunc(cells, func(c *cell) bool {
		if c.errand != nil {
			return true
		}
		unused := c.release(since, c.block(b.parts))
		if unused > 0 {
			c.errand = &errand{done: make(chan struct{})}
			back = append(back, inference.Charge{Slot: c.slot, Amount: unused})
		}
		return unused == 0
	})
	b.mu.Unlock()
	if len(back) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, giveWithin)
	defer cancel()
	err := b.bank.Give(ctx, b.server, back)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, c := range cells {
		if err != nil {
			c.doubt += back[i].Amount
		}
		c.finish()
	}
	return err
}

// release takes out of a cell what it can spare of its leases: all that it does not use,
// if it was idle since then, else down to a block what is more than two. An idle cell of
// streams of which none runs gives all that it may hold, also what the bank may have
// granted without being able to say so.
func (c *cell) release(since time.Time, block int64) int64 {
	unused := max(0, c.leased-max(0, c.used))
	idle := !c.touched.After(since)
	if !idle {
		if unused <= 2*block {
			return 0
		}
		unused -= block
	}
	c.leased -= unused
	if idle && c.slot.Measure == inference.Streams && c.used == 0 {
		unused += c.doubt
		c.doubt = 0
	}
	return unused
}
