// Package telemetry shows what the server does: as Prometheus metrics and as
// OpenTelemetry traces. It tells counts, names and times, never what was said.
//
//	metrics.go what is counted of every call, labels.go by what
//	detours.go what happens to few
//	targets.go what routing knows of its targets
//	spending.go how the ledger and the budgets do
//	tracing.go where spans go, and which calls have any
package telemetry

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fairway/internal/inference"
)

// MetricsOptions is what Metrics are made of. Labels have no other values than
// these and "other", so that no caller can make series without end.
type MetricsOptions struct {
	Version string
	Regions []inference.Region
	Models  []inference.ModelID

	// InFlight and HeldBytes, where set, are asked at each scrape: calls under
	// way, and bytes of their requests that are kept for failover.
	InFlight  func() int64
	HeldBytes func() int64

	// Targets, where set, is asked at each scrape for those that have been tried, and
	// Skipped for how many repeats of calls for comparison were not made since there
	// were too many already.
	Targets func() []Target
	Skipped func() int64

	// Ledger and Budgets, set both or neither, are asked at each scrape.
	Ledger  func() Ledger
	Budgets func() []Budget
}

// Metrics counts calls on a registry of its own. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	known    known
	overload prometheus.Counter

	calls    cache[callLabels, callSeries]
	attempts cache[attemptLabels, prometheus.Counter]
	models   cache[string, modelSeries]
	detours  detours
}

// callLabels tell calls apart; kind is empty for one that succeeded.
type callLabels struct{ operation, kind string }

type callSeries struct {
	total        prometheus.Counter
	duration     prometheus.Observer // seconds
	firstContent prometheus.Observer // seconds
}

type attemptLabels struct{ region, kind string }

type modelSeries struct {
	input, output, cacheRead, cacheWrite prometheus.Counter // tokens
	cost                                 prometheus.Counter // US dollars
}

// durations are the buckets of calls, in seconds: from a refusal to a long answer.
func durations() []float64 {
	return []float64{0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300}
}

// NewMetrics counts from zero.
func NewMetrics(o MetricsOptions) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), known: newKnown(o.Regions, o.Models)}
	m.overload = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "fairway_overload_total", Help: "Calls refused because the server was full.",
	})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "fairway_build_info", Help: "Always 1; the labels say what is running.",
		ConstLabels: prometheus.Labels{"version": o.Version},
	})
	build.Set(1)
	m.registry.MustRegister(m.overload, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("fairway_in_flight", "Calls under way.", o.InFlight)
	m.gauge("fairway_held_bytes", "Bytes of requests that are kept for failover.", o.HeldBytes)
	m.detours = m.newDetours(o.Skipped)
	if o.Targets != nil {
		m.registry.MustRegister(newTargets(m.known, o.Targets))
	}
	if o.Ledger != nil {
		m.registry.MustRegister(newSpending(o.Ledger, o.Budgets))
	}
	m.calls.fill = m.newCalls()
	m.attempts.fill = m.newAttempts()
	m.models.fill = m.newModels()
	return m
}

func (m *Metrics) gauge(name, help string, read func() int64) {
	if read != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(read()) }))
	}
}

func (m *Metrics) newCalls() func(callLabels) callSeries {
	total := m.counter("fairway_calls_total", "Calls that have ended.", "operation", "outcome", "kind")
	duration := m.histogram("fairway_call_duration_seconds", "From a call's start to the end of its answer.")
	first := m.histogram("fairway_first_content_seconds", "From a call's first attempt to the first content of its answer.")
	return func(l callLabels) callSeries {
		o := outcome(l.kind)
		return callSeries{
			total:        total.WithLabelValues(l.operation, o, l.kind),
			duration:     duration.WithLabelValues(l.operation, o),
			firstContent: first.WithLabelValues(l.operation, o),
		}
	}
}

func (m *Metrics) newAttempts() func(attemptLabels) prometheus.Counter {
	total := m.counter("fairway_attempts_total", "Attempts that have ended, by entry region.", "region", "outcome", "kind")
	return func(l attemptLabels) prometheus.Counter {
		return total.WithLabelValues(l.region, outcome(l.kind), l.kind)
	}
}

func (m *Metrics) newModels() func(string) modelSeries {
	tokens := m.counter("fairway_tokens_total", "Tokens, as Bedrock counts them: input without what the cache gave or took.", "model", "type")
	cost := m.counter("fairway_cost_usd_total", "Cost in US dollars.", "model")
	return func(model string) modelSeries {
		return modelSeries{
			input:      tokens.WithLabelValues(model, "input"),
			output:     tokens.WithLabelValues(model, "output"),
			cacheRead:  tokens.WithLabelValues(model, "cache_read"),
			cacheWrite: tokens.WithLabelValues(model, "cache_write"),
			cost:       cost.WithLabelValues(model),
		}
	}
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) histogram(name, help string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: durations()}, []string{"operation", "outcome"})
	m.registry.MustRegister(v)
	return v
}

// Put counts a settled call. It is a meter.Sink and never fails. A repeat for
// comparison is nobody's call, but it costs.
func (m *Metrics) Put(_ context.Context, r *inference.Record) error {
	if r.ShadowOf == "" {
		m.count(r)
		m.detours.count(r)
	} else {
		m.detours.shadows.WithLabelValues(outcome(m.kindOf(r))).Inc()
	}
	if r.Usage != (inference.Usage{}) || r.Wasted != (inference.Usage{}) {
		m.spend(m.models.get(m.modelOf(r)), r)
	}
	return nil
}

// modelOf is the model whose tokens a call took.
func (m *Metrics) modelOf(r *inference.Record) string {
	if answering, ok := r.Answering(); ok && r.Fallback != "" {
		return m.known.modelOf(answering.Model)
	}
	return m.known.model(r.Model)
}

// count counts the call itself.
func (m *Metrics) count(r *inference.Record) {
	call := m.calls.get(callLabels{operation: m.known.operation(r.Operation), kind: m.kindOf(r)})
	call.total.Inc()
	call.duration.Observe(seconds(r.LatencyMS))
	if ms, ok := firstContent(r); ok {
		call.firstContent.Observe(seconds(ms))
	}
}

// kindOf is the kind of a call's error, empty for none.
func (m *Metrics) kindOf(r *inference.Record) string {
	if r.Error == nil {
		return ""
	}
	return m.known.kind(r.Error.Type)
}

func (*Metrics) spend(s modelSeries, r *inference.Record) {
	for _, u := range [...]inference.Usage{r.Usage, r.Wasted} {
		s.input.Add(float64(u.InputTokens))
		s.output.Add(float64(u.OutputTokens))
		s.cacheRead.Add(float64(u.CacheReadTokens))
		s.cacheWrite.Add(float64(u.CacheWriteTokens))
	}
	s.cost.Add(float64(r.Cost) / float64(inference.Dollar))
}

// firstContent is how long the attempts of a call took until one had content, in
// ms; false where none had any. A hedge runs beside the attempt before it, whose time
// goes on until one of the two has content.
func firstContent(r *inference.Record) (ms int64, ok bool) {
	for _, a := range r.Attempts {
		if !a.Hedge {
			ms += a.MS
		}
		if ok = ok || a.Outcome == inference.OK || a.Cut; ok && !a.Hedge {
			break
		}
	}
	return ms, ok
}

func seconds(ms int64) float64 { return (time.Duration(ms) * time.Millisecond).Seconds() }

// Attempt counts an attempt that has ended.
func (m *Metrics) Attempt(t inference.Target, a inference.Attempt) {
	labels := attemptLabels{region: m.known.region(t.Region)}
	if a.Outcome != inference.OK {
		labels.kind = m.known.kind(a.Kind)
	}
	m.attempts.get(labels).Inc()
}

// Overload counts a call that was refused because the server was full.
func (m *Metrics) Overload() { m.overload.Inc() }

// Handler serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
