package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"fairway/internal/inference"
)

// recordsAtOnce is how many records are in memory.
const recordsAtOnce = 500

// Records gives each record that is settled or unknown, with its attempts, of the calls
// that began from since up to before until, all where that is zero, and that where
// names, by time and then by id. Those that come in while it reads may be among them.
// It ends with the first error of each; that of a question that cannot be asked is of
// kind Validation. No reader of the database is held while each runs.
func (s *Store) Records(ctx context.Context, since, until time.Time, where map[inference.Dimension]string, each func(*inference.Record) error) error {
	const op = "read records"
	a, err := ask(op, since, until, where, callColumn)
	if err != nil {
		return err
	}
	after := entryKey{began: a.since} // no id is empty
	for {
		page, err := s.page(ctx, op, a, after)
		if err != nil {
			return err
		}
		for i := range page {
			if err := each(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < recordsAtOnce {
			return nil
		}
		last := page[len(page)-1]
		after = entryKey{millis(last.Time), last.ID}
	}
}

// page is the next records after one.
func (s *Store) page(ctx context.Context, op string, a asked, after entryKey) ([]inference.Record, error) {
	equal, args := a.equals(after.began, after.id, a.until)
	rows, err := s.read.QueryContext(ctx, `SELECT `+recordColumns+` FROM
		(SELECT * FROM calls WHERE (began, id) > ($1, $2) AND began < $3`+equal+` ORDER BY began, id LIMIT `+strconv.Itoa(recordsAtOnce)+`) c
		LEFT JOIN attempts a ON a.began = c.began AND a.id = c.id ORDER BY c.began, c.id, a.n`, args...)
	if err != nil {
		return nil, failed(op, err)
	}
	defer rows.Close()
	var page []inference.Record
	for rows.Next() {
		record, attempt, err := scanRecord(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		if n := len(page); n == 0 || page[n-1].ID != record.ID || !page[n-1].Time.Equal(record.Time) {
			page = append(page, record)
		}
		if attempt != nil {
			last := &page[len(page)-1]
			last.Attempts = append(last.Attempts, *attempt)
		}
	}
	return page, failed(op, rows.Err())
}

// recordColumns are what scanRecord reads.
const recordColumns = `c.began, c.id, c.operation, c.principal, c.door, c.caller, c.user_id, c.key_name, c.team, c.profile, c.copied_from,
	c.model, c.source_region, c.destination_region, c.destination, c.policy, c.residency, c.fallback, c.fallback_model, c.continued, c.shadow_of,
	c.outcome, c.error_status, c.error_type, c.error_message,
	c.input_tokens, c.output_tokens, c.cache_read_tokens, c.cache_write_tokens, c.cache_write_1h, c.wasted, c.estimated,
	c.reserved, c.cost, c.wasted_cost, c.saved, c.nearing, c.aws_allowed, c.aws_resource, c.aws_statement, c.latency_ms, c.simulated,
	a.n, a.region, a.model, a.account, a.outcome, a.kind, a.status, a.ms, a.hedge, a.cut, a.usage, a.cost`

// scanRecord is a record and one of its attempts, nil where it has none.
func scanRecord(from row) (inference.Record, *inference.Attempt, error) {
	var r inference.Record
	var began int64
	var n nulls
	var a nullAttempt
	u := &r.Usage
	err := from.Scan(&began, &r.ID, &r.Operation, &r.Principal, &r.Door, &r.Caller, &r.UserID, &r.Key, &r.Team, &r.Profile, &r.CopiedFrom,
		&r.Model, &r.SourceRegion, &r.DestinationRegion, &r.Destination, &r.Policy, &n.residency, &r.Fallback, &r.FallbackModel, &r.Continued, &r.ShadowOf,
		&r.Outcome, &n.errorStatus, &n.errorType, &n.errorMessage,
		&u.InputTokens, &u.OutputTokens, &u.CacheReadTokens, &u.CacheWriteTokens, &u.CacheWrite1h, &n.wasted, &r.Estimated,
		&r.Reserved, &r.Cost, &r.WastedCost, &r.Saved, &n.nearing, &n.allowed, &n.resource, &n.statement, &r.LatencyMS, &r.Simulated,
		&a.n, &a.region, &a.model, &a.account, &a.outcome, &a.kind, &a.status, &a.ms, &a.hedge, &a.cut, &a.usage, &a.cost)
	if err != nil {
		return r, nil, err
	}
	r.Time, r.Attempts = time.UnixMilli(began).UTC(), []inference.Attempt{}
	if err := n.fill(&r); err != nil {
		return r, nil, err
	}
	attempt, err := a.attempt()
	return r, attempt, err
}

// nulls are the columns of a record that it may lack.
type nulls struct {
	residency, wasted, nearing sql.NullString // JSON
	errorType, errorMessage    sql.NullString
	errorStatus                sql.NullInt64
	allowed                    sql.NullBool
	resource, statement        sql.NullString
}

// fill gives a record what is there.
func (n *nulls) fill(r *inference.Record) error {
	if n.errorStatus.Valid {
		r.Error = &inference.Failure{Status: int(n.errorStatus.Int64), Type: inference.Kind(n.errorType.String), Message: n.errorMessage.String}
	}
	if n.allowed.Valid {
		r.AWS = &inference.Verdict{Allowed: n.allowed.Bool, Resource: inference.ARN(n.resource.String), Statement: n.statement.String}
	}
	return errors.Join(unmarshal(n.residency, &r.Residency), unmarshal(n.wasted, &r.Wasted), unmarshal(n.nearing, &r.Nearing))
}

// nullAttempt is an attempt of a call that may have none.
type nullAttempt struct {
	n, status, ms, cost                          sql.NullInt64
	region, model, account, outcome, kind, usage sql.NullString
	hedge, cut                                   sql.NullBool
}

func (a nullAttempt) attempt() (*inference.Attempt, error) {
	if !a.n.Valid {
		return nil, nil
	}
	made := &inference.Attempt{
		Region: inference.Region(a.region.String), Model: a.model.String, Account: a.account.String,
		Outcome: inference.Outcome(a.outcome.String), Kind: inference.Kind(a.kind.String), Status: int(a.status.Int64),
		MS: a.ms.Int64, Hedge: a.hedge.Bool, Cut: a.cut.Bool, Cost: inference.Money(a.cost.Int64),
	}
	return made, unmarshal(a.usage, &made.Usage)
}

// unmarshal reads what is seldom there.
func unmarshal(from sql.NullString, into any) error {
	if !from.Valid {
		return nil
	}
	return json.Unmarshal([]byte(from.String), into)
}
