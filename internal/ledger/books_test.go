package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/inference"
)

// books are a database that servers share, by the contract of Store.
type books struct {
	mu        sync.Mutex
	rows      map[string]row
	seen      map[string]time.Time
	reclaimed map[string]int // by server, how often its leases ended
	forgotten [2]time.Time
	spent     int64 // of all charges
}

type row struct {
	server  string
	open    bool
	outcome inference.Outcome
	charged int64
}

func newBooks() *books {
	return &books{rows: map[string]row{}, seen: map[string]time.Time{}, reclaimed: map[string]int{}}
}

func chargedFor(cs []inference.Charge) (n int64) {
	for _, c := range cs {
		n += c.Amount
	}
	return n
}

func (b *books) keep(server string, entries []inference.Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range entries {
		old, is := b.rows[e.Record.ID]
		switch {
		case e.Open && !is:
			b.rows[e.Record.ID] = row{server: server, open: true, charged: chargedFor(e.Charges)}
		case !e.Open && (!is || old.open || old.outcome == inference.Unknown):
			if is && !old.open {
				b.spent -= old.charged
			}
			b.rows[e.Record.ID] = row{server: server, outcome: e.Record.Outcome, charged: chargedFor(e.Charges)}
			b.spent += chargedFor(e.Charges)
		}
	}
}

func (b *books) close(server string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, r := range b.rows {
		if r.open && r.server == server {
			r.open, r.outcome = false, inference.Unknown
			b.rows[id] = r
			b.spent += r.charged
			n++
		}
	}
	return n
}

func (b *books) row(id string) (row, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.rows[id]
	return r, ok
}

func (b *books) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rows)
}

// mood is how a link answers.
type mood int32

const (
	well     mood = iota
	slow          // within patience
	failing       // before anything is done
	hanging       // until the context ends
	deaf          // until the link is freed, whatever the context
	doubtful      // does it, and says that it failed
	lagging       // does it, and hangs then
	moods
)

var errDown = errors.New("the database is down")

// link is one server's way to the books.
type link struct {
	*books
	mood    atomic.Int32
	keeps   atomic.Int64
	largest atomic.Int64
	freed   chan struct{}
	dying   sync.RWMutex
	dead    bool                       // the process is: nothing of it arrives any more
	refuse  func(inference.Entry) bool // of a batch with such an entry nothing is kept
}

func newLink(b *books) *link { return &link{books: b, freed: make(chan struct{})} }

func (l *link) set(m mood) { l.mood.Store(int32(m)) }

// die ends the process. What it was at in the books is done.
func (l *link) die() {
	l.dying.Lock()
	defer l.dying.Unlock()
	l.dead = true
}

// through does something in the mood of the link.
func (l *link) through(ctx context.Context, act func()) error {
	do := func() {
		l.dying.RLock()
		defer l.dying.RUnlock()
		if !l.dead {
			act()
		}
	}
	switch mood(l.mood.Load()) {
	case slow:
		pass(500 * time.Millisecond)
	case failing:
		return errDown
	case hanging:
		<-ctx.Done()
		return ctx.Err()
	case deaf:
		<-l.freed
	case doubtful:
		do()
		return errDown
	case lagging:
		do()
		<-ctx.Done()
		return ctx.Err()
	}
	do()
	return nil
}

func (l *link) Keep(ctx context.Context, server string, entries []inference.Entry) error {
	l.keeps.Add(1)
	l.largest.Store(max(l.largest.Load(), int64(len(entries))))
	if l.refuse != nil && slices.ContainsFunc(entries, l.refuse) {
		return errors.New("invalid byte sequence")
	}
	return l.through(ctx, func() { l.keep(server, entries) })
}

func (l *link) CloseUnsettled(ctx context.Context, server string, _ bool) (n int, err error) {
	err = l.through(ctx, func() { n = l.close(server) })
	return n, err
}

func (l *link) Beat(ctx context.Context, server string) error {
	return l.through(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.seen[server] = time.Now()
	})
}

func (l *link) Lost(ctx context.Context, since time.Time) (gone []string, err error) {
	err = l.through(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, r := range l.rows {
			if r.open && l.seen[r.server].Before(since) {
				gone = append(gone, r.server)
			}
		}
	})
	return gone, err
}

func (l *link) Reclaim(ctx context.Context, server string) error {
	return l.through(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.reclaimed[server]++
	})
}

func (l *link) Forget(ctx context.Context, before, hours time.Time) (int, error) {
	return 0, l.through(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.forgotten = [2]time.Time{before, hours}
	})
}

// lines are what was logged.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.all.String(), text)
}

func (l *lines) log() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// open opens a ledger, which the test closes.
func open(t *testing.T, c Config) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func shut(t *testing.T, l *Ledger) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
}

func record(id string) *inference.Record {
	return &inference.Record{
		ID: id, Time: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), Operation: inference.Converse, Principal: "app",
		Model: "anthropic.claude-sonnet-4-20250514-v1:0", SourceRegion: "eu-central-1", Reserved: 5000,
		Attempts: []inference.Attempt{},
		Charges:  []inference.Charge{{Slot: inference.Slot{Budget: "team", Measure: inference.DollarsPerDay, Starts: 1}, Amount: 5000}},
	}
}

// settled is a record at its end, that cost amount.
func settled(id string, amount int64) *inference.Record {
	r := record(id)
	r.Outcome, r.Cost = inference.OK, inference.Money(amount)
	r.Attempts = []inference.Attempt{{Region: "eu-west-1", Model: "m", Outcome: inference.OK, Status: 200, MS: 20, Cost: inference.Money(amount)}}
	r.Charges[0].Amount = amount
	return r
}

func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("call-%04d", i)
	}
	return all
}

// mustIntend intends in the test's own goroutine.
func mustIntend(t *testing.T, l *Ledger, id string) {
	t.Helper()
	if err := l.Intend(t.Context(), record(id)); err != nil {
		t.Fatalf("Intend(%s) = %v, want nil", id, err)
	}
}

func mustPut(t *testing.T, l *Ledger, r *inference.Record) {
	t.Helper()
	if err := l.Put(t.Context(), r); err != nil {
		t.Fatalf("Put(%s) = %v, want nil", r.ID, err)
	}
}

func mustFlush(t *testing.T, l *Ledger) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// outcomes are how many records of the books came out how; open ones as "".
func (b *books) outcomes() map[inference.Outcome]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := map[inference.Outcome]int{}
	for r := range maps.Values(b.rows) {
		n[r.outcome]++
	}
	return n
}

// pass lets time pass in the bubble that the test runs in.
func pass(d time.Duration) { <-time.After(d) }
