package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// full is an entry with something in every field that the journal must hold.
func full() inference.Entry {
	profile, usage := "eu.anthropic.claude-sonnet-4-20250514-v1:0", inference.Usage{InputTokens: 3, OutputTokens: 4, CacheReadTokens: 5, CacheWriteTokens: 6, CacheWrite1h: 2}
	r := *settled("full", 12345)
	r.Door, r.Caller, r.UserID, r.Key, r.Team, r.Profile, r.CopiedFrom = "bedrock", "ann", "u-1", "laptop", "search", &profile, "m"
	r.DestinationRegion, r.Destination, r.Policy, r.Residency, r.Fallback = "eu-west-1", "unknown (one of 8)", "cost", []string{"eu"}, "other"
	r.Plan = []inference.Ranked{{Region: "eu-west-1", Model: "m", Account: "1", Because: "cheap"}}
	r.Continued, r.ShadowOf, r.Outcome, r.Error = 1, "other", inference.Failed, &inference.Failure{Status: 424, Type: inference.ModelError, Message: "a\x00\"é"}
	r.Usage, r.Wasted, r.Estimated, r.Reserved, r.WastedCost, r.Saved = usage, usage, true, 5000, 7, -8
	r.Nearing = []inference.Nearing{{Budget: "team", Measure: inference.DollarsPerDay, Percent: 81}}
	r.AWS, r.LatencyMS, r.Simulated = &inference.Verdict{Resource: "arn:aws:bedrock:x", Statement: "1"}, 120, true
	r.Attempts = append(r.Attempts, inference.Attempt{Region: "eu-north-1", Model: "m", Account: "1", Outcome: inference.Failed, Kind: inference.Throttling, Status: 429, MS: 3, Hedge: true, Cut: true, Usage: &usage, Cost: 9})
	return entryOf(r, false)
}

func TestFrameHoldsAll(t *testing.T) {
	want := full()
	frame, err := appendFrame(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := newFrames(bytes.NewReader(frame), 0, int64(len(frame))).next()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("frames.next() = %v, differs:\n%s", err, diff)
	}
}

// readAll reads what is whole, and says what is not.
func readAll(t testing.TB, data []byte) (found []string, in *frames) {
	in = newFrames(bytes.NewReader(data), 0, int64(len(data)))
	for {
		e, err := in.next()
		if errors.Is(err, io.EOF) {
			return found, in
		}
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, e.Record.ID)
	}
}

// written is frames one after the other, and where each ends.
func written(t testing.TB, ids ...string) (data []byte, ends []int) {
	for _, id := range ids {
		e := entryOf(*settled(id, 1), false)
		var err error
		if data, err = appendFrame(data, &e); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(data))
	}
	return data, ends
}

// TestKilledAtEveryByte cuts three records off at every length: what is whole is read,
// the journal opens, and goes on.
func TestKilledAtEveryByte(t *testing.T) {
	data, ends := written(t, "a", "b", "c")
	for cut := range len(data) {
		whole := 0
		for whole < len(ends) && ends[whole] <= cut {
			whole++
		}
		torn := cut
		if whole > 0 {
			torn -= ends[whole-1]
		}
		if found, in := readAll(t, data[:cut]); len(found) != whole || in.torn != int64(torn) || in.damaged != 0 {
			t.Fatalf("of %d bytes readAll() = %v, %d torn, %d damaged, want %d records, %d torn", cut, found, in.torn, in.damaged, whole, torn)
		}
	}
}

func TestOpenSegmentCutsTornTail(t *testing.T) {
	data, ends := written(t, "a", "b", "c")
	for _, tail := range [][]byte{data[ends[1] : ends[2]-1], make([]byte, 4096), {1, 2}} {
		path := filepath.Join(t.TempDir(), "journal-00000001")
		if err := os.WriteFile(path, append(bytes.Clone(data[:ends[1]]), tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		s, torn, damaged, err := openSegment(path, true)
		if err != nil || s.count != 2 || s.broken || torn != int64(len(tail)) || damaged != 0 {
			t.Errorf("openSegment() = %+v, %d, %d, %v, want 2 records and %d bytes cut off", s, torn, damaged, err, len(tail))
		}
		if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, data[:ends[1]]) {
			t.Errorf("the file has %d bytes, want %d", len(left), ends[1])
		}
	}
}

// TestOneBitFlips flips each bit of the second of three records: the others are read, and
// that one is known to be damaged.
func TestOneBitFlips(t *testing.T) {
	data, ends := written(t, "a", "b", "c")
	for bit := 8 * ends[0]; bit < 8*ends[1]; bit++ {
		data[bit/8] ^= 1 << (bit % 8)
		if found, in := readAll(t, data); !slices.Equal(found, []string{"a", "c"}) || in.damaged != 1 || in.torn != 0 {
			t.Fatalf("with bit %d of the second record readAll() = %v, %d damaged, %d torn, want a and c, 1 damaged", bit-8*ends[0], found, in.damaged, in.torn)
		}
		data[bit/8] ^= 1 << (bit % 8)
	}
}

// TestSeveralAreDamaged counts each of those that are passed over at once.
func TestSeveralAreDamaged(t *testing.T) {
	data, ends := written(t, "a", "b", "c", "d")
	data[ends[0]+frameHeader+3] ^= 1
	data[ends[1]+2] ^= 1 << 6 // more bytes than there are
	data[ends[1]-1] ^= 1
	if found, in := readAll(t, data); !slices.Equal(found, []string{"a", "d"}) || in.damaged != 2 {
		t.Errorf("readAll() = %v, %d damaged, want a and d, 2 damaged", found, in.damaged)
	}
}

// TestLengthIsDamaged: no record behind it is cut off as torn, the file is kept, and what
// is lost is counted.
func TestLengthIsDamaged(t *testing.T) {
	const records = 200
	dir, ids := t.TempDir(), []string(nil)
	for i := range records {
		ids = append(ids, fmt.Sprint(i))
	}
	data, ends := written(t, ids...)
	data[ends[1]+2] ^= 1 << 6 // bit 22 of the third length
	if err := os.WriteFile(filepath.Join(dir, "journal-00000001"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	store, told := newLink(newBooks()), &lines{}
	l := open(t, Config{Store: store, Dir: dir, Log: told.log()})
	shut(t, l)
	if n, lost := store.len(), l.Status().Lost; n != records-1 || lost != 1 {
		t.Errorf("the store has %d of %d records, %d are lost, want all but 1", n, records, lost)
	}
	if told.count("records are lost") != 1 || told.count("journal is full") != 0 {
		t.Errorf("log = %s, want that records are lost, and the journal not full", told.all.String())
	}
	kept, err := os.ReadFile(filepath.Join(dir, "journal-00000001.corrupt"))
	if err != nil || !bytes.Equal(kept, data) {
		t.Errorf("kept aside: %d bytes, %v, want all %d", len(kept), err, len(data))
	}
}

// TestTornBeforeTheLast: where a later segment exists no killed process was writing.
func TestTornBeforeTheLast(t *testing.T) {
	data, ends := written(t, "a", "b")
	path := filepath.Join(t.TempDir(), "journal-00000001")
	if err := os.WriteFile(path, data[:ends[1]-1], 0o600); err != nil {
		t.Fatal(err)
	}
	s, torn, damaged, err := openSegment(path, false)
	if err != nil || s.count != 1 || !s.broken || torn != 0 || damaged != 1 {
		t.Errorf("openSegment() = %+v, %d, %d, %v, want a broken one with 1 record, 1 damaged", s, torn, damaged, err)
	}
	if left, err := os.ReadFile(path); err != nil || len(left) != ends[1]-1 {
		t.Errorf("the file has %d bytes, %v, want %d as before", len(left), err, ends[1]-1)
	}
}

// TestCorruptMiddle replays what comes before it, behind it and in other segments, and
// keeps the file.
func TestCorruptMiddle(t *testing.T) {
	dir, told := t.TempDir(), &lines{}
	data, ends := written(t, "a", "b", "c")
	data[ends[0]+frameHeader+3] ^= 1
	other, _ := written(t, "d", "e")
	for name, text := range map[string][]byte{"journal-00000001": data, "journal-00000002": other} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store := newLink(newBooks())
	l := open(t, Config{Store: store, Dir: dir, Log: told.log()})
	shut(t, l)
	var found []string
	for id := range store.rows {
		found = append(found, id)
	}
	if len(found) != 4 || told.count("journal is corrupt") != 1 {
		t.Errorf("the store has %v, want all but b, and a line in the log:\n%s", found, told.all.String())
	}
	kept, err := os.ReadFile(filepath.Join(dir, "journal-00000001.corrupt"))
	if err != nil || !bytes.Equal(kept, data) {
		t.Errorf("kept aside: %d bytes, %v, want all %d", len(kept), err, len(data))
	}
	j, err := openJournal(dir, 1<<20, l.config.Log, l.loseRead)
	if err != nil || j.number != 1 || j.records.Load() != 0 {
		t.Errorf("openJournal() = number %d with %d records, %v, want an empty one after 1", j.number, j.records.Load(), err)
	}
}

// TestJournalIsDamagedWhileItIsUsed loses what is damaged, and goes on.
func TestJournalIsDamagedWhileItIsUsed(t *testing.T) {
	dir, told, lost := t.TempDir(), &lines{}, int64(0)
	j, err := openJournal(dir, 1<<20, told.log(), func(n int64) { lost += n })
	if err != nil {
		t.Fatal(err)
	}
	hold := func(id string) {
		if err := j.append([]inference.Entry{entryOf(*settled(id, 1), false)}); err != nil {
			t.Fatal(err)
		}
	}
	hold("a")
	whole := j.bytes.Load()
	hold("b")
	if err := os.Truncate(filepath.Join(dir, "journal-00000001"), whole+5); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a", "c", "d"} {
		p, err := j.next(10)
		if err != nil || len(p.entries) != 1 || p.entries[0].Record.ID != want {
			t.Fatalf("next() = %+v, %v, want %s alone", p.entries, err, want)
		}
		if want == "a" { // into the same segment
			hold("c")
		}
		if err := j.done(p); err != nil {
			t.Fatal(err)
		}
		if want == "c" { // into the next one
			hold("d")
		}
	}
	if n := told.count("journal is corrupt"); n != 1 || lost != 1 || j.records.Load() != 0 || j.bytes.Load() != 0 {
		t.Errorf("the damage was told %d times, %d records are lost, %d are left, want once, 1 and 0", n, lost, j.records.Load())
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
}

// noneLost is for journals without damage.
func noneLost(t testing.TB) func(int64) {
	return func(n int64) { t.Errorf("%d records of the journal cannot be read, want none", n) }
}

func TestFrameIsTooLarge(t *testing.T) {
	e := full()
	e.Record.Error.Message = strings.Repeat("a", mostPayload)
	if frame, err := appendFrame(nil, &e); err == nil || len(frame) != 0 {
		t.Errorf("appendFrame() = %d bytes, %v, want an error and none", len(frame), err)
	}
}

// TestJournalIsInOrder writes several segments, replays half, and opens it again.
func TestJournalIsInOrder(t *testing.T) {
	dir := t.TempDir()
	log := (&lines{}).log()
	j, err := openJournal(dir, 0, log, noneLost(t))
	if err != nil {
		t.Fatal(err)
	}
	const records = 400
	for i := range records {
		if err := j.append([]inference.Entry{entryOf(*settled(fmt.Sprint(i), 1), i%2 == 0)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(j.segments); n < 3 {
		t.Errorf("%d records made %d segments, want several", records, n)
	}
	for next := range records / 2 {
		p, err := j.next(1)
		if err != nil || len(p.entries) != 1 || p.entries[0].Record.ID != fmt.Sprint(next) || p.entries[0].Open != (next%2 == 0) {
			t.Fatalf("next() = %+v, %v, want record %d", p.entries, err, next)
		}
		if err := j.done(p); err != nil {
			t.Fatal(err)
		}
	}
	if n := j.records.Load(); n != records/2 {
		t.Errorf("%d records are left, want %d", n, records/2)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	j, err = openJournal(dir, 0, log, noneLost(t))
	if err != nil {
		t.Fatal(err)
	}
	want := int64(records) - j.records.Load()
	if want > records/2 || !j.inherits() {
		t.Errorf("%d records are left after a restart, want those that were not replayed", j.records.Load())
	}
	for {
		p, err := j.next(100)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.entries) == 0 {
			break
		}
		for _, e := range p.entries {
			if e.Record.ID != fmt.Sprint(want) {
				t.Fatalf("next() = %s, want %d", e.Record.ID, want)
			}
			want++
		}
		if err := j.done(p); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if want != records || err != nil || len(left) != 0 || j.bytes.Load() != 0 {
		t.Errorf("replayed up to %d, left %v with %d bytes, want all %d and nothing", want, left, j.bytes.Load(), records)
	}
}

// FuzzFrames reads anything: no panic, and what it reads of it and of that behind a whole
// frame is the same.
func FuzzFrames(f *testing.F) {
	data, ends := written(f, "a", "b", "c")
	f.Add(data)
	f.Add(data[:ends[2]-7])
	f.Add(data[3:])
	f.Add(append(bytes.Clone(data[:ends[0]]), make([]byte, 100)...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		found, in := readAll(t, data)
		if in.at != int64(len(data)) || in.torn > in.at || (in.torn == 0 && in.damaged == 0) != (whole(data)) {
			t.Fatalf("readAll() read %d of %d bytes, %d damaged, %d torn", in.at, len(data), in.damaged, in.torn)
		}
		first, _ := written(t, "first")
		again, _ := readAll(t, append(first, data...))
		if !slices.Equal(again, append([]string{"first"}, found...)) {
			t.Fatalf("readAll() behind a whole frame = %q, want %q", again, found)
		}
	})
}

// whole reports whether data is frames alone.
func whole(data []byte) bool {
	for in := bytes.NewReader(data); in.Len() > 0; {
		if _, _, err := readFrame(in, int64(in.Len())); err != nil {
			return false
		}
	}
	return true
}

func BenchmarkJournal(b *testing.B) {
	for _, batch := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			j, err := openJournal(b.TempDir(), 1<<30, (&lines{}).log(), noneLost(b))
			if err != nil {
				b.Fatal(err)
			}
			entries := make([]inference.Entry, batch)
			for i := range entries {
				entries[i] = entryOf(*settled("a", 1), false)
			}
			b.ReportAllocs()
			began := time.Now()
			for b.Loop() {
				if err := j.append(entries); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch)/time.Since(began).Seconds(), "entries/s")
			if err := j.close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
