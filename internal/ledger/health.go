package ledger

import (
	"log/slog"
	"time"

	"fairway/internal/inference"
)

// health is what a ledger knows of its store, and what it could not hold. The Ledger's
// mu guards it.
type health struct {
	steady  time.Time // since when every beat was answered, zero after one that was not
	away    time.Time // since when the store does not keep entries, zero when it does
	err     string    // the last one
	errTime time.Time

	lost, unmade, unguarded int64 // see Status
	told                    time.Time
	toldOf                  int64  // the sum of the three when told
	why                     string // the last one was lost

	failures map[string]time.Time // when each was told
}

// tellAgain is how long a log is spared what is told again and again.
const tellAgain = 5 * time.Second

// note remembers the last error.
func (l *Ledger) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.health.err, l.health.errTime = err.Error(), l.config.Now()
}

// failed logs what an operator may have to see to.
func (l *Ledger) failed(what string, err error) {
	l.note(err)
	if l.isNews(what) {
		l.config.Log.Error(what, slog.Any("error", err))
	}
}

// isNews reports whether a failure was not told a moment ago.
func (l *Ledger) isNews(what string) bool {
	now := l.config.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if told, is := l.health.failures[what]; is && now.Sub(told) < tellAgain {
		return false
	}
	if l.health.failures == nil {
		l.health.failures = map[string]time.Time{}
	}
	l.health.failures[what] = now
	return true
}

// away remembers that the store did not keep entries; the first time is logged.
func (l *Ledger) away(err error) {
	l.note(err)
	l.mu.Lock()
	first := l.health.away.IsZero()
	if first {
		l.health.away = l.config.Now()
	}
	l.mu.Unlock()
	if first {
		l.config.Log.Error("store does not keep records: the journal holds them until it does", slog.Any("error", err))
	}
}

// answered remembers that the store keeps entries.
func (l *Ledger) answered() {
	l.mu.Lock()
	since := l.health.away
	l.health.away = time.Time{}
	l.mu.Unlock()
	if !since.IsZero() {
		l.config.Log.Info("store keeps records again", slog.Duration("after", l.config.Now().Sub(since)))
	}
}

// steady remembers how a beat went.
func (l *Ledger) steady(err error) {
	if err != nil {
		l.note(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.health.steady = time.Time{}
	case l.health.steady.IsZero():
		l.health.steady = l.config.Now()
	}
}

func (l *Ledger) hasBeenSteady(now time.Time, long time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.health.steady.IsZero() && now.Sub(l.health.steady) >= long
}

// lose counts a record that nothing can hold.
func (l *Ledger) lose(r *inference.Record, open bool, why string) {
	l.mu.Lock()
	l.health.why = why
	switch h := &l.health; {
	case open:
		h.unguarded++
	case len(r.Attempts) == 0:
		h.unmade++
	default:
		h.lost++
	}
	l.mu.Unlock()
	l.tellLost()
}

// loseRead counts entries that cannot be read from the journal.
func (l *Ledger) loseRead(entries int64) {
	l.mu.Lock()
	l.health.lost += entries
	l.health.why = "the journal is damaged"
	l.mu.Unlock()
	l.tellLost()
}

// tellLost logs what was lost since it last did.
func (l *Ledger) tellLost() {
	now := l.config.Now()
	l.mu.Lock()
	h := &l.health
	all := h.lost + h.unmade + h.unguarded
	tell := all > h.toldOf && now.Sub(h.told) >= tellAgain
	if tell {
		h.told, h.toldOf = now, all
	}
	lost, unmade, unguarded, why := h.lost, h.unmade, h.unguarded, h.why
	l.mu.Unlock()
	if tell {
		l.config.Log.Error("records are lost", "lost", lost, "unmade", unmade, "unguarded", unguarded, "why", why)
	}
}
