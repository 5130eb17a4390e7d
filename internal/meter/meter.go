// Package meter accounts for calls. [Meter.Intend] is told of a call before its first
// attempt leaves. [Meter.Settle] takes its one record when it has ended, puts in what it
// cost, how it came out and how long it took, and hands it on: to the budgets that it is
// charged to, to the log as one line, and to every sink.
package meter

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"fairway/internal/inference"
)

// Pricer knows what usage costs. Named is the profile or model id as the caller
// invoked it, or what the application profile that was invoked is a copy of; its
// price holds wherever the model runs. It is the one of that time, and reports false
// when it has none. It is safe for concurrent use.
type Pricer interface {
	Cost(named string, u inference.Usage, at time.Time) (inference.Money, bool)
}

// Sink keeps settled records. Put must neither change the record nor wait for
// anything slower than a disk, and is safe for concurrent use.
type Sink interface {
	Put(ctx context.Context, r *inference.Record) error
}

// Ledger is told of calls before they are made. The record is the call's as it stands,
// and changes from then on. An error, of kind ServiceUnavailable, keeps the call from
// being made.
type Ledger interface {
	Intend(ctx context.Context, r *inference.Record) error
}

// Budgets are what calls are charged to: Settle puts what a call took in place of the
// most that it might, in its Charges.
type Budgets interface {
	Settle(r *inference.Record)
}

// Config is what a Meter is made of. Only Pricer is required.
type Config struct {
	Pricer  Pricer
	Budgets Budgets // default: none
	Ledger  Ledger  // default: none
	Sinks   []Sink
	Log     *slog.Logger     // default: none
	Now     func() time.Time // default: time.Now
}

// Meter settles records. It is safe for concurrent use.
type Meter struct {
	Config

	mu       sync.Mutex
	unpriced map[string]bool // what was warned about; the catalog bounds it
}

// New makes a Meter that has warned of nothing yet.
func New(c Config) *Meter {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Meter{Config: c, unpriced: map[string]bool{}}
}

// Intend tells the ledger of a call that is about to be made.
func (m *Meter) Intend(ctx context.Context, r *inference.Record) error {
	if m.Ledger == nil {
		return nil
	}
	return m.Ledger.Intend(ctx, r)
}

// Settle fills Outcome from Error, LatencyMS from Time, and Cost from Usage and from
// what attempts used whose answer was not, and hands the record on. A call that
// failed on its way costs what it had used by then. What has no price costs nothing:
// that is warned about once for each id.
// The record must not change from here on. A caller that is gone does not keep
// the record from the sinks.
func (m *Meter) Settle(ctx context.Context, r *inference.Record) {
	r.LatencyMS = m.Now().Sub(r.Time).Milliseconds()
	r.Outcome = inference.OK
	if r.Error != nil {
		r.Outcome = inference.Failed
	}
	m.charge(ctx, r)
	if m.Budgets != nil {
		m.Budgets.Settle(r)
	}
	ctx = context.WithoutCancel(ctx)
	if m.Log.Enabled(ctx, slog.LevelInfo) {
		m.Log.LogAttrs(ctx, slog.LevelInfo, "call", attributes(r)...)
	}
	for _, s := range m.Sinks {
		if err := put(ctx, s, r); err != nil {
			m.Log.ErrorContext(ctx, "record not kept", "request_id", r.ID, "error", err)
		}
	}
}

// put is the sink's, whose panic keeps the record from no other sink.
func put(ctx context.Context, s Sink, r *inference.Record) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("keep record: panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return s.Put(ctx, r)
}

func (m *Meter) firstUnpriced(model string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unpriced[model] {
		return false
	}
	m.unpriced[model] = true
	return true
}

// attributes are the fixed keys of a call's log line, and those of what happened to
// few: counts and names, never what was said.
func attributes(r *inference.Record) []slog.Attr {
	all := append(make([]slog.Attr, 0, 21),
		slog.String("request_id", r.ID),
		slog.String("principal", r.Principal),
		slog.String("action", r.Operation.Action()),
		slog.String("profile", r.Called()),
		slog.String("model", string(r.Model)),
		slog.String("source_region", string(r.SourceRegion)),
		slog.String("destination_region", string(r.DestinationRegion)),
		slog.Int("attempts", len(r.Attempts)),
		slog.String("outcome", string(r.Outcome)),
		slog.Int("input_tokens", r.Usage.InputTokens),
		slog.Int("output_tokens", r.Usage.OutputTokens),
		slog.Int64("latency_ms", r.LatencyMS),
		slog.String("cost_usd", r.Cost.String()),
	)
	if r.Policy != "" {
		all = append(all, slog.String("policy", string(r.Policy)))
	}
	if len(r.Residency) > 0 {
		all = append(all, slog.String("residency", strings.Join(r.Residency, ",")))
	}
	if r.Fallback != "" {
		all = append(all, slog.String("fallback", r.Fallback))
	}
	if r.Hedged() {
		all = append(all, slog.Bool("hedged", true))
	}
	if r.Continued > 0 {
		all = append(all, slog.Int("continued", r.Continued))
	}
	if n := r.Wasted.InputTokens; n > 0 {
		all = append(all, slog.Int("wasted_input_tokens", n))
	}
	if n := r.Wasted.OutputTokens; n > 0 {
		all = append(all, slog.Int("wasted_output_tokens", n))
	}
	if r.ShadowOf != "" {
		all = append(all, slog.String("shadow_of", r.ShadowOf))
	}
	return all
}
