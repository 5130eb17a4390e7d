package telemetry

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"fairway/internal/inference"
)

// detours count what does not happen to most calls.
type detours struct {
	hedges, shadows                         *prometheus.CounterVec
	retries, cuts, continuations, fallbacks prometheus.Counter
}

func (m *Metrics) newDetours(skipped func() int64) detours {
	plain := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	if skipped != nil {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "fairway_shadows_skipped_total", Help: "Repeats of calls for comparison that were not made, since too many were under way.",
		}, func() float64 { return float64(skipped()) }))
	}
	return detours{
		hedges:        m.counter("fairway_hedges_total", "Attempts made beside another that was slow; ok is one that answered first.", "outcome"),
		shadows:       m.counter("fairway_shadows_total", "Repeats of calls for comparison, of which no caller knows.", "outcome"),
		retries:       plain("fairway_retries_total", "Attempts at a target that had failed in the same call before."),
		cuts:          plain("fairway_cuts_total", "Answers that broke off after their first content."),
		continuations: plain("fairway_continuations_total", "Answers that broke off and that another target went on with."),
		fallbacks:     plain("fairway_fallbacks_total", "Calls that another model answered than the one called."),
	}
}

// count counts the detours of one call.
func (d detours) count(r *inference.Record) {
	for i, a := range r.Attempts {
		switch {
		case a.Hedge && a.Outcome == inference.OK:
			d.hedges.WithLabelValues(string(inference.OK)).Inc()
		case a.Hedge:
			d.hedges.WithLabelValues(string(inference.Failed)).Inc()
		case slices.ContainsFunc(r.Attempts[:i], func(before inference.Attempt) bool { return sameTarget(a, before) }):
			d.retries.Inc()
		}
		if a.Cut || a.Outcome == inference.OK && r.Error != nil && r.Error.Type != inference.Canceled {
			d.cuts.Inc()
		}
	}
	d.continuations.Add(float64(r.Continued))
	if r.Fallback != "" {
		d.fallbacks.Inc()
	}
}

func sameTarget(a, b inference.Attempt) bool {
	return a.Region == b.Region && a.Model == b.Model && a.Account == b.Account
}
