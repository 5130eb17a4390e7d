package store

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"fairway/internal/inference"
)

// A report is read in pieces, some of them at once: it uses more than one core, and
// leaves readers to the calls. Reports that are made together share these readers.
const (
	reporters = readers / 2
	pieces    = 8
)

// dayMS is a day in milliseconds: UTC's all are as long.
const dayMS = int64(24 * time.Hour / time.Millisecond)

// Usage is the sums of the calls that a report asks for, by rising keys and without
// rows of no call; a report that tells nothing apart has one row always. The error is
// of kind Validation for what cannot be asked, and for too many rows.
func (s *Store) Usage(ctx context.Context, q inference.UsageQuery) ([]inference.UsageRow, error) {
	const op = "report usage"
	asked, err := ask(op, q.Since, q.Until, q.Where, seriesColumn)
	if err != nil {
		return nil, err
	}
	total, err := newTally(op, q.By)
	if err != nil {
		return nil, err
	}
	spans, err := s.spans(ctx, asked, slices.Contains(q.By, inference.ByHour))
	if err != nil {
		return nil, failed(op, err)
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(reporters)
	for _, span := range spans {
		all.Go(func() error { return s.sum(ctx, span, asked, total) })
	}
	if err := all.Wait(); err != nil {
		return nil, failed(op, err)
	}
	return total.sorted(), nil
}

// span is some rows of the sums: those that start from since up to before until.
type span struct {
	of           sumTable
	since, until int64
}

// spans are where the sums of what is asked for are read: whole days by day where hours
// are not told apart, all else by hour.
func (s *Store) spans(ctx context.Context, a asked, hours bool) ([]span, error) {
	var first, last int64
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MIN(starts), 0), COALESCE(MAX(starts), 0) FROM (
		SELECT MIN(starts) AS starts FROM past_days UNION ALL SELECT MAX(starts) FROM past_days
		UNION ALL SELECT MIN(starts) FROM usage_days UNION ALL SELECT MAX(starts) FROM usage_days) AS ends`).Scan(&first, &last)
	since, until := max(a.since, first), min(a.until, last+dayMS)
	if err != nil || since >= until {
		return nil, err
	}
	from, to := (since+dayMS-1)/dayMS*dayMS, until/dayMS*dayMS
	if hours || from >= to {
		return split(span{hourly, since, until}), nil
	}
	all := append(split(span{hourly, since, from}), split(span{hourly, to, until})...)
	return append(all, split(span{daily, from, to})...), nil
}

// split is a span in pieces of whole days.
func split(s span) []span {
	var all []span
	step := max((s.until-s.since)/pieces/dayMS, 1) * dayMS
	for since := s.since; since < s.until; since += step {
		all = append(all, span{s.of, since, min(since+step, s.until)})
	}
	return all
}

// sum adds the rows of a span to a total.
func (s *Store) sum(ctx context.Context, in span, a asked, total *tally) error {
	select {
	case s.reports <- struct{}{}:
		defer func() { <-s.reports }()
	case <-ctx.Done():
		return ctx.Err()
	}
	equal, args := a.equals(in.since, in.until)
	if equal != "" {
		equal = " AND series IN (SELECT id FROM usage_series WHERE TRUE" + equal + ")"
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+total.selected()+`
		FROM (SELECT starts, series, `+summed()+` FROM `+in.of.recent+`
				WHERE starts >= $1 AND starts < $2`+equal+` GROUP BY starts, series
			UNION ALL SELECT starts, series, `+sumCols+`, costs FROM `+in.of.past+`
				WHERE starts >= $1 AND starts < $2`+equal+`) AS summed
		JOIN usage_series ON id = series`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	row := total.newRow()
	for rows.Next() {
		if err := rows.Scan(row.into...); err != nil {
			return err
		}
		if err := total.add(row); err != nil {
			return err
		}
	}
	return rows.Err()
}
