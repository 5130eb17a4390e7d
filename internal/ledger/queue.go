package ledger

import (
	"errors"
	"sync"
	"sync/atomic"

	"fairway/internal/inference"
)

// mostEntries is how many a batch has: what a database commits in well under 100 ms.
const mostEntries = 1024

// mostQueued is how many bytes wait before callers wait too: at most half a journal,
// which must take them all once the store is away.
func mostQueued(journal int64) int64 { return min(journal/2, 32<<20) }

// batch is entries that are committed together.
type batch struct {
	entries []inference.Entry
	weight  int64
	done    chan struct{} // closed when they are in the store or the journal, or cannot be
	err     error         // once done: why a kill of the process may lose them
}

// queue is batches in the order of their making.
type queue struct {
	most   int64         // bytes
	weight atomic.Int64  // of all that wait, and of what is under way
	full   chan struct{} // told at a quarter of most: it is time for the journal

	mu       sync.Mutex
	filled   sync.Cond
	space    sync.Cond
	waiting  []*batch
	underway *batch // nil when nothing is
	count    int    // entries that wait
	closed   bool
}

func newQueue(most int64) *queue {
	q := &queue{most: most, full: make(chan struct{}, 1)}
	q.filled.L, q.space.L = &q.mu, &q.mu
	return q
}

// add puts an entry into the last batch. It waits while there are too many.
func (q *queue) add(e inference.Entry, weight int64) (*batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.weight.Load() > q.most && !q.closed {
		q.space.Wait()
	}
	if q.closed {
		return nil, unavailable("keep the record", errClosed)
	}
	b := q.last()
	b.entries, b.weight, q.count = append(b.entries, e), b.weight+weight, q.count+1
	if q.weight.Add(weight) >= q.most/4 {
		notify(q.full)
	}
	q.filled.Signal()
	return b, nil
}

var errClosed = errors.New("the ledger is closed")

// last is the batch that entries are added to.
func (q *queue) last() *batch {
	if n := len(q.waiting); n > 0 && len(q.waiting[n-1].entries) < mostEntries {
		return q.waiting[n-1]
	}
	b := &batch{done: make(chan struct{})}
	q.waiting = append(q.waiting, b)
	return b
}

// next waits for a batch and takes it. It is nil when the queue is closed and empty.
func (q *queue) next() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) == 0 && !q.closed {
		q.filled.Wait()
	}
	if len(q.waiting) == 0 {
		return nil
	}
	b := q.waiting[0]
	q.waiting[0], q.waiting = nil, q.waiting[1:]
	q.count -= len(b.entries)
	q.underway = b
	return b
}

// overflow takes everything that waits, where that is too much.
func (q *queue) overflow() []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.weight.Load() < q.most/4 {
		return nil
	}
	all := q.waiting
	q.waiting, q.count = nil, 0
	return all
}

// finish ends a batch that was taken.
func (q *queue) finish(b *batch, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.underway == b {
		q.underway = nil
	}
	q.weight.Add(-b.weight)
	q.space.Broadcast()
	b.err = err
	close(b.done)
}

// ends are the batches after whose ends all that is queued now has ended.
func (q *queue) ends() []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	var ends []*batch
	if q.underway != nil {
		ends = append(ends, q.underway)
	}
	if n := len(q.waiting); n > 0 {
		ends = append(ends, q.waiting[n-1])
	}
	return ends
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// close has add refuse and next run out.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
	q.space.Broadcast()
}

// notify tells c once, however often it is called before anyone hears.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
