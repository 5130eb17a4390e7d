package admin

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fairway/internal/inference"
	"fairway/internal/usage"
)

// ledger answers with what it is given, and keeps what it was asked.
type ledger struct {
	asked   inference.UsageQuery
	rows    []inference.UsageRow
	records []inference.Record
	err     error // after those
}

func (l *ledger) Usage(_ context.Context, q inference.UsageQuery) ([]inference.UsageRow, error) {
	l.asked = q
	return l.rows, l.err
}

func (l *ledger) Records(_ context.Context, since, until time.Time, where map[inference.Dimension]string, each func(*inference.Record) error) error {
	l.asked = inference.UsageQuery{Since: since, Until: until, Where: where}
	for _, r := range l.records {
		if err := each(&r); err != nil {
			return err
		}
	}
	return l.err
}

var errAway = &inference.Error{Kind: inference.ServiceUnavailable, Op: "read usage", Err: errors.New("the store is away")}

func TestReport(t *testing.T) {
	d := newDoor(t, false)
	d.ledger.rows = []inference.UsageRow{
		{Keys: []string{"m1"}, Calls: 2, Cost: 5_000, Costs: map[int]int64{7: 2}},
		{Keys: []string{"m2"}, Calls: 3, Cost: 90_000, Costs: map[int]int64{7: 3}},
	}
	var got usage.Report
	if status := d.ask(t, "GET", "/api/usage?since=2026-11-01&until=2026-11-02&by=model&top=1&where=team%3Dsearch", "", &got); status != 200 {
		t.Fatalf("GET /api/usage = %d, want 200", status)
	}
	if len(got.Rows) != 1 || got.Rows[0].Keys[inference.ByModel] != "m2" || got.Others == nil || got.Others.Calls != 2 || got.Total.Cost != 95_000 {
		t.Errorf("GET /api/usage = %+v, want m2, the other one and both together", got)
	}
	asked := d.ledger.asked
	if asked.Since.Format(time.DateOnly) != "2026-11-01" || asked.Until.Format(time.DateOnly) != "2026-11-02" || asked.Where[inference.ByTeam] != "search" {
		t.Errorf("the ledger was asked %+v, want what the request says", asked)
	}
	var refused struct{ Message string }
	if status := d.ask(t, "GET", "/api/usage?by=colour", "", &refused); status != 400 || !strings.Contains(refused.Message, `by "colour"`) {
		t.Errorf("GET /api/usage?by=colour = %d %q, want a refusal", status, refused.Message)
	}
	d.ledger.err = errAway
	if status := d.ask(t, "GET", "/api/usage", "", &refused); status != 503 || !strings.Contains(refused.Message, "the store is away") {
		t.Errorf("GET /api/usage without a store = %d %q, want 503 and the cause", status, refused.Message)
	}
}

func TestBudgetStates(t *testing.T) {
	d := newDoor(t, false)
	var got struct{ Budgets []usage.BudgetState }
	if status := d.ask(t, "GET", "/api/usage/budgets", "", &got); status != 200 || got.Budgets == nil || len(got.Budgets) != 0 {
		t.Errorf("GET /api/usage/budgets = %d %+v, want an empty list", status, got)
	}
	want := usage.BudgetState{Budget: "team", Measure: inference.DollarsPerDay, Limit: 10, Spent: 3, Reserved: 1, Ends: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	d.budgets = []usage.BudgetState{want}
	d.ask(t, "GET", "/api/usage/budgets", "", &got)
	if len(got.Budgets) != 1 || got.Budgets[0] != want {
		t.Errorf("GET /api/usage/budgets = %+v, want %+v", got.Budgets, want)
	}
}

// records asks for records and gives the status and the body.
func (d *door) records(query string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("GET", "/api/usage/records"+query, nil))
	return w
}

func TestCallRecords(t *testing.T) {
	d := newDoor(t, false)
	d.ledger.records = []inference.Record{{ID: "a", Principal: "checkout"}, {ID: "b", Principal: "gone"}}
	w := d.records("?since=2026-11-01&until=2026-11-02&where=key%3Dk")
	if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/jsonl" {
		t.Errorf("GET /api/usage/records = %d %v, want lines that nobody keeps", w.Code, w.Header())
	}
	var got []string
	n, err := usage.ReadRecords(w.Body, func(_ []byte, r *usage.Record) error {
		got = append(got, r.ID+" "+string(r.PrincipalARN))
		return nil
	})
	if err != nil || n != 2 || strings.Join(got, ",") != "a arn:aws:iam::123456789012:role/checkout,b " {
		t.Errorf("records = %v, %d, %v, want a with its principal's ARN, and b", got, n, err)
	}
	if d.ledger.asked.Where[inference.ByKey] != "k" || !d.ledger.asked.Since.Before(d.ledger.asked.Until) {
		t.Errorf("the ledger was asked %+v, want what the request says", d.ledger.asked)
	}
	if w := d.records("?by=day"); w.Code != 400 || !strings.Contains(w.Body.String(), "no parameter is called") {
		t.Errorf("GET /api/usage/records?by=day = %d %s, want a refusal", w.Code, w.Body)
	}
}

// TestBrokenRecords: before the first record a failure has its status, after it the
// end says so.
func TestBrokenRecords(t *testing.T) {
	d := newDoor(t, false)
	d.ledger.err = errAway
	if w := d.records(""); w.Code != 503 || !strings.Contains(w.Body.String(), "the store is away") {
		t.Errorf("GET /api/usage/records without a store = %d %s, want 503 and the cause", w.Code, w.Body)
	}
	d.ledger.records = []inference.Record{{ID: "a"}}
	w := d.records("")
	n, err := usage.ReadRecords(w.Body, func([]byte, *usage.Record) error { return nil })
	if w.Code != 200 || n != 1 || err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Errorf("GET /api/usage/records = %d, %d records and %v, want one and the cause", w.Code, n, err)
	}
	if !strings.Contains(d.log.String(), `request="GET /api/usage/records"`) {
		t.Errorf("log = %s, want the request", d.log.String())
	}
}

// TestStoredCalls: what the store keeps is what reports and records say.
func TestStoredCalls(t *testing.T) {
	d := newDoor(t, false)
	began := time.Date(2026, 11, 20, 8, 30, 0, 0, time.UTC)
	var entries []inference.Entry
	for i, model := range []inference.ModelID{"m1", "m2", "m2"} {
		entries = append(entries, inference.Entry{Record: inference.Record{
			ID: string(rune('a' + i)), Time: began.AddDate(0, 0, i), Operation: inference.Converse, Principal: "checkout", Model: model, SourceRegion: "eu-west-1",
			DestinationRegion: "eu-west-3", Outcome: inference.OK, Usage: inference.Usage{InputTokens: 10, OutputTokens: 5}, Cost: 1_000, LatencyMS: 100,
		}})
	}
	if err := d.store.Keep(t.Context(), "s1", entries); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	Config{
		Usage: d.store, Now: func() time.Time { return began.AddDate(0, 0, 3) },
		Principal: func(string) (inference.Principal, bool) { return inference.Principal{}, false },
	}.Register(mux, func(next http.HandlerFunc) http.HandlerFunc { return next })
	d.Handler = mux
	for _, by := range inference.Dimensions() {
		var r usage.Report
		step := "&step=day"
		if by == inference.ByHour || by == inference.ByDay || by == inference.ByMonth {
			step = ""
		}
		d.ask(t, "GET", "/api/usage?by="+string(by)+step, "", &r)
		var calls int64
		var cost inference.Money
		for _, row := range r.Rows {
			calls, cost = calls+row.Calls, cost+row.Cost
		}
		if calls != 3 || cost != 3_000 || r.Total.Calls != 3 || r.Total.InputTokens != 30 || r.Total.PerCall.Average != 1_000 {
			t.Errorf("GET /api/usage?by=%s = %+v, want all three calls", by, r)
		}
		if step != "" && (len(r.Total.Series) != 7 || r.Total.Series[3].Calls != 1) {
			t.Errorf("series of all calls by %s = %+v, want one on the fourth day", by, r.Total.Series)
		}
	}
	var got []string
	_, err := usage.ReadRecords(d.records("?where=model%3Dm2").Body, func(_ []byte, r *usage.Record) error { got = append(got, r.ID); return nil })
	if err != nil || strings.Join(got, "") != "bc" {
		t.Errorf("records of m2 = %v, %v, want b and c", got, err)
	}
}
