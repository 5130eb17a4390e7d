package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// TestLedger holds every database to the same ledger.
func TestLedger(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				run  func(*testing.T, *Store)
			}{
				{"each record once", testEachRecordOnce},
				{"columns", testCallColumns},
				{"close unsettled", testCloseUnsettled},
				{"late end", testLateEnd},
				{"at once", testKeepAtOnce},
				{"forget", testForget},
				{"texts that no database keeps", testUnstorableRecord},
				{"nothing", testKeepNothing},
				{"canceled", testKeepCanceled},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, open(t, d.fresh(t))) })
			}
		})
	}
}

// plainLedger is a ledger without any speed.
type plainLedger map[string]*plainRecord

type plainRecord struct {
	entry  inference.Entry
	server string
}

func (n plainLedger) keep(server string, entries []inference.Entry) {
	rank := func(e inference.Entry) int {
		switch {
		case e.Open:
			return 0
		case e.Record.Outcome == inference.Unknown:
			return 1
		}
		return 2
	}
	for _, e := range entries {
		if before, kept := n[e.Record.ID]; !kept || rank(e) > rank(before.entry) {
			n[e.Record.ID] = &plainRecord{e, server}
		}
	}
}

func (n plainLedger) closeUnsettled(server string, charge bool) (closed int) {
	for _, r := range n {
		if !r.entry.Open || r.server != server {
			continue
		}
		closed++
		r.entry.Open, r.entry.Record.Outcome = false, inference.Unknown
		if charge {
			r.entry.Record.Cost = r.entry.Record.Reserved
		} else {
			r.entry.Charges = nil
		}
	}
	return closed
}

// expected is what the tables hold, as lines: of each record, each sum and each amount.
func (n plainLedger) expected() []string {
	var lines []string
	sums := map[string]*[6]int64{}
	spent := map[string]int64{}
	for id, kept := range n {
		r := &kept.entry.Record
		if kept.entry.Open {
			lines = append(lines, fmt.Sprintf("open %s of %s", id, kept.server))
			continue
		}
		lines = append(lines, fmt.Sprintf("call %s of %s: %s, %d, %d attempts", id, kept.server, r.Outcome, r.Cost, len(r.Attempts)))
		for _, c := range kept.entry.Charges {
			if c.Measure.IsMoney() {
				spent[fmt.Sprintf("spent %s %s %s %d by %s", c.Budget, c.Pot, c.Measure, c.Starts, kept.server)] += c.Amount
			}
		}
		for _, starts := range []time.Time{r.Time.Truncate(time.Hour), r.Time.Truncate(24 * time.Hour)} {
			table := "usage_hours"
			if starts != r.Time.Truncate(time.Hour) {
				table = "usage_days"
			}
			key := fmt.Sprintf("%s %d %s %s %s %d", table, starts.UnixMilli(), r.Principal, cmp.Or(r.Destination, string(r.DestinationRegion)), r.Outcome, inference.CostBucket(r.Cost))
			if sums[key] == nil {
				sums[key] = new([6]int64)
			}
			for i, v := range []int64{1, int64(len(r.Attempts)), int64(r.Usage.InputTokens), int64(r.Cost), int64(r.Saved), r.LatencyMS} {
				sums[key][i] += v
			}
		}
	}
	for key, sum := range sums {
		lines = append(lines, fmt.Sprint(key, " ", *sum))
	}
	for slot, amount := range spent {
		if amount != 0 {
			lines = append(lines, fmt.Sprint(slot, " ", amount))
		}
	}
	slices.Sort(lines)
	return lines
}

// kept is what the tables do hold.
func (s *Store) kept(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, q := range []string{
		`SELECT 'open ' || id || ' of ' || server FROM open_calls`,
		`SELECT 'call ' || id || ' of ' || server || ': ' || outcome || ', ' || cost || ', ' ||
			(SELECT COUNT(*) FROM attempts a WHERE a.began = c.began AND a.id = c.id) || ' attempts' FROM calls c`,
		`SELECT 'spent ' || budget || ' ' || pot || ' ' || measure || ' ' || starts || ' by ' || server || ' ' || spent FROM budget_leases WHERE spent <> 0`,
		sumLines("usage_hours"), sumLines("usage_days"),
	} {
		rows, err := s.write.QueryContext(t.Context(), q)
		lines, err := collect("read", rows, err, func(r row) (line string, err error) { return line, r.Scan(&line) })
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, lines...)
	}
	slices.Sort(all)
	return all
}

func sumLines(table string) string {
	return `SELECT '` + table + ` ' || starts || ' ' || principal || ' ' || region || ' ' || outcome || ' ' || bucket || ' [' ||
		SUM(calls) || ' ' || SUM(attempts) || ' ' || SUM(input_tokens) || ' ' || SUM(cost) || ' ' || SUM(saved) || ' ' || SUM(latency_ms) || ']'
		FROM ` + table + ` JOIN usage_series ON id = series GROUP BY starts, principal, region, outcome, bucket
		HAVING SUM(ABS(calls) + ABS(cost) + ABS(attempts) + ABS(input_tokens) + ABS(saved) + ABS(latency_ms)) <> 0`
}

// anyEntry is an entry of one of a few records, as some server may tell it.
func anyEntry(t *rapid.T) inference.Entry {
	n := rapid.IntRange(0, 11).Draw(t, "record")
	// Noon and one hour on: never the first hour of a day, whose sums have one key.
	when := began.Add(time.Duration(n) * 25 * time.Minute)
	e := inference.Entry{
		Record: inference.Record{
			ID: fmt.Sprintf("call-%d", n), Time: when, Principal: fmt.Sprintf("principal-%d", n%3), Model: "m", SourceRegion: "us-east-1",
			Reserved: inference.Money(1000 * (n + 1)),
		},
		Charges: []inference.Charge{
			{Slot: inference.Slot{Budget: "all", Measure: inference.DollarsPerDay, Starts: when.Unix()}, Amount: int64(1000 * (n + 1))},
			{Slot: inference.Slot{Budget: "team", Pot: fmt.Sprint(n % 2), Measure: inference.DollarsPerMonth}, Amount: int64(1000 * (n + 1))},
		},
	}
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		e.Open = true
		e.Charges = append(e.Charges, inference.Charge{Slot: inference.Slot{Budget: "all", Measure: inference.TokensPerMinute, Starts: 60}, Amount: 9})
	case 1:
		e.Record.Outcome, e.Record.Cost = inference.Unknown, e.Record.Reserved
	default:
		e.Record.Outcome = rapid.SampledFrom([]inference.Outcome{inference.OK, inference.Failed}).Draw(t, "outcome")
		e.Record.DestinationRegion = "us-west-2"
		e.Record.Cost = inference.Money(rapid.IntRange(0, 900).Draw(t, "cost"))
		e.Record.Saved = -e.Record.Cost / 2
		e.Record.LatencyMS = int64(n)
		e.Record.Usage.InputTokens = 10 + n
		e.Record.Attempts = slices.Repeat([]inference.Attempt{{Region: "us-west-2", Model: "m", Outcome: e.Record.Outcome}}, rapid.IntRange(0, 3).Draw(t, "attempts"))
		e.Charges = []inference.Charge{{Slot: e.Charges[0].Slot, Amount: int64(e.Record.Cost)}, {Slot: e.Charges[1].Slot, Amount: int64(e.Record.Cost)}}
	}
	return e
}

// testEachRecordOnce tells the ledger of calls in any order and more than once.
func testEachRecordOnce(t *testing.T, s *Store) {
	tables := []string{"open_calls", "calls", "attempts", "usage_hours", "usage_days", "budget_leases"}
	rapid.Check(t, func(r *rapid.T) {
		for _, table := range tables {
			if _, err := s.write.ExecContext(t.Context(), `DELETE FROM `+table); err != nil {
				r.Fatal(err)
			}
		}
		model := plainLedger{}
		for range rapid.IntRange(1, 10).Draw(r, "steps") {
			server := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "server")
			if rapid.IntRange(0, 4).Draw(r, "step") == 0 {
				charge := rapid.Bool().Draw(r, "charge")
				want := model.closeUnsettled(server, charge)
				if got, err := s.CloseUnsettled(t.Context(), server, charge); got != want || err != nil {
					r.Fatalf("CloseUnsettled(%s) = %d, %v, want %d", server, got, err, want)
				}
				continue
			}
			entries := rapid.SliceOfN(rapid.Custom(anyEntry), 1, 12).Draw(r, "entries")
			model.keep(server, entries)
			if err := s.Keep(t.Context(), server, entries); err != nil {
				r.Fatalf("Keep(%v) = %v", entries, err)
			}
		}
		if diff := gocmp.Diff(model.expected(), s.kept(t)); diff != "" {
			r.Fatalf("the ledger differs (-want +got):\n%s", diff)
		}
	})
}

// ended is a settled entry, of a call that began so long after the others.
func ended(id string, after time.Duration, cost inference.Money) inference.Entry {
	return inference.Entry{
		Record: inference.Record{
			ID: id, Time: began.Add(after), Principal: "developer", Model: "m", SourceRegion: "us-east-1", Outcome: inference.OK, Cost: cost,
			Attempts: []inference.Attempt{{Region: "us-east-1", Model: "m", Outcome: inference.OK}},
		},
		Charges: []inference.Charge{{Slot: inference.Slot{Budget: "all", Measure: inference.DollarsPerDay}, Amount: int64(cost)}},
	}
}

func begun(id string, after time.Duration, reserved inference.Money) inference.Entry {
	e := ended(id, after, reserved)
	e.Open, e.Record.Outcome, e.Record.Attempts, e.Record.Cost, e.Record.Reserved = true, "", nil, 0, reserved
	return e
}

func mustKeep(t *testing.T, s *Store, server string, entries ...inference.Entry) {
	t.Helper()
	if err := s.Keep(t.Context(), server, entries); err != nil {
		t.Fatalf("Keep(%d entries) = %v", len(entries), err)
	}
}

func (s *Store) number(t *testing.T, query string) (n int64) {
	t.Helper()
	if err := s.write.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func testCallColumns(t *testing.T, s *Store) {
	profile := "us.m"
	r := inference.Record{
		ID: "id", Time: began, Operation: inference.Converse, Principal: "principal", Door: "door", Caller: "caller", UserID: "user", Key: "key", Team: "team",
		Profile: &profile, CopiedFrom: "copied", Model: "model", SourceRegion: "source", DestinationRegion: "region", Destination: "unknown (one of 8)",
		Policy: inference.Adaptive, Residency: []string{"eu"}, Fallback: "fallback", FallbackModel: "other", Continued: 1, ShadowOf: "shadow", Outcome: inference.Failed,
		Error:  &inference.Failure{Status: 429, Type: inference.Throttling, Message: "message"},
		Usage:  inference.Usage{InputTokens: 1, OutputTokens: 2, CacheReadTokens: 3, CacheWriteTokens: 4, CacheWrite1h: 5},
		Wasted: inference.Usage{InputTokens: 6}, Estimated: true, Reserved: 7, Cost: 8, WastedCost: 9, Saved: -10,
		Nearing:   []inference.Nearing{{Budget: "all", Measure: inference.DollarsPerDay, Percent: 80}},
		AWS:       &inference.Verdict{Allowed: false, Resource: "arn", Statement: "0"},
		LatencyMS: 11, Simulated: true,
		Attempts: []inference.Attempt{
			{Region: "r0", Model: "m0", Account: "a0", Outcome: inference.Failed, Kind: inference.Throttling, Status: 429, MS: 12, Hedge: true, Cut: true, Usage: &inference.Usage{OutputTokens: 13}, Cost: 14},
			{Region: "r1", Model: "m1", Outcome: inference.OK},
		},
	}
	mustKeep(t, s, "server", inference.Entry{Record: r}, inference.Entry{Record: inference.Record{ID: "bare", Time: began.Add(time.Hour), Outcome: inference.OK}})
	for _, c := range []struct{ query, want string }{
		{`SELECT ` + callColumns + ` FROM calls WHERE id = 'id'`,
			`1795348800000|id|server|Converse|principal|door|caller|user|key|team|us.m|copied|model|source|region|unknown (one of 8)|adaptive|["eu"]|fallback|other|1|shadow|` +
				`failed|429|ThrottlingException|message|1|2|3|4|5|{"input_tokens":6,"output_tokens":0}|1|7|8|9|-10|` +
				`[{"budget":"all","measure":"dollars_per_day","percent":80}]|0|arn|0|11|1|<nil>`},
		{`SELECT ` + callColumns + ` FROM calls WHERE id = 'bare'`,
			`1795352400000|bare|server||||||||<nil>||||||` + `|<nil>|||0||ok|<nil>|<nil>|<nil>|0|0|0|0|0|<nil>|0|0|0|0|0|<nil>|<nil>|<nil>|<nil>|0|0|<nil>`},
		{`SELECT ` + attemptColumns + ` FROM attempts WHERE n = 0`, `1795348800000|id|0|r0|m0|a0|failed|ThrottlingException|429|12|1|1|{"input_tokens":0,"output_tokens":13}|14`},
		{`SELECT ` + attemptColumns + ` FROM attempts WHERE n = 1`, `1795348800000|id|1|r1|m1||ok||0|0|0|0|<nil>|0`},
		{`SELECT ` + seriesColumns + `, ` + sumCols + ` FROM usage_days JOIN usage_series ON id = series WHERE principal = 'principal'`,
			`principal|caller|key|team|door|us.m|other|unknown (one of 8)|source|failed|1|2|0|1|1|2|3|4|7|2|8|8|-10|11`},
	} {
		if got := s.line(t, c.query); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}

// line is the values of one row.
func (s *Store) line(t *testing.T, query string) string {
	t.Helper()
	rows, err := s.write.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	if !rows.Next() || rows.Scan(into...) != nil {
		t.Fatalf("%s: no row", query)
	}
	texts := make([]string, len(values))
	for i, v := range values {
		switch v {
		case true: // SQLite has numbers for them
			v = 1
		case false:
			v = 0
		}
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, "|")
}

func testCloseUnsettled(t *testing.T, s *Store) {
	const calls = closeAtOnce + 3
	var entries []inference.Entry
	for n := range calls {
		entries = append(entries, begun(fmt.Sprint(n), time.Duration(n)*time.Millisecond, 5))
	}
	mustKeep(t, s, "gone", entries...)
	mustKeep(t, s, "here", begun("other", 0, 5))
	if closed, err := s.CloseUnsettled(t.Context(), "gone", true); closed != calls || err != nil {
		t.Errorf("CloseUnsettled(gone) = %d, %v, want %d", closed, err, calls)
	}
	if closed, err := s.CloseUnsettled(t.Context(), "gone", true); closed != 0 || err != nil {
		t.Errorf("CloseUnsettled(gone) again = %d, %v, want 0", closed, err)
	}
	for query, want := range map[string]int64{
		`SELECT COUNT(*) FROM open_calls`:                                                              1,
		`SELECT COUNT(*) FROM calls WHERE outcome = 'unknown'`:                                         calls,
		`SELECT SUM(cost) FROM usage_hours`:                                                            calls * 5,
		`SELECT SUM(spent) FROM budget_leases WHERE server = 'gone'`:                                   calls * 5,
		`SELECT COUNT(*) FROM budget_leases WHERE server <> 'gone'`:                                    0,
		`SELECT COUNT(*) FROM calls WHERE cost <> 5 OR reserved <> 5`:                                  0,
		`SELECT SUM(calls) FROM usage_days JOIN usage_series ON id = series WHERE outcome = 'unknown'`: calls,
	} {
		if got := s.number(t, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

// testLateEnd settles a call that was given up, as a journal that is replayed does.
func testLateEnd(t *testing.T, s *Store) {
	mustKeep(t, s, "a", begun("x", 0, 900))
	if closed, err := s.CloseUnsettled(t.Context(), "a", true); closed != 1 || err != nil {
		t.Fatalf("CloseUnsettled() = %d, %v, want 1", closed, err)
	}
	for range 2 { // the second changes nothing
		mustKeep(t, s, "a", begun("x", 0, 900), ended("x", 0, 40), ended("y", 0, 2))
	}
	model := plainLedger{}
	model.keep("a", []inference.Entry{ended("x", 0, 40), ended("y", 0, 2)})
	if diff := gocmp.Diff(model.expected(), s.kept(t)); diff != "" {
		t.Errorf("the ledger differs (-want +got):\n%s", diff)
	}
}

// testKeepAtOnce has several tell of the same calls at the same time.
func testKeepAtOnce(t *testing.T, s *Store) {
	var opens, ends []inference.Entry
	for n := range 100 {
		after := time.Duration(n) * time.Minute
		opens = append(opens, begun(fmt.Sprint(n), after, 7))
		ends = append(ends, ended(fmt.Sprint(n), after, inference.Money(n)))
	}
	mustKeep(t, s, "a", opens...)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			part := ends[n*5:]
			if n%2 == 1 {
				part = slices.Clone(part)
				slices.Reverse(part)
			}
			if err := s.Keep(t.Context(), "a", part); err != nil {
				t.Errorf("Keep() = %v", err)
			}
			if _, err := s.CloseUnsettled(t.Context(), "a", true); err != nil {
				t.Errorf("CloseUnsettled() = %v", err)
			}
		})
	}
	all.Wait()
	model := plainLedger{}
	model.keep("a", ends)
	if diff := gocmp.Diff(model.expected(), s.kept(t)); diff != "" {
		t.Errorf("the ledger differs (-want +got):\n%s", diff)
	}
}

func testForget(t *testing.T, s *Store) {
	var entries []inference.Entry
	const calls, gone = 3 * forgetAtOnce / 2, 5 * forgetAtOnce / 4
	for n := range calls {
		entries = append(entries, ended(fmt.Sprint(n), time.Duration(n)*time.Second, 1))
	}
	mustKeep(t, s, "a", entries...)
	mustKeep(t, s, "a", ended("last", 12*time.Hour, 1)) // at midnight
	for _, c := range []struct {
		hours                  time.Duration
		inHours, inDays, calls int64
	}{
		{59 * time.Minute, calls + 1, calls + 1, calls - gone + 1},
		{time.Hour, 1, calls + 1, calls - gone + 1}, // all began in one hour
		{12*time.Hour - 1, 1, calls + 1, calls - gone + 1},
		{12 * time.Hour, 1, 1, calls - gone + 1},
	} {
		if _, err := s.Forget(t.Context(), began.Add(gone*time.Second), began.Add(c.hours)); err != nil {
			t.Fatalf("Forget() = %v", err)
		}
		for query, want := range map[string]int64{
			`SELECT COUNT(*) FROM calls`:         c.calls,
			`SELECT COUNT(*) FROM attempts`:      c.calls,
			`SELECT SUM(calls) FROM usage_hours`: c.inHours,
			`SELECT SUM(calls) FROM usage_days`:  c.inDays,
		} {
			if got := s.number(t, query); got != want {
				t.Errorf("with hours up to %s, %s = %d, want %d", c.hours, query, got, want)
			}
		}
	}
	if n, err := s.Forget(t.Context(), began.Add(calls*time.Second), began); n != calls-gone || err != nil {
		t.Errorf("Forget() = %d, %v, want %d", n, err, calls-gone)
	}
}

func testUnstorableRecord(t *testing.T, s *Store) {
	e := ended("a\x00b\xff", 0, 3)
	long := strings.Repeat("é", maxText)
	e.Record.Principal, e.Record.Model, e.Record.Fallback, e.Record.Caller, e.Record.Key = long, "\x00", long, long, long
	e.Record.Team, e.Record.Door, e.Record.Destination, e.Record.Profile, e.Record.SourceRegion = long, long, long, &long, inference.Region(long)
	e.Record.Error = &inference.Failure{Message: "\xc3\x28\x00" + strings.Repeat("x", 2*maxMessage)}
	e.Record.Residency = []string{"\x00\xff"}
	e.Record.Attempts[0].Model = "\x00"
	open := begun("o\x00", 0, 1)
	open.Record.Caller = "\x00\xff\xfe"
	open.Charges[0].Pot = "\x00"
	mustKeep(t, s, "a", e, open)
	mustKeep(t, s, "a", e, open)
	if closed, err := s.CloseUnsettled(t.Context(), "a", true); closed != 1 || err != nil {
		t.Errorf("CloseUnsettled() = %d, %v, want 1", closed, err)
	}
	late := ended("o\x00", 0, 1)
	late.Record.Caller = open.Record.Caller
	mustKeep(t, s, "a", late)
	for query, want := range map[string]int64{
		`SELECT SUM(calls) FROM usage_hours`: 2,
		`SELECT SUM(ABS(calls)) FROM usage_hours JOIN usage_series ON id = series WHERE outcome = 'unknown'`: 0,
	} {
		if got := s.number(t, query); got != want {
			t.Errorf("%s = %d, want %d", query, got, want)
		}
	}
}

func testKeepNothing(t *testing.T, s *Store) {
	mustKeep(t, s, "a")
	if closed, err := s.CloseUnsettled(t.Context(), "a", true); closed != 0 || err != nil {
		t.Errorf("CloseUnsettled() = %d, %v, want 0", closed, err)
	}
	if n, err := s.Forget(t.Context(), began, began); n != 0 || err != nil {
		t.Errorf("Forget() = %d, %v, want 0", n, err)
	}
}

func testKeepCanceled(t *testing.T, s *Store) {
	wantKind(t, "Keep of a caller who went away", s.Keep(canceled(t), "a", []inference.Entry{ended("x", 0, 1)}), inference.Canceled)
	if got := s.kept(t); len(got) > 0 {
		t.Errorf("the ledger keeps %q, want nothing", got)
	}
}

// TestSchemaOfOneDatabase reads the parts of a migration that are for one database.
func TestSchemaOfOneDatabase(t *testing.T) {
	const schema = "CREATE TABLE t (id INTEGER /*postgres GENERATED BY DEFAULT AS IDENTITY*/ PRIMARY KEY) /*sqlite WITHOUT ROWID*/;"
	for _, c := range []struct {
		of   dialect
		want string
	}{
		{sqlite, "CREATE TABLE t (id INTEGER /*postgres GENERATED BY DEFAULT AS IDENTITY*/ PRIMARY KEY) WITHOUT ROWID;"},
		{postgres, "CREATE TABLE t (id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY) /*sqlite WITHOUT ROWID*/;"},
	} {
		if got := c.of.own(schema); got != c.want {
			t.Errorf("own(%s) = %s, want %s", c.of.name, got, c.want)
		}
	}
}

// TestKeepOverTwoStores shares one database between servers, each with what it
// remembers of series.
func TestKeepOverTwoStores(t *testing.T) {
	for _, d := range databases {
		if d.name == "memory" {
			continue // it is one server's
		}
		t.Run(d.name, func(t *testing.T) {
			dsn := d.fresh(t)
			a, b := open(t, dsn), open(t, dsn)
			for n := range 3 {
				mustKeep(t, a, "a", ended(fmt.Sprint("a", n), 0, 1))
				mustKeep(t, b, "b", ended(fmt.Sprint("b", n), 0, 1))
			}
			if got := a.number(t, `SELECT COUNT(*) FROM usage_series`); got != 1 {
				t.Errorf("there are %d series, want 1", got)
			}
			if got := b.number(t, `SELECT SUM(calls) FROM usage_hours JOIN usage_series ON id = series`); got != 6 {
				t.Errorf("%d calls are summed, want 6", got)
			}
		})
	}
}

// TestNamesAreForgotten: Forget leaves no name of a user whose calls all are forgotten,
// and servers that remember the series of one still sum what it calls later.
func TestNamesAreForgotten(t *testing.T) {
	const day = 24 * time.Hour
	for _, d := range databases {
		if d.name == "memory" {
			continue // it is one server's
		}
		t.Run(d.name, func(t *testing.T) {
			dsn := d.fresh(t)
			a, b := open(t, dsn), open(t, dsn)
			call := func(s *Store, id, caller string, after time.Duration) {
				e := ended(id, after, 1)
				e.Record.Caller = caller
				mustKeep(t, s, "a", e)
			}
			forget := func(after time.Duration, want string) {
				t.Helper()
				if _, err := b.Forget(t.Context(), began.Add(after), began.Add(after)); err != nil {
					t.Fatal(err)
				}
				rows, err := b.read.QueryContext(t.Context(), `SELECT caller FROM usage_series ORDER BY caller`)
				names, err := collect("list names", rows, err, func(r row) (name string, err error) { return name, r.Scan(&name) })
				if got := strings.Join(names, " "); got != want || err != nil {
					t.Errorf("after Forget(%s) the names are %q, %v, want %q", after, got, err, want)
				}
			}
			call(a, "1", "ana", 0)
			call(a, "2", "bo", 0)
			call(b, "3", "bo", 2*day)
			forget(day/4, "ana bo") // the day is not over
			forget(day+day/2, "bo")
			call(a, "4", "ana", 3*day)
			call(a, "5", "bo", 3*day)
			forget(2*day+day/2, "ana bo")
			got, err := a.Usage(t.Context(), inference.UsageQuery{Since: began, Until: began.Add(9 * day), By: []inference.Dimension{inference.ByUser}})
			if err != nil || len(got) != 2 || got[0].Keys[0] != "ana" || got[0].Calls != 1 || got[1].Keys[0] != "bo" || got[1].Calls != 1 {
				t.Errorf("Usage() = %+v, %v, want what ana and bo called last", got, err)
			}
			forget(9*day, "")
		})
	}
}

// TestSeriesAreForgotten keeps what is remembered of series small.
func TestSeriesAreForgotten(t *testing.T) {
	var ids seriesIDs
	for n := range 2*maxSeries + 1 {
		ids.remember(map[series]used{{principal: fmt.Sprint(n)}: {id: int64(n)}})
	}
	if got := len(ids.seen); got == 0 || got > maxSeries {
		t.Errorf("%d series are remembered, want 1 to %d", got, maxSeries)
	}
	last := series{principal: fmt.Sprint(2 * maxSeries)}
	if id, seen := ids.of(last, 0); id != 2*maxSeries || !seen {
		t.Errorf("of(the last) = %d, %v, want %d", id, seen, 2*maxSeries)
	}
	if id, seen := ids.of(series{principal: "0"}, 0); seen {
		t.Errorf("of(the first) = %d, want none", id)
	}
}

// TestKeepEndsWhenTheDatabaseDoes says so.
func TestKeepEndsWhenTheDatabaseDoes(t *testing.T) {
	s, err := Open(t.Context(), memory, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	err = s.Keep(t.Context(), "a", []inference.Entry{ended("x", 0, 1)})
	wantKind(t, "Keep into a closed store", err, inference.ServiceUnavailable)
	if errors.Is(err, sql.ErrNoRows) {
		t.Errorf("Keep() = %v", err)
	}
}

// TestLedgerSearchesByKey asks the databases how they find rows: never by reading a
// table as a whole.
func TestLedgerSearchesByKey(t *testing.T) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			s := open(t, d.fresh(t))
			explain, scan := "EXPLAIN QUERY PLAN ", "SCAN "
			if d.name == "postgres" {
				explain, scan = "EXPLAIN ", "Seq Scan on "
			}
			var statements []string
			for _, m := range []*many{insertOpen, deleteOpen, deleteCalls, deleteAttempts} {
				statements = append(statements, strings.ReplaceAll(m.text(64, false), "?", "'1'"))
			}
			for _, o := range []old{{table: "calls", key: "began, id"}, {table: "usage_days", key: sumKeys}} {
				statements = append(statements, strings.NewReplacer("$1", "1", "$2", "1").Replace(o.statement()))
			}
			for _, statement := range statements {
				plan := strings.Join(s.plan(t, explain+statement), "\n") + "\n"
				for _, table := range []string{"open_calls", "calls", "attempts", "c", "usage_days"} {
					if strings.Contains(plan, scan+table+"\n") || strings.Contains(plan, scan+table+" ") {
						t.Errorf("%.200s\nreads all of %s:\n%s", statement, table, plan)
					}
				}
			}
		})
	}
}

func (s *Store) plan(t *testing.T, query string) (lines []string) {
	t.Helper()
	err := s.transact(t.Context(), "explain", func(tx *sql.Tx) error {
		if err := s.dialect.searchByKey(t.Context(), tx); err != nil {
			return err
		}
		rows, err := tx.QueryContext(t.Context(), query)
		lines, err = collect("explain", rows, err, func(r row) (line string, err error) {
			var ignored any
			if s.dialect.numbered {
				return line, r.Scan(&line)
			}
			return line, r.Scan(&ignored, &ignored, &ignored, &line)
		})
		return err
	})
	if err != nil || len(lines) == 0 {
		t.Fatalf("%s: %v, %v", query, lines, err)
	}
	return lines
}
