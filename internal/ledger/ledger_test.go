package ledger

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
)

// ends checks how the calls of the books came out.
func ends(t *testing.T, b *books, want map[inference.Outcome]int) {
	t.Helper()
	if got := b.outcomes(); !maps.Equal(got, want) {
		t.Errorf("outcomes = %v, want %v", got, want)
	}
}

func TestIntendIsInTheStoreWhenItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLink(newBooks())
		l := open(t, Config{Store: store, Dir: t.TempDir()})
		defer shut(t, l)
		mustIntend(t, l, "a")
		if r, ok := store.row("a"); !ok || !r.open || r.charged != 5000 {
			t.Errorf("after Intend the store has %+v, %t, want an open row with its charge", r, ok)
		}
		mustPut(t, l, settled("a", 7))
		mustFlush(t, l)
		if r, _ := store.row("a"); r.open || r.outcome != inference.OK || r.charged != 7 {
			t.Errorf("after Put the store has %+v, want it settled", r)
		}
		if s := l.Status(); s.Running != 0 || s.Queued != 0 || s.JournalRecords != 0 || s.Unrecovered || !s.Away.IsZero() {
			t.Errorf("Status() = %+v, want nothing that waits", s)
		}
	})
}

func TestSettledWritesNothingBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLink(newBooks())
		l := open(t, Config{Store: store, Durability: Settled})
		defer shut(t, l)
		mustIntend(t, l, "a")
		mustFlush(t, l)
		if n := store.len(); n != 0 {
			t.Errorf("the store has %d records, want none yet", n)
		}
		mustPut(t, l, settled("a", 7))
		mustFlush(t, l)
		ends(t, store.books, map[inference.Outcome]int{inference.OK: 1})
	})
}

// TestIntendCopies changes a record that is still on its way into the store.
func TestIntendCopies(t *testing.T) {
	r := settled("a", 1)
	r.Attempts[0].Usage = &inference.Usage{InputTokens: 1}
	c := copied(r)
	r.Attempts[0].Usage.InputTokens, r.Attempts[0].Cost, r.Charges[0].Amount = 2, 2, 2
	if c.Attempts[0].Usage.InputTokens != 1 || c.Attempts[0].Cost != 1 || c.Charges[0].Amount != 1 {
		t.Errorf("copied() = %+v, want what it was at the time", c)
	}
}

// TestGroupCommit has many calls wait while one commit runs: the next takes them all.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLink(newBooks())
		l := open(t, Config{Store: store})
		defer shut(t, l)
		store.set(slow)
		var calls sync.WaitGroup
		for _, id := range ids(100) {
			calls.Go(func() {
				if err := l.Intend(context.Background(), record(id)); err != nil {
					t.Errorf("Intend() = %v", err)
				}
			})
		}
		calls.Wait()
		if n := store.keeps.Load(); n > 3 {
			t.Errorf("100 calls took %d commits, want at most 3", n)
		}
		for _, id := range ids(100) {
			mustPut(t, l, settled(id, 1))
		}
	})
}

// TestStoreGoesAway in every way that it can: calls go on, and it has all in the end.
func TestStoreGoesAway(t *testing.T) {
	for _, m := range []mood{failing, hanging, deaf, doubtful, lagging} {
		for _, inMemory := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				store, told := newLink(newBooks()), &lines{}
				dir := ""
				if !inMemory {
					dir = t.TempDir()
				}
				l := open(t, Config{Store: store, Dir: dir, Log: told.log()})
				mustIntend(t, l, "before")
				store.set(m)
				mustIntend(t, l, "first") // waits as long as patience
				began := time.Now()
				for _, id := range ids(50) {
					mustIntend(t, l, id)
					mustPut(t, l, settled(id, 1))
				}
				if took := time.Since(began); took > 0 {
					t.Errorf("mood %d: calls waited %v for a store that is away, want none", m, took)
				}
				mustPut(t, l, settled("before", 1))
				mustPut(t, l, settled("first", 1))
				mustFlush(t, l)
				if s := l.Status(); s.Away.IsZero() || s.JournalRecords < 50 || s.JournalBytes == 0 || s.Error == "" {
					t.Errorf("mood %d: Status() = %+v, want it to say that the store is away", m, s)
				}
				store.set(well)
				close(store.freed)
				time.Sleep(3 * mostPause)
				ends(t, store.books, map[inference.Outcome]int{inference.OK: 52})
				if s := l.Status(); !s.Away.IsZero() || s.JournalRecords != 0 || s.JournalBytes != 0 {
					t.Errorf("mood %d: Status() = %+v, want nothing that waits", m, s)
				}
				if store.spent != 52 {
					t.Errorf("mood %d: spent = %d, want 52", m, store.spent)
				}
				if n := told.count("store does not keep records"); n != 1 {
					t.Errorf("mood %d: it was logged %d times that the store is away, want once", m, n)
				}
				before := store.keeps.Load()
				mustIntend(t, l, "after")
				if _, ok := store.row("after"); !ok || store.keeps.Load() != before+1 {
					t.Errorf("mood %d: records do not go to the store directly again", m)
				}
				mustPut(t, l, settled("after", 1))
				shut(t, l)
			})
		}
	}
}

// TestStoreIsAwayAtStart goes on, and settles what an earlier process left as soon as
// the store answers: before anything of this process is there.
func TestStoreIsAwayAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, dir := newBooks(), t.TempDir()
		first := newLink(b)
		l := open(t, Config{Store: first, Dir: dir})
		mustIntend(t, l, "in the store")
		first.set(failing)
		mustIntend(t, l, "in the journal")
		killed := kill(t, l, first, dir)

		second := newLink(b)
		second.set(hanging)
		l = open(t, Config{Store: second, Dir: killed})
		if s := l.Status(); !s.Unrecovered || s.JournalRecords != 1 {
			t.Errorf("Status() = %+v, want what the earlier process left", s)
		}
		mustIntend(t, l, "new")
		second.set(well)
		time.Sleep(time.Minute)
		ends(t, b, map[inference.Outcome]int{inference.Unknown: 2, "": 1})
		mustPut(t, l, settled("new", 1))
		shut(t, l)
		ends(t, b, map[inference.Outcome]int{inference.Unknown: 2, inference.OK: 1})
	})
}

// kill ends a process as kill -9 does: what its folder has, the next finds in the folder
// that kill returns. The store does not hear from it again.
func kill(t *testing.T, l *Ledger, store *link, dir string) string {
	t.Helper()
	next := filepath.Join(t.TempDir(), "next")
	if err := os.CopyFS(next, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	store.set(failing)
	store.die()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = l.Close(ended) // which a killed process does not: nothing of it counts
	return next
}

func TestLostServerIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBooks()
		theirs, ours := newLink(b), newLink(b)
		dir := t.TempDir()
		gone := open(t, Config{Store: theirs, Dir: dir})
		l := open(t, Config{Store: ours})
		defer shut(t, l)
		mustIntend(t, gone, "a")
		kill(t, gone, theirs, dir)
		time.Sleep(lostAfter - beatEvery)
		ends(t, b, map[inference.Outcome]int{"": 1})
		time.Sleep(beatEvery + 2*sweepEvery)
		ends(t, b, map[inference.Outcome]int{inference.Unknown: 1})
		// Each ended the leases of its own start, and the sweep those of the lost one.
		b.mu.Lock()
		defer b.mu.Unlock()
		if ours, lost := b.reclaimed[l.Server()], b.reclaimed[gone.Server()]; ours != 1 || lost != 2 {
			t.Errorf("leases were ended %d times of ours and %d of the lost server, want 1 and 2", ours, lost)
		}
	})
}

// TestNobodyIsSweptAfterAnOutage: while the store was away no server could say that it
// is there.
func TestNobodyIsSweptAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBooks()
		theirs, ours := newLink(b), newLink(b)
		other, l := open(t, Config{Store: theirs}), open(t, Config{Store: ours})
		mustIntend(t, other, "long call")
		theirs.set(failing)
		ours.set(failing)
		time.Sleep(10 * time.Minute)
		ours.set(well)
		time.Sleep(lostAfter - sweepEvery)
		theirs.set(well)
		time.Sleep(10 * time.Minute)
		ends(t, b, map[inference.Outcome]int{"": 1})
		mustPut(t, other, settled("long call", 1))
		shut(t, other)
		shut(t, l)
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLink(newBooks())
		l := open(t, Config{Store: store, Keep: 24 * time.Hour})
		defer shut(t, l)
		time.Sleep(3*time.Hour + forgetFirst)
		synctest.Wait()
		if got, want := store.forgotten, [2]time.Time{time.Now().Add(-24 * time.Hour), {}}; !got[0].Equal(want[0]) || !got[1].IsZero() {
			t.Errorf("Forget got %v, want %v", got, want)
		}
	})
}

func TestFullJournalRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, dir, told := newLink(newBooks()), t.TempDir(), &lines{}
		l := open(t, Config{Store: store, Dir: dir, JournalSize: 64 << 10, Log: told.log()})
		store.set(failing)
		var made []string
		var err error
		for _, id := range ids(1000) {
			if err = l.Intend(t.Context(), record(id)); err != nil {
				break
			}
			made = append(made, id)
		}
		if e := inference.AsError(err); e.Kind != inference.ServiceUnavailable || !errors.Is(err, errFull) || len(made) == 0 {
			t.Fatalf("after %d calls Intend() = %v, want ServiceUnavailable after some", len(made), err)
		}
		for _, id := range ids(3) {
			refused := record("refused " + id)
			refused.Outcome = inference.Failed
			mustPut(t, l, refused)
		}
		for _, id := range made {
			mustPut(t, l, settled(id, 1))
		}
		mustFlush(t, l)
		if s := l.Status(); s.JournalBytes > 64<<10 || s.Lost != 0 || s.Unmade == 0 {
			t.Errorf("Status() = %+v, want no call that was made to be lost, within 64 KiB", s)
		}
		unmade := int(l.Status().Unmade)
		store.set(well)
		time.Sleep(time.Minute)
		ends(t, store.books, map[inference.Outcome]int{inference.OK: len(made), inference.Failed: 3 - unmade})
		mustIntend(t, l, "again")
		mustPut(t, l, settled("again", 1))
		shut(t, l)
	})
}

func TestFullJournalCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, told := newLink(newBooks()), &lines{}
		l := open(t, Config{Store: store, Dir: t.TempDir(), JournalSize: 64 << 10, WhenFull: Count, Log: told.log()})
		store.set(failing)
		const calls = 500
		for _, id := range ids(calls) {
			mustIntend(t, l, id)
			mustPut(t, l, settled(id, 1))
		}
		time.Sleep(time.Minute)
		s := l.Status()
		if s.Lost == 0 || s.Unguarded < s.Lost || s.JournalBytes > 64<<10 {
			t.Errorf("Status() = %+v, want losses, of unguarded calls alone, and at most 64 KiB", s)
		}
		if n := told.count("records are lost"); n == 0 || n > 3 {
			t.Errorf("losses were logged %d times, want few", n)
		}
		store.set(well)
		time.Sleep(time.Minute)
		ends(t, store.books, map[inference.Outcome]int{inference.OK: calls - int(s.Lost)})
		shut(t, l)
	})
}

// TestLossesSayWhy: a store that refuses a record is not away.
func TestLossesSayWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, told := newLink(newBooks()), &lines{}
		store.refuse = func(e inference.Entry) bool { return e.Record.ID == "bad" }
		l := open(t, Config{Store: store, Dir: t.TempDir(), Durability: Settled, Log: told.log()})
		mustPut(t, l, settled("bad", 1))
		time.Sleep(5 * time.Minute)
		if s := l.Status(); s.Lost != 1 || told.count("msg=\"records are lost\" lost=1 unmade=0 unguarded=0") != 1 || told.count("is full") != 0 {
			t.Errorf("Status() = %+v, log:\n%s\nwant one loss, and no word of a full journal", s, told.all.String())
		}
		shut(t, l)
	})
}

// TestFailuresAreToldNowAndThen: each append fails, one line in some seconds says so.
func TestFailuresAreToldNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &lines{}
		l := open(t, Config{Store: newLink(newBooks()), Log: told.log()})
		for range 100 {
			l.failed("journal not written", errDown)
			time.Sleep(100 * time.Millisecond)
		}
		l.failed("journal not read", errDown)
		if written, read := told.count("journal not written"), told.count("journal not read"); written != 2 || read != 1 {
			t.Errorf("in 10 s one failure was told %d times, another %d, want 2 and 1", written, read)
		}
		shut(t, l)
	})
}

// TestOverflowGoesToTheJournal: a store that is slow, and in time, does not make the
// queue grow.
func TestOverflowGoesToTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLink(newBooks())
		l := open(t, Config{Store: store, Dir: t.TempDir(), Patience: time.Hour})
		store.set(slow)
		const calls = 50_000 // whose records weigh more than may wait
		for _, id := range ids(calls) {
			mustPut(t, l, settled(id, 1))
		}
		if w := l.queue.weight.Load(); w > l.queue.most+2<<10 {
			t.Errorf("%d bytes wait, want at most %d", w, l.queue.most)
		}
		mustFlush(t, l)
		time.Sleep(time.Minute)
		if n := store.largest.Load(); n > mostEntries {
			t.Errorf("the largest commit has %d entries, want at most %d", n, mostEntries)
		}
		ends(t, store.books, map[inference.Outcome]int{inference.OK: calls})
		shut(t, l)
	})
}

// TestOverflowFillsTheJournal and no more: then callers wait for the store.
func TestOverflowFillsTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, size := newLink(newBooks()), int64(2<<20)
		l := open(t, Config{Store: store, Dir: t.TempDir(), Patience: time.Hour, JournalSize: size})
		store.set(slow)
		began := time.Now()
		const calls = 20_000
		for _, id := range ids(calls) {
			mustPut(t, l, settled(id, 1))
			if n := l.journal.bytes.Load(); n > size {
				t.Fatalf("the journal has %d bytes, want at most %d", n, size)
			}
		}
		if time.Since(began) == 0 {
			t.Error("nobody waited for the store")
		}
		time.Sleep(time.Minute)
		if s := l.Status(); s.Lost != 0 {
			t.Errorf("Status() = %+v, want nothing lost", s)
		}
		ends(t, store.books, map[inference.Outcome]int{inference.OK: calls})
		shut(t, l)
	})
}

// TestRecordThatTheStoreRefuses does not keep the others out.
func TestRecordThatTheStoreRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, told := newLink(newBooks()), &lines{}
		store.refuse = func(e inference.Entry) bool { return e.Record.ID == "bad" }
		l := open(t, Config{Store: store, Log: told.log()})
		for _, id := range ids(20) {
			mustPut(t, l, settled(id, 1))
		}
		mustPut(t, l, settled("bad", 1))
		for _, id := range ids(20) {
			mustPut(t, l, settled("after "+id, 1))
		}
		time.Sleep(10 * time.Minute)
		ends(t, store.books, map[inference.Outcome]int{inference.OK: 40})
		if s := l.Status(); s.Lost != 1 || told.count("request_id=bad") != 1 {
			t.Errorf("Status() = %+v, want one lost, and a line that names it", s)
		}
		shut(t, l)
	})
}

// TestDiskIsAwayToo holds records in memory: calls whose intent must be durable are
// refused.
func TestDiskIsAwayToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, dir := newLink(newBooks()), filepath.Join(t.TempDir(), "journal")
		l := open(t, Config{Store: store, Dir: dir})
		mustIntend(t, l, "a")
		store.set(failing)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := l.Intend(t.Context(), record("b")); inference.AsError(err).Kind != inference.ServiceUnavailable {
			t.Errorf("Intend() = %v, want ServiceUnavailable", err)
		}
		mustPut(t, l, settled("a", 1))
		mustPut(t, l, settled("b", 1))
		time.Sleep(time.Minute)
		store.set(well)
		time.Sleep(time.Minute)
		ends(t, store.books, map[inference.Outcome]int{inference.OK: 2})
		shut(t, l)
	})
}

func TestCloseInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLink(newBooks())
		l := open(t, Config{Store: store})
		store.set(failing)
		mustPut(t, l, settled("a", 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Close(ctx); err == nil {
			t.Error("Close() = nil, want an error that tells of the entry that is lost")
		}
		if err := l.Put(t.Context(), settled("b", 1)); inference.AsError(err).Kind != inference.ServiceUnavailable {
			t.Errorf("Put() after Close = %v, want ServiceUnavailable", err)
		}
	})
}

func TestCanceledIntend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newLink(newBooks())
		l := open(t, Config{Store: store})
		store.set(slow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := l.Intend(ctx, record("a")); inference.AsError(err).Kind != inference.Canceled {
			t.Errorf("Intend() = %v, want Canceled", err)
		}
		mustPut(t, l, settled("a", 1))
		shut(t, l)
		ends(t, store.books, map[inference.Outcome]int{inference.OK: 1})
	})
}

func TestFolderIsForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		l := open(t, Config{Store: newLink(newBooks()), Dir: dir})
		if second, err := Open(t.Context(), Config{Store: newLink(newBooks()), Dir: dir}); err == nil {
			t.Error("a second ledger opened the same folder, want an error")
			shut(t, second)
		}
		id := l.Status().Server
		shut(t, l)
		l = open(t, Config{Store: newLink(newBooks()), Dir: dir})
		if got := l.Status().Server; got != id || !serverID.MatchString(id) {
			t.Errorf("server = %q after a restart, want %q", got, id)
		}
		shut(t, l)
	})
}

func TestServerIDIsDamaged(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "server"), []byte("a b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the lock is let go again
		if _, err := Open(t.Context(), Config{Store: newLink(newBooks()), Dir: dir}); err == nil {
			t.Fatal("Open() = nil, want an error that names the file")
		}
	}
}
