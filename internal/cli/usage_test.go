package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	front "fairway/internal/front/admin"
	"fairway/internal/inference"
	"fairway/internal/usage"
)

// someCalls is a ledger of two models and so many records, after which it may fail.
type someCalls struct {
	records int
	err     error
	abort   bool // the connection breaks in place of an end
}

func (l someCalls) Usage(_ context.Context, q inference.UsageQuery) ([]inference.UsageRow, error) {
	if l.records == 0 || l.err != nil {
		return nil, l.err
	}
	var rows []inference.UsageRow
	for i, model := range []string{"amazon.nova-micro-v1:0", "anthropic.claude-sonnet-4-6"} {
		var keys []string
		for _, d := range q.By {
			keys = append(keys, map[inference.Dimension]string{inference.ByModel: model, inference.ByDay: "2026-11-2" + string(rune('1'+i))}[d])
		}
		rows = append(rows, inference.UsageRow{Keys: keys, Calls: 2, Cost: inference.Money(i+1) * 3_000_000, Costs: map[int]int64{0: 2}})
	}
	return rows, nil
}

func (l someCalls) Records(_ context.Context, _, _ time.Time, _ map[inference.Dimension]string, each func(*inference.Record) error) error {
	for i := range l.records {
		r := inference.Record{ID: string(rune('a' + i%26)), Principal: "checkout", Door: strings.Repeat("x", 400), Cost: 1_000}
		if err := each(&r); err != nil {
			return err
		}
	}
	if l.abort {
		panic(http.ErrAbortHandler)
	}
	return l.err
}

// ledgerServer is the admin API over a ledger.
func ledgerServer(t *testing.T, l someCalls, states ...usage.BudgetState) (url string) {
	t.Helper()
	mux := http.NewServeMux()
	front.Config{
		Log: slog.New(slog.DiscardHandler), Usage: l, Now: time.Now,
		Budgets: func(context.Context) ([]usage.BudgetState, error) { return states, nil },
		Principal: func(name string) (inference.Principal, bool) {
			return inference.Principal{Name: name, ARN: "arn:aws:iam::123456789012:role/checkout"}, true
		},
	}.Register(mux, func(next http.HandlerFunc) http.HandlerFunc { return next })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestUsage(t *testing.T) {
	url := ledgerServer(t, someCalls{records: 4})
	text, _ := fairway(t, exitDone, "usage", "--url", url, "--by", "model", "--top", "1", "--since", "2026-11", "--until", "2026-12")
	for _, want := range []string{
		"2026-11-01 00:00 up to 2026-12-01 00:00 UTC\n", "\nMODEL ", "\nanthropic.claude-sonnet-4-6      2 ", "\n1 others ", "\ntotal                            4 ", " 0.0090 ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("usage prints\n%s\nwant %q in it", text, want)
		}
	}
	var r usage.Report
	raw, _ := fairway(t, exitDone, "usage", "--url", url, "--json")
	if err := json.Unmarshal([]byte(raw), &r); err != nil || r.Total.Calls != 4 || len(r.Rows) != 2 || r.Rows[0].Keys[inference.ByDay] != "2026-11-21" || r.Step != "" {
		t.Errorf("usage --json = %s, want two days", raw)
	}
	if empty, _ := fairway(t, exitDone, "usage", "--url", ledgerServer(t, someCalls{}), "--since", "2026-11-01", "--until", "2026-11-02"); empty != "no calls since 2026-11-01 00:00 up to 2026-11-02 00:00 UTC\n" {
		t.Errorf("usage of no calls = %q", empty)
	}
	if _, stderr := fairway(t, exitFailed, "usage", "--url", ledgerServer(t, someCalls{err: errors.New("the store is away")})); !strings.Contains(stderr, "get /api/usage: HTTP 500: the store is away") {
		t.Errorf("usage without a store says %q, want the cause", stderr)
	}
}

func TestUsageBudgets(t *testing.T) {
	url := ledgerServer(t, someCalls{}, usage.BudgetState{Budget: "team", Measure: inference.DollarsPerDay, Limit: 5 * int64(inference.Dollar), Spent: 1_500_000_000})
	if text, _ := fairway(t, exitDone, "usage", "--url", url, "--budgets"); !strings.Contains(text, "team    -   dollars_per_day  5.0000  1.5000    0.0000  30 %") {
		t.Errorf("usage --budgets = %s, want the team's", text)
	}
	if raw, _ := fairway(t, exitDone, "usage", "--url", url, "--budgets", "--json"); !strings.Contains(raw, `"spent": "1.5"`) {
		t.Errorf("usage --budgets --json = %s, want dollars", raw)
	}
}

func TestExport(t *testing.T) {
	const calls = 1000
	url := ledgerServer(t, someCalls{records: calls})
	text, _ := fairway(t, exitDone, "usage", "export", "--url", url)
	if rows, err := csv.NewReader(strings.NewReader(text)).ReadAll(); err != nil || len(rows) != calls+1 {
		t.Errorf("usage export = %d rows, %v, want the names and %d calls", len(rows), err, calls)
	}
	file := filepath.Join(t.TempDir(), "calls.log")
	_, stderr := fairway(t, exitDone, "usage", "export", "--url", url, "--format", "invocation-log", "-o", file)
	raw, err := os.ReadFile(file)
	if err != nil || strings.Count(string(raw), `"accountId":"123456789012"`) != calls || stderr != "1000 calls in "+file+"\n" {
		t.Errorf("usage export -o writes %d bytes, says %q, %v, want %d calls", len(raw), stderr, err, calls)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is of mode %v, %v, want its owner's alone", info.Mode(), err)
	}
}

// TestBrokenExport: an export that is not whole says so, and leaves no file.
func TestBrokenExport(t *testing.T) {
	for name, c := range map[string]struct {
		ledger someCalls
		want   string
	}{
		"store":      {someCalls{records: 1000, err: errors.New("the store is away")}, "the server broke off: the store is away"},
		"connection": {someCalls{records: 1000, abort: true}, "unexpected EOF"},
		"nothing":    {someCalls{err: errors.New("the store is away")}, "HTTP 500: the store is away"},
	} {
		t.Run(name, func(t *testing.T) {
			url, dir := ledgerServer(t, c.ledger), t.TempDir()
			text, stderr := fairway(t, exitFailed, "usage", "export", "--url", url, "--format", "jsonl")
			if !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "what is written is not all") {
				t.Errorf("usage export says %q, want %q and that it is not all", stderr, c.want)
			}
			for line := range strings.Lines(text) {
				if !json.Valid([]byte(line)) {
					t.Errorf("a line is cut: %.80s", line)
				}
			}
			file := filepath.Join(dir, "calls.jsonl")
			_, stderr = fairway(t, exitFailed, "usage", "export", "--url", url, "--format", "jsonl", "-o", file)
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 0 || !strings.Contains(stderr, file+" is not written") {
				t.Errorf("usage export -o says %q and leaves %v, want no file", stderr, left)
			}
		})
	}
}

// TestForeignServer: a server without an admin API is told from one that refuses.
func TestForeignServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for _, args := range [][]string{{"usage"}, {"usage", "export"}, {"usage", "--budgets"}} {
		if _, stderr := fairway(t, exitFailed, append(args, "--url", server.URL)...); !strings.Contains(stderr, "has no admin API") {
			t.Errorf("fairway %v says %q, want that it is no admin API", args, stderr)
		}
	}
}

// TestSilence: a server that sends nothing more is not waited for.
func TestSilence(t *testing.T) {
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		select {
		case <-done:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(done)
	err := (&admin{base: server.URL}).stream(t.Context(), "/", time.Millisecond, func(body io.Reader) error {
		_, err := io.Copy(io.Discard, body)
		return err
	})
	if !errors.Is(err, errSilent) {
		t.Errorf("stream of a silent server = %v, want %v", err, errSilent)
	}
}
