package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"fairway/internal/inference"
)

// The statements of a batch. Attempts that are there already are those of a call that is
// forgotten.
var (
	insertOpen = &many{
		head: `WITH given (began, id, server, entry) AS (VALUES `,
		row:  `(CAST(? AS BIGINT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT))`,
		tail: `) INSERT INTO open_calls (began, id, server, entry) SELECT began, id, server, entry FROM given
			WHERE NOT EXISTS (SELECT 1 FROM calls c WHERE c.began = given.began AND c.id = given.id) ON CONFLICT DO NOTHING`,
	}
	deleteOpen  = &many{head: `DELETE FROM open_calls WHERE (began, id) IN (VALUES `, row: keyRow, tail: `)`}
	insertCalls = &many{
		head: `INSERT INTO calls (` + callColumns + `) VALUES `, row: marks(callColumns), tail: ` ON CONFLICT DO NOTHING`,
	}
	deleteCalls    = &many{head: `DELETE FROM calls WHERE (began, id) IN (VALUES `, row: keyRow, tail: `)`}
	insertAttempts = &many{head: `INSERT INTO attempts (` + attemptColumns + `) VALUES `, row: marks(attemptColumns), tail: ` ON CONFLICT DO NOTHING`}
	deleteAttempts = &many{head: `DELETE FROM attempts WHERE (began, id) IN (VALUES `, row: keyRow, tail: `)`}

	ledgerStatements = []*many{insertOpen, deleteOpen, insertCalls, deleteCalls, insertAttempts, deleteAttempts, addHours, addDays, addSpent}
)

const (
	keyRow = `(CAST(? AS BIGINT), CAST(? AS TEXT))`

	callColumns = `began, id, server, operation, principal, door, caller, user_id, key_name, team, profile, copied_from,
		model, source_region, destination_region, destination, policy, residency, fallback, fallback_model, continued, shadow_of,
		outcome, error_status, error_type, error_message,
		input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h, wasted, estimated,
		reserved, cost, wasted_cost, saved, nearing, aws_allowed, aws_resource, aws_statement, latency_ms, simulated, entry`

	attemptColumns = `began, id, n, region, model, account, outcome, kind, status, ms, hedge, cut, usage, cost`
)

// marks is a row of as many values as there are columns.
func marks(columns string) string {
	return "(?" + strings.Repeat(", ?", strings.Count(columns, ",")) + ")"
}

// errKept says that a record of a batch is among the calls already.
var errKept = errors.New("a record is kept already")

// keeping is one transaction of Keep.
type keeping struct {
	*batch
	server string
	hold   string // of the dialect
	series *seriesIDs

	added map[series]used // to the table, good for others once this is committed
	sums  sums
	spent spent
}

// all keeps rows and counts the closed ones that were not kept before. Where it has not
// looked for those, it gives up with errKept when there is one.
func (k *keeping) all(open, closed []entryRow, look bool) (int, error) {
	k.added, k.sums, k.spent = map[series]used{}, sums{}, spent{}
	if look {
		var err error
		if closed, err = k.displace(closed); err != nil {
			return 0, err
		}
	}
	if err := k.putClosed(closed); err != nil {
		return 0, err
	}
	for _, r := range closed {
		if err := k.count(r, k.server, 1); err != nil {
			return 0, err
		}
	}
	if err := k.putOpen(open); err != nil {
		return 0, err
	}
	if err := k.sums.put(k.batch); err != nil {
		return 0, err
	}
	return len(closed), k.spent.put(k.batch)
}

// count adds a row of a server to the sums and to what was spent, so many times: once,
// or minus once.
func (k *keeping) count(r entryRow, server string, times int64) error {
	id, err := k.seriesID(seriesOf(&r.Record), startOf(r.began, 24*time.Hour))
	if err != nil {
		return err
	}
	k.sums.add(r, id, times)
	k.spent.add(server, r, times)
	return nil
}

// putOpen keeps open entries of records of which nothing is kept.
func (k *keeping) putOpen(open []entryRow) error {
	values := make([]any, 0, len(open)*insertOpen.width())
	for _, r := range open {
		values = append(values, r.began, r.id, k.server, r.json)
	}
	_, err := k.put(insertOpen, values)
	return err
}

// putClosed keeps records that have ended and their attempts, none of which is kept.
func (k *keeping) putClosed(closed []entryRow) error {
	values := make([]any, 0, len(closed)*insertCalls.width())
	attempts := make([]any, 0, len(closed)*insertAttempts.width())
	keys := make([]any, 0, len(closed)*deleteOpen.width())
	for _, r := range closed {
		values = appendCall(values, k.server, r)
		attempts = appendAttempts(attempts, r)
		keys = append(keys, r.began, r.id)
	}
	n, err := k.put(insertCalls, values)
	if err == nil && n < len(closed) {
		err = errKept
	}
	if err != nil {
		return err
	}
	if _, err := k.put(insertAttempts, attempts); err != nil {
		return err
	}
	_, err = k.put(deleteOpen, keys)
	return err
}

// displace is the rows that are to be kept. An unknown record that is settled now goes,
// also from the sums and what was spent; a row of a record that is known as well goes
// from the open ones.
func (k *keeping) displace(closed []entryRow) ([]entryRow, error) {
	var keep []entryRow
	var gone, known []any
	for _, r := range closed {
		before, server, found, err := k.find(r)
		if err != nil {
			return nil, err
		}
		switch {
		case !found:
			keep = append(keep, r)
		case before.isUnknown() && !r.isUnknown():
			keep, gone = append(keep, r), append(gone, r.began, r.id)
			if err := k.count(before, server, -1); err != nil {
				return nil, err
			}
		default:
			known = append(known, r.began, r.id)
		}
	}
	if _, err := k.put(deleteOpen, known); err != nil {
		return nil, err
	}
	if _, err := k.put(deleteAttempts, gone); err != nil {
		return nil, err
	}
	n, err := k.put(deleteCalls, gone)
	if err == nil && n < len(gone)/deleteCalls.width() {
		err = errKept // another server was faster
	}
	return keep, err
}

// find is the row of a call that is kept already, as far as it is of use: that of an
// unknown one is whole, of any other it has the outcome.
func (k *keeping) find(r entryRow) (before entryRow, server string, found bool, err error) {
	var e inference.Entry
	var raw sql.NullString
	err = k.tx.QueryRowContext(k.ctx, `SELECT server, outcome, entry FROM calls WHERE began = $1 AND id = $2`+k.hold, r.began, r.id).
		Scan(&server, &e.Record.Outcome, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return entryRow{}, "", false, nil
	}
	if err == nil && raw.Valid {
		err = json.Unmarshal([]byte(raw.String), &e)
	}
	return entryRow{entryKey: r.entryKey, Entry: &e}, server, true, err
}

// appendCall appends the values of callColumns.
func appendCall(to []any, server string, e entryRow) []any {
	r := &e.Record
	to = append(to, e.began, e.id, server, text(string(r.Operation)), text(r.Principal), text(r.Door), text(r.Caller),
		text(r.UserID), text(r.Key), text(r.Team), profileOf(r), text(r.CopiedFrom),
		text(string(r.Model)), text(string(r.SourceRegion)), text(string(r.DestinationRegion)), text(r.Destination),
		string(r.Policy), jsonOf(r.Residency, len(r.Residency) > 0), text(r.Fallback), text(string(r.FallbackModel)), r.Continued, text(r.ShadowOf), string(r.Outcome))
	if r.Error != nil {
		to = append(to, r.Error.Status, string(r.Error.Type), clip(r.Error.Message, maxMessage))
	} else {
		to = append(to, nil, nil, nil)
	}
	u := r.Usage
	to = append(to, u.InputTokens, u.OutputTokens, u.CacheReadTokens, u.CacheWriteTokens, u.CacheWrite1h,
		jsonOf(r.Wasted, r.Wasted != inference.Usage{}), r.Estimated,
		int64(r.Reserved), int64(r.Cost), int64(r.WastedCost), int64(r.Saved), jsonOf(r.Nearing, len(r.Nearing) > 0))
	if r.AWS != nil {
		to = append(to, r.AWS.Allowed, clip(string(r.AWS.Resource), maxMessage), text(r.AWS.Statement))
	} else {
		to = append(to, nil, nil, nil)
	}
	return append(to, r.LatencyMS, r.Simulated, sql.NullString{String: e.json, Valid: e.json != ""})
}

// appendAttempts appends the values of attemptColumns of each attempt.
func appendAttempts(to []any, e entryRow) []any {
	for n, a := range e.Record.Attempts {
		to = append(to, e.began, e.id, n, text(string(a.Region)), text(a.Model), text(a.Account), string(a.Outcome), string(a.Kind),
			a.Status, a.MS, a.Hedge, a.Cut, jsonOf(a.Usage, a.Usage != nil), int64(a.Cost))
	}
	return to
}

// profileOf is nil for a bare model.
func profileOf(r *inference.Record) any {
	if r.Profile == nil {
		return nil
	}
	return text(*r.Profile)
}

// jsonOf is the JSON of what is seldom there, nil where it is not.
func jsonOf(value any, there bool) any {
	if !there {
		return nil
	}
	raw, _ := json.Marshal(value) // lists of plain data always have a JSON
	return string(raw)
}

// How much of a text is kept, in bytes. All texts of a key of usage_hours must fit into
// a third of a page of PostgreSQL.
const (
	maxText    = 256
	maxMessage = 2048
)

// text is a text as every database keeps it, clipped.
func text(s string) string { return clip(s, maxText) }

func clip(s string, most int) string {
	if !storable(s) {
		s = strings.ReplaceAll(string([]rune(s)), "\x00", "") // as JSON has what is no UTF-8
	}
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
