package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"fairway/internal/inference"
)

// books are what the server kept of a run, as its admin API tells it.
type books struct {
	records []inference.Record
	total   sums // of a report that tells nothing apart
	reports map[inference.Dimension]map[string]sums
	budgets []budgetState
}

// sums are those of a row of a report, as far as records say the same.
type sums struct {
	Calls        int64           `json:"calls"`
	Failed       int64           `json:"failed"`
	Unknown      int64           `json:"unknown"`
	Attempts     int64           `json:"attempts"`
	Input        int64           `json:"input_tokens"`
	Output       int64           `json:"output_tokens"`
	WastedInput  int64           `json:"wasted_input_tokens"`
	WastedOutput int64           `json:"wasted_output_tokens"`
	Cost         inference.Money `json:"cost_usd"`
	WastedCost   inference.Money `json:"wasted_cost_usd"`
}

// budgetState is what is spent of one measure of one pot.
type budgetState struct {
	Budget  string            `json:"budget"`
	Pot     string            `json:"pot"`
	Measure inference.Measure `json:"measure"`
	Spent   string            `json:"spent"` // dollars, else a number
	Ends    time.Time         `json:"window_ends"`
}

// usageReport is a report of the server's.
type usageReport struct {
	Rows []struct {
		Keys map[inference.Dimension]string `json:"keys"`
		sums
	} `json:"rows"`
	Total sums `json:"total"`
}

// isFresh finds records of another run, which would count as this one's.
func (s *server) isFresh(ctx context.Context) error {
	b, err := s.read(ctx, time.Now())
	if err == nil && len(b.records) > 0 {
		err = fmt.Errorf("the store has %d records already: give an empty one", len(b.records))
	}
	return err
}

// read reads the books of the hours since a time.
func (s *server) read(ctx context.Context, since time.Time) (b books, err error) {
	from := url.Values{"since": {since.UTC().Truncate(time.Hour).Format(time.RFC3339)}}
	if b.records, err = s.records(ctx, from); err != nil {
		return b, err
	}
	var report usageReport
	if err := s.ask(ctx, "/api/usage", reportBy(from, ""), decodeInto(&report)); err != nil {
		return b, err
	}
	b.total, b.reports = report.Total, map[inference.Dimension]map[string]sums{}
	for _, by := range inference.Dimensions() {
		var report usageReport
		if err := s.ask(ctx, "/api/usage", reportBy(from, string(by)), decodeInto(&report)); err != nil {
			return b, err
		}
		b.reports[by] = map[string]sums{}
		for _, row := range report.Rows {
			b.reports[by][row.Keys[by]] = row.sums
		}
	}
	var states struct{ Budgets []budgetState }
	err = s.ask(ctx, "/api/usage/budgets", nil, decodeInto(&states))
	b.budgets = states.Budgets
	return b, err
}

func reportBy(from url.Values, dimension string) url.Values {
	return url.Values{"since": from["since"], "by": {dimension}}
}

func decodeInto(v any) func(io.Reader) error {
	return func(r io.Reader) error { return json.NewDecoder(r).Decode(v) }
}

// ask gives read the answer of the admin API.
func (s *server) ask(ctx context.Context, path string, params url.Values, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.admin+path+"?"+params.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("ask %s: %s: %s", path, resp.Status, text)
	}
	if err := read(resp.Body); err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	return nil
}

// records are those of calls that have ended, whose last line says that they are all.
func (s *server) records(ctx context.Context, from url.Values) (all []inference.Record, err error) {
	return all, s.ask(ctx, "/api/usage/records", from, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line struct {
				inference.Record
				Complete *bool `json:"complete"`
			}
			switch err := json.Unmarshal(lines.Bytes(), &line); {
			case err != nil:
				return err
			case line.Complete == nil:
				all = append(all, line.Record)
			case !*line.Complete:
				return fmt.Errorf("records are missing: %s", lines.Text())
			default:
				return nil
			}
		}
		return errors.Join(lines.Err(), errors.New("the records have no end"))
	})
}
