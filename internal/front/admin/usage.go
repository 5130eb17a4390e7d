package admin

import (
	"bufio"
	"context"
	"net/http"
	"time"

	"fairway/internal/inference"
	"fairway/internal/usage"
)

// Ledger is what reports are made of. Records gives each the records of calls that
// began from since up to before until, in order of time; each's error ends it.
type Ledger interface {
	Usage(ctx context.Context, q inference.UsageQuery) ([]inference.UsageRow, error)
	Records(ctx context.Context, since, until time.Time, where map[inference.Dimension]string, each func(*inference.Record) error) error
}

// report answers GET /api/usage?since=&until=&by=&top=&step=&where=.
func (d *Door) report(r *http.Request) (any, error) {
	q, err := usage.Parse(r.URL.Query(), d.Now())
	if err != nil {
		return nil, err
	}
	return usage.Make(r.Context(), d.Usage, q)
}

// budgets answers GET /api/usage/budgets.
func (d *Door) budgets(r *http.Request) (any, error) {
	states, err := d.Budgets(r.Context())
	return map[string][]usage.BudgetState{"budgets": append([]usage.BudgetState{}, states...)}, err
}

// records answers GET /api/usage/records?since=&until=&where= with a line of JSON for
// each record and one for the end. What fails before the first record is answered as
// everywhere, what fails later is said by the end.
func (d *Door) records(w http.ResponseWriter, r *http.Request) {
	q, err := usage.ParseCalls(r.URL.Query(), d.Now())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	buffered := bufio.NewWriterSize(w, chunk)
	out := usage.NewRecordWriter(buffered)
	began := false
	begin := func() {
		if !began {
			w.Header().Set("Content-Type", "application/jsonl")
			w.Header().Set("Cache-Control", "no-store")
			began = true
		}
	}
	err = d.Usage.Records(r.Context(), q.Since, q.Until, q.Where, func(record *inference.Record) error {
		begin()
		principal, _ := d.Principal(record.Principal) // one that is no more has no ARN
		return out.Put(usage.Record{Record: *record, PrincipalARN: principal.ARN})
	})
	switch {
	case err != nil && !began:
		d.fail(w, r, err)
		return
	case err != nil:
		d.Log.ErrorContext(r.Context(), "admin request failed", "request", r.Pattern, "error", err)
	}
	begin()
	_ = out.Close(err)
	_ = buffered.Flush() // the client may be gone
}

// chunk is how much of an answer is written at a time, in bytes.
const chunk = 64 << 10

// fail answers with an error.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	d.respond(func(*http.Request) (any, error) { return nil, err })(w, r)
}
