package ledger

import (
	"context"
	"errors"
	"slices"

	"fairway/internal/inference"
)

// write commits what is queued, until the queue is closed.
func (l *Ledger) write(ctx context.Context) {
	defer close(l.written)
	for b := l.queue.next(); b != nil; b = l.queue.next() {
		if l.room.isBounded() || l.keepDirectly(ctx, b) != nil {
			l.set(b)
			continue
		}
		l.queue.finish(b, nil)
	}
}

// keepDirectly gives a batch to the store. After an error the journal goes first from
// here on.
func (l *Ledger) keepDirectly(ctx context.Context, b *batch) error {
	err := l.keep(ctx, b.entries, l.queue.full)
	if err != nil {
		l.room.bound(true)
		l.away(err)
	}
	return err
}

// set aside batches in the journal: one write for all.
func (l *Ledger) set(batches ...*batch) {
	var all []inference.Entry
	for _, b := range batches {
		all = slices.Concat(all, b.entries)
	}
	err := l.journal.append(all)
	if err != nil {
		l.failed("journal not written: its records are held in memory", err)
	}
	for _, b := range batches {
		l.queue.finish(b, err)
	}
}

// errSlow is why a commit is given up, whose outcome nobody knows then.
var errSlow = errors.New("the store did not answer in time")

// keep commits entries within Patience. One commit runs at a time: an earlier one that
// was given up and does not end keeps the next from beginning. What overflows the queue
// meanwhile, as full tells, goes to the journal.
func (l *Ledger) keep(ctx context.Context, entries []inference.Entry, full <-chan struct{}) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.config.Patience, errSlow)
	kept := make(chan error, 1)
	go func() {
		defer cancel()
		select {
		case l.turn <- struct{}{}:
			defer func() { <-l.turn }()
			kept <- l.config.Store.Keep(ctx, l.config.Server, entries)
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case err := <-kept:
			return err
		case <-ctx.Done():
			return l.givenUp(ctx, kept)
		case <-full:
			l.spill()
		}
	}
}

// spill puts what waits into the journal, where there is too much of it in the queue
// and not in the journal: else callers wait.
func (l *Ledger) spill() {
	if l.journal.bytes.Load()+l.queue.weight.Load() > l.config.JournalSize {
		return
	}
	if overflow := l.queue.overflow(); len(overflow) > 0 {
		l.set(overflow...)
	}
}

// givenUp is how a commit ended whose time is over, unless it ended just then.
func (l *Ledger) givenUp(ctx context.Context, kept <-chan error) error {
	select {
	case err := <-kept:
		return err
	default:
		return context.Cause(ctx)
	}
}
