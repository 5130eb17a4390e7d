package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The replayer tries again after leastPause, and up to mostPause when that was no help.
const (
	leastPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
)

// replay gives the store what the journal holds, whenever it holds something.
func (l *Ledger) replay(ctx context.Context) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		if err := l.catchUp(ctx); err == nil {
			pause = 0
			select {
			case <-l.journal.came:
			case <-ctx.Done():
			}
			continue
		}
		pause = min(max(2*pause, leastPause), mostPause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// catchUp empties the journal. On the way, behind what an earlier process wrote and
// before anything of this one, it closes what that left open.
func (l *Ledger) catchUp(ctx context.Context) error {
	for {
		if !l.recovered && !l.journal.inherits() {
			if err := l.recover(ctx); err != nil {
				l.away(err)
				return err
			}
		}
		p, err := l.journal.next(l.portion)
		if err != nil {
			l.failed("journal not read", err)
			return err
		}
		if len(p.entries) == 0 {
			l.resume()
			return nil
		}
		if err := l.offer(ctx, p); err != nil {
			return err
		}
		l.resume()
	}
}

// recover settles what an earlier process of this server left open, and ends its leases.
func (l *Ledger) recover(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	closed, err := l.config.Store.CloseUnsettled(ctx, l.config.Server, l.config.Unknown == Reserved)
	if err != nil {
		return fmt.Errorf("close what was left open: %w", err)
	}
	if closed > 0 {
		l.config.Log.WarnContext(ctx, "calls were left open when the server ended: their outcome is unknown",
			"calls", closed, "charged", l.config.Unknown)
	}
	if err := l.config.Store.Reclaim(ctx, l.config.Server); err != nil {
		return fmt.Errorf("end the leases of an earlier run: %w", err)
	}
	l.recovered = true
	l.resume()
	close(l.ready)
	return nil
}

// resume has batches go to the store directly again, once little is left that must go
// there before them.
func (l *Ledger) resume() {
	if l.recovered && l.journal.records.Load() <= mostEntries {
		l.room.bound(false)
		l.answered()
	}
}

// offer gives the store a portion: a smaller one the next time where it does not take
// it, in case that it is too much, or one record is at fault.
func (l *Ledger) offer(ctx context.Context, p portion) error {
	err := l.keep(ctx, p.entries, nil)
	if err == nil {
		l.portion, l.refusals = min(2*l.portion, mostEntries), 0
		return l.done(p)
	}
	if ctx.Err() != nil {
		return err
	}
	l.away(err)
	l.portion = max(len(p.entries)/2, 1)
	if len(p.entries) == 1 && l.isAtFault(ctx, err) {
		l.config.Log.ErrorContext(ctx, "store refuses a record for good: it is lost", "request_id", p.entries[0].Record.ID, "error", err)
		l.lose(&p.entries[0].Record, p.entries[0].Open, "the store refuses them")
		l.refusals = 0
		return l.done(p)
	}
	return err
}

func (l *Ledger) done(p portion) error {
	err := l.journal.done(p)
	if err != nil {
		l.failed("journal not emptied", err)
	}
	return err
}

// mostRefusals is how often a store that answers may refuse one record.
const mostRefusals = 10

// isAtFault reports whether it is the record that a store refused again, and not the
// store that is away.
func (l *Ledger) isAtFault(ctx context.Context, err error) bool {
	if errors.Is(err, errSlow) || errors.Is(err, context.DeadlineExceeded) || l.beat(ctx) != nil {
		return false
	}
	l.refusals++
	return l.refusals >= mostRefusals
}

// drain empties the journal at the end: one that outlives the process is left to the
// next where the store does not answer; for entries in memory it is asked until ctx ends.
func (l *Ledger) drain(ctx context.Context) error {
	var err error
	if l.recovered {
		err = l.catchUp(ctx)
	}
	for pause := leastPause; l.journal.inMemory() > 0 && ctx.Err() == nil; pause = min(2*pause, mostPause) {
		select {
		case <-time.After(pause):
			err = l.catchUp(ctx)
		case <-ctx.Done():
		}
	}
	if lost := l.journal.inMemory(); lost > 0 {
		return fmt.Errorf("close the ledger: %d entries that only memory held are lost: %w", lost, err)
	}
	return nil
}
