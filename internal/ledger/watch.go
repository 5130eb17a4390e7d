package ledger

import (
	"context"
	"fmt"
	"time"
)

const (
	beatEvery   = 10 * time.Second
	lostAfter   = 2 * time.Minute
	sweepEvery  = 30 * time.Second
	sweepWithin = time.Minute
	forgetFirst = time.Minute // after the start
	forgetEvery = time.Hour
)

// watch does what is to be done from time to time.
func (l *Ledger) watch(ctx context.Context) {
	l.loops.Go(func() { every(ctx, sweepEvery, sweepEvery, l.sweep) })
	l.loops.Go(func() { every(ctx, forgetFirst, forgetEvery, l.forget) })
	every(ctx, 0, beatEvery, func(ctx context.Context) {
		l.steady(l.beat(ctx))
		l.tellLost()
	})
}

// every does something after first, and then again after pause, until ctx ends.
func every(ctx context.Context, first, pause time.Duration, do func(context.Context)) {
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			do(ctx)
			timer.Reset(pause)
		case <-ctx.Done():
			return
		}
	}
}

func (l *Ledger) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	return l.config.Store.Beat(ctx, l.config.Server)
}

// sweep closes what servers left open that are gone. While the store was away nobody
// could say that it was there: so it waits until all have had the time to.
func (l *Ledger) sweep(ctx context.Context) {
	now := l.config.Now()
	if !l.hasBeenSteady(now, lostAfter) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	gone, err := l.config.Store.Lost(ctx, now.Add(-lostAfter))
	if err != nil {
		l.failed("store not asked for lost servers", err)
		return
	}
	for _, server := range gone {
		if server == l.config.Server {
			continue
		}
		if err := l.closeLost(ctx, server); err != nil {
			l.failed("calls of a lost server not closed", err)
			return
		}
	}
}

func (l *Ledger) closeLost(ctx context.Context, server string) error {
	closed, err := l.config.Store.CloseUnsettled(ctx, server, l.config.Unknown == Reserved)
	if err != nil {
		return fmt.Errorf("close what %s left open: %w", server, err)
	}
	if closed > 0 {
		l.config.Log.WarnContext(ctx, "a server is gone and left calls open: their outcome is unknown",
			"server", server, "calls", closed, "charged", l.config.Unknown)
	}
	return l.config.Store.Reclaim(ctx, server)
}

// forget takes out what is older than it is to be kept. The store makes room by it also
// where that is nothing.
func (l *Ledger) forget(ctx context.Context) {
	forgotten, err := l.config.Store.Forget(ctx, l.since(l.config.Keep), l.since(l.config.KeepHours))
	if err != nil {
		if ctx.Err() == nil {
			l.failed("old records not taken out", err)
		}
		return
	}
	if forgotten > 0 {
		l.config.Log.InfoContext(ctx, "old records taken out", "records", forgotten)
	}
}

// since is when something began that is so old now; the zero time for 0.
func (l *Ledger) since(age time.Duration) time.Time {
	if age == 0 {
		return time.Time{}
	}
	return l.config.Now().Add(-age)
}
