package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"fairway/internal/inference"
)

// Target is what routing knows of a target that has been tried.
type Target struct {
	Region            inference.Region
	Model             string // as it is called there: a model or profile id
	State             string // of its breaker, "closed"; or that the account is not entitled there
	TokensPerMinute   int    // that the target is taken to have, 0 for no limit
	RequestsPerMinute int    // likewise
}

// targets are the gauges of all targets. Accounts are taken together, and so are
// models that are not known: their states are counted and their quotas added up.
type targets struct {
	known                   known
	read                    func() []Target
	state, tokens, requests *prometheus.Desc
}

// targetLabels are those of a target's gauges: the state is empty for its quotas.
type targetLabels struct{ region, model, state string }

func newTargets(k known, read func() []Target) *targets {
	return &targets{
		known: k, read: read,
		state:    prometheus.NewDesc("fairway_targets", "Targets that have been tried, by the state that routing sees them in.", []string{"region", "model", "state"}, nil),
		tokens:   prometheus.NewDesc("fairway_quota_tokens_per_minute", "Quota of tokens a minute, as configured or learned from throttling.", []string{"region", "model"}, nil),
		requests: prometheus.NewDesc("fairway_quota_requests_per_minute", "Quota of requests a minute, as configured or learned from throttling.", []string{"region", "model"}, nil),
	}
}

// Describe is the prometheus.Collector's.
func (t *targets) Describe(to chan<- *prometheus.Desc) {
	to <- t.state
	to <- t.tokens
	to <- t.requests
}

// Collect is the prometheus.Collector's.
func (t *targets) Collect(to chan<- prometheus.Metric) {
	states, tokens, requests := map[targetLabels]int{}, map[targetLabels]int{}, map[targetLabels]int{}
	for _, target := range t.read() {
		l := targetLabels{region: t.known.region(target.Region), model: t.known.modelOf(target.Model)}
		tokens[l] += target.TokensPerMinute
		requests[l] += target.RequestsPerMinute
		l.state = target.State
		states[l]++
	}
	for l, n := range states {
		to <- prometheus.MustNewConstMetric(t.state, prometheus.GaugeValue, float64(n), l.region, l.model, l.state)
	}
	send := func(desc *prometheus.Desc, sums map[targetLabels]int) {
		for l, n := range sums {
			if n > 0 {
				to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), l.region, l.model)
			}
		}
	}
	send(t.tokens, tokens)
	send(t.requests, requests)
}
