package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// What befalls a server.
type event int

const (
	calls event = iota // some begin
	ended              // all that run are settled, some while others begin
	weather
	wait
	killed
	restarted
	events
)

type step struct {
	event event
	n     int
	mood  mood
	wait  time.Duration
}

func steps(t *rapid.T) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			event: event(rapid.IntRange(0, int(events)-1).Draw(t, "event")),
			n:     rapid.IntRange(1, 30).Draw(t, "n"),
			mood:  mood(rapid.IntRange(0, int(moods)-1).Draw(t, "mood")),
			wait:  time.Duration(rapid.IntRange(1, 5000).Draw(t, "wait")) * time.Millisecond,
		}
	}), 1, 25).Draw(t, "steps")
}

// TestConservation lets the store fail in every way while the server is killed and
// restarted: in the end each call that was intended has one record, each settled one
// that outlived its process is as it was settled, and the charges are those of the
// records.
func TestConservation(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := steps(rt)
		var err error
		synctest.Test(t, func(t *testing.T) { err = conserve(t, all) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// life is a server's, over its restarts.
type life struct {
	t      *testing.T
	books  *books
	store  *link
	dir    string
	ledger *Ledger

	mu       sync.Mutex
	number   int
	running  map[string]bool // intended, by this process
	intended map[string]bool // by any, where Intend returned nil
	put      map[string]bool // by this process, and nobody knows whether they are safe
	settled  map[string]bool // safely
	calls    sync.WaitGroup
}

func conserve(t *testing.T, all []step) error {
	l := &life{t: t, books: newBooks(), dir: t.TempDir(), intended: map[string]bool{}, settled: map[string]bool{}}
	l.start(well)
	for _, s := range all {
		l.do(s)
	}
	l.end()
	l.start(well) // closes what was left open
	shut(t, l.ledger)
	pass(time.Minute) // what killed processes had begun ends too
	return l.check()
}

func (l *life) start(m mood) {
	l.store = newLink(l.books)
	l.store.set(m)
	l.running, l.put = map[string]bool{}, map[string]bool{}
	l.ledger = open(l.t, Config{Store: l.store, Dir: l.dir, JournalSize: 256 << 10})
}

func (l *life) do(s step) {
	switch s.event {
	case calls:
		l.begin(s.n)
	case ended:
		l.begin(s.n / 4)
		l.settle()
	case weather:
		l.free()
		l.store.set(s.mood)
	case wait:
		pass(s.wait)
	case killed:
		l.kill(s.mood)
	case restarted:
		l.end()
		l.start(s.mood)
	}
}

// free lets a deaf store hear again.
func (l *life) free() {
	if l.store.mood.Load() == int32(deaf) {
		l.store.set(well)
		close(l.store.freed)
		synctest.Wait()
		l.store.freed = make(chan struct{})
	}
}

// begin has calls begin, which nobody waits for.
func (l *life) begin(n int) {
	ledger, running := l.ledger, l.running
	for range n {
		l.number++
		id := fmt.Sprint(l.number)
		l.calls.Go(func() {
			err := ledger.Intend(context.Background(), record(id))
			l.mu.Lock()
			defer l.mu.Unlock()
			if err == nil {
				l.intended[id], running[id] = true, true
			} else if inference.AsError(err).Kind != inference.ServiceUnavailable {
				l.t.Errorf("Intend() = %v", err)
			}
		})
	}
}

// settle ends what runs.
func (l *life) settle() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.running {
		if err := l.ledger.Put(context.Background(), settled(id, 1)); err != nil {
			l.t.Errorf("Put() = %v", err)
		}
		l.put[id] = true
	}
	clear(l.running)
}

// kill ends the process between two moments, and starts it again.
func (l *life) kill(m mood) {
	l.mu.Lock()
	was := map[string]bool{}
	for id := range l.intended {
		was[id] = true
	}
	l.mu.Unlock()
	l.free()
	next := kill(l.t, l.ledger, l.store, l.dir)
	l.calls.Wait()
	l.intended = was // of what began to return while it was killed nobody knows
	l.dir = next
	l.start(m)
}

// end settles everything, and ends the process in order.
func (l *life) end() {
	l.calls.Wait()
	l.settle()
	l.free()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := l.ledger.Close(ctx); err != nil && !errors.Is(err, errDown) {
		l.t.Errorf("Close() = %v", err)
	}
	for id := range l.put {
		l.settled[id] = true
	}
}

func (l *life) check() error {
	for id := range l.intended {
		r, ok := l.books.row(id)
		if !ok || r.open {
			return fmt.Errorf("call %s has the record %+v, %t, want one that is not open", id, r, ok)
		}
	}
	for id := range l.settled {
		if r, _ := l.books.row(id); r.outcome != inference.OK || r.charged != 1 {
			return fmt.Errorf("call %s has the record %+v, want it as it was settled", id, r)
		}
	}
	var sum int64
	for id, r := range l.books.rows {
		if r.open {
			return fmt.Errorf("call %s is open for ever", id)
		}
		sum += r.charged
	}
	if sum != l.books.spent {
		return fmt.Errorf("spent = %d, want %d, the sum of the records", l.books.spent, sum)
	}
	return nil
}
