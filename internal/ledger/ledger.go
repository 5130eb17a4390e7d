// Package ledger sees to it that each call has one record in the store, whatever
// becomes of the store or of this process meanwhile. [Ledger.Intend] writes a call's
// open record before its first attempt, [Ledger.Put] the settled one after its end.
//
//	Intend, Put > queue > store
//	                    > journal > store again
//
// One goroutine takes what is queued and commits it at once, so that many calls share a
// commit. While the store is slow or away the journal holds the entries, and another
// goroutine brings them in once it answers. What a killed process left open is closed
// as unknown when its server starts again, or by the other servers of the store.
//
//	ledger.go   what callers see
//	config.go   and give
//	queue.go    entries that wait for their commit: entry.go what they are copies of
//	room.go     what the journal has left for them
//	write.go    the commit
//	journal.go  entries that wait for the store: segment.go a file of them, frame.go its bytes, frames.go what can be read of them
//	replay.go   the way back from the journal
//	watch.go    what is done from time to time
//	health.go   what operators are told
//	folder.go   where the journal lies, and whose it is
package ledger

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// Status is how a ledger does.
type Status struct {
	Server         string    `json:"server"`
	Queued         int       `json:"queued"`                // entries that wait for a commit
	JournalBytes   int64     `json:"journal_bytes"`         // that wait for the store
	JournalRecords int64     `json:"journal_records"`       // entries, so a call may count twice
	Running        int       `json:"running"`               // calls that are intended and not settled
	Away           time.Time `json:"away,omitzero"`         // since when the store does not answer
	Lost           int64     `json:"lost,omitempty"`        // settled records of calls that were made which nothing could hold, and entries of the journal that are damaged
	Unmade         int64     `json:"unmade,omitempty"`      // those of calls that were refused
	Unguarded      int64     `json:"unguarded,omitempty"`   // calls that were made though nothing could hold their intent
	Error          string    `json:"error,omitempty"`       // the last one of the store or the journal
	ErrorTime      time.Time `json:"error_time,omitzero"`   // when that was
	Unrecovered    bool      `json:"unrecovered,omitempty"` // what an earlier process left is not settled yet
}

// Ledger keeps records. It is safe for concurrent use.
type Ledger struct {
	config  Config
	folder  *folder // nil without a Dir
	journal *journal
	queue   *queue
	room    *room

	turn    chan struct{} // holds one while the store is in Keep: an abandoned one too
	ready   chan struct{} // closed once an earlier process' records are settled
	written chan struct{} // closed when the writer has ended
	loops   sync.WaitGroup
	stop    context.CancelFunc // of the loops
	hurry   context.CancelFunc // of the commit that is under way

	// Of the replayer alone.
	recovered bool
	portion   int // entries that it gives the store at once
	refusals  int // of the same portion of one, by a store that answers

	mu     sync.Mutex
	health health
}

// Open starts a ledger: it locks Dir, replays its journal and closes what an earlier
// process of this server left open. A store that does not answer within Patience has
// that done later; calls are kept in the journal until then. The caller closes the
// Ledger before its store.
func Open(ctx context.Context, c Config) (*Ledger, error) {
	l := &Ledger{
		config: withDefaults(c), portion: mostEntries,
		turn: make(chan struct{}, 1), ready: make(chan struct{}), written: make(chan struct{}),
	}
	if err := l.settleIn(); err != nil {
		return nil, err
	}
	l.queue = newQueue(mostQueued(l.config.JournalSize))
	l.room = &room{limit: l.config.JournalSize, journal: &l.journal.bytes, queue: &l.queue.weight, held: map[string]int64{}, bounded: true}

	background := context.WithoutCancel(ctx)
	writing, hurry := context.WithCancel(background)
	looping, stop := context.WithCancel(background)
	l.hurry, l.stop = hurry, stop
	go l.write(writing)
	l.loops.Go(func() { l.replay(looping) })
	l.loops.Go(func() { l.watch(looping) })

	patience := time.NewTimer(l.config.Patience)
	defer patience.Stop()
	select {
	case <-l.ready:
	case <-patience.C:
	case <-ctx.Done():
	}
	return l, nil
}

// settleIn finds the journal, and who this server is.
func (l *Ledger) settleIn() (err error) {
	if l.config.Dir == "" {
		l.config.Server = cmp.Or(l.config.Server, uuid.New())
		l.journal, err = openJournal("", l.config.JournalSize, l.config.Log, l.loseRead)
		return err
	}
	if l.folder, err = lockFolder(l.config.Dir); err != nil {
		return err
	}
	if l.config.Server == "" {
		l.config.Server, err = l.folder.server()
	}
	if err == nil {
		l.journal, err = openJournal(l.config.Dir, l.config.JournalSize, l.config.Log, l.loseRead)
	}
	if err != nil {
		return errors.Join(err, l.folder.unlock())
	}
	return nil
}

// Intend writes that a call is about to be made; its Put must follow, also after an
// error. With durability Intent it returns once the store or the journal has that, and
// a kill of the process leaves an unknown record at least. The error is
// ServiceUnavailable where nothing can hold the record and calls are then refused, and
// Canceled when the context ended first. The record may change afterwards.
func (l *Ledger) Intend(ctx context.Context, r *inference.Record) error {
	size := weight(r)
	if !l.room.reserve(r.ID, 2*size) {
		return l.unheld(r)
	}
	if l.config.Durability == Settled {
		return nil
	}
	b, err := l.queue.add(entryOf(copied(r), true), size)
	if err != nil {
		return err
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return &inference.Error{Kind: inference.Canceled, Op: "write the intent", Message: "the caller went away", Err: ctx.Err()}
	}
	if b.err != nil && l.config.WhenFull == Refuse {
		return unavailable("write the intent", b.err)
	}
	return nil
}

// unheld decides about a call whose record has no room.
func (l *Ledger) unheld(r *inference.Record) error {
	if l.config.WhenFull == Refuse {
		return unavailable("write the intent", errFull)
	}
	l.lose(r, true, whyFull)
	return nil
}

const whyFull = "the store is away and the journal is full"

// errFull is why calls are refused.
var errFull = errors.New(whyFull + ": bring the store back, or allow the journal more in ledger.journal")

// Put keeps a settled record, which must not change any more. It waits for a commit
// only where so many wait already that memory is short. One that nothing can hold is
// counted and logged, and no error; the error is ServiceUnavailable after Close.
func (l *Ledger) Put(_ context.Context, r *inference.Record) error {
	size := weight(r)
	if !l.room.release(r.ID) && !l.room.fits(size) {
		l.lose(r, false, whyFull)
		return nil
	}
	_, err := l.queue.add(entryOf(*r, false), size)
	return err
}

// Flush waits until everything before it is in the store or the journal.
func (l *Ledger) Flush(ctx context.Context) error {
	for _, b := range l.queue.ends() {
		select {
		case <-b.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Server is the id that the store knows this server by.
func (l *Ledger) Server() string { return l.config.Server }

// Status is how the ledger does now.
func (l *Ledger) Status() Status {
	s := Status{
		Server: l.config.Server, Queued: l.queue.len(), Running: l.room.running(),
		JournalBytes: l.journal.bytes.Load(), JournalRecords: l.journal.records.Load(), Unrecovered: true,
	}
	select {
	case <-l.ready:
		s.Unrecovered = false
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Away, s.Lost, s.Unmade, s.Unguarded = l.health.away, l.health.lost, l.health.unmade, l.health.unguarded
	s.Error, s.ErrorTime = l.health.err, l.health.errTime
	return s
}

// Close commits what is queued, gives the store what the journal holds as far as it
// takes it within the context, and unlocks Dir. No method but Status may follow. The
// error says how many entries were lost: a journal without a Dir keeps none.
func (l *Ledger) Close(ctx context.Context) error {
	defer context.AfterFunc(ctx, l.hurry)()
	l.queue.close()
	<-l.written
	l.stop()
	l.loops.Wait()
	err := l.drain(ctx)
	select {
	case l.turn <- struct{}{}: // the store may be closed from here on
	case <-ctx.Done():
	}
	l.hurry()
	return errors.Join(err, l.journal.close(), l.folder.unlock())
}

func unavailable(op string, cause error) error {
	return &inference.Error{Kind: inference.ServiceUnavailable, Op: op, Message: "Bedrock is unable to process your request.", RetryAfter: time.Second, Err: cause}
}
