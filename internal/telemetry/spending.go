package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"

	"fairway/internal/inference"
)

// Ledger is how the ledger of calls does.
type Ledger struct {
	Queued       int   // entries that wait for a commit
	JournalBytes int64 // that wait for the store
	Away         bool  // the store does not answer
	Lost         int64 // records that nothing could hold
}

// Budget is how far the fullest pot of a budget is in its window.
type Budget struct {
	Name    string // of the configuration
	Measure inference.Measure
	Used    float64 // share of the limit, spent or reserved
}

// spending are the gauges of the ledger and of the budgets.
type spending struct {
	ledger  func() Ledger
	budgets func() []Budget

	queued, journal, away, lost, used *prometheus.Desc
}

func newSpending(ledger func() Ledger, budgets func() []Budget) *spending {
	return &spending{
		ledger: ledger, budgets: budgets,
		queued:  prometheus.NewDesc("fairway_ledger_queued", "Entries of the ledger that wait for a commit.", nil, nil),
		journal: prometheus.NewDesc("fairway_ledger_journal_bytes", "Bytes of the journal that wait for the store.", nil, nil),
		away:    prometheus.NewDesc("fairway_ledger_store_away", "1 while the store does not answer the ledger.", nil, nil),
		lost:    prometheus.NewDesc("fairway_ledger_lost_total", "Records that neither store nor journal could hold.", nil, nil),
		used:    prometheus.NewDesc("fairway_budget_used_ratio", "Share of a budget's limit that is spent or reserved, of its fullest pot.", []string{"budget", "measure"}, nil),
	}
}

// Describe is the prometheus.Collector's.
func (s *spending) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.queued, s.journal, s.away, s.lost, s.used} {
		to <- d
	}
}

// Collect is the prometheus.Collector's.
func (s *spending) Collect(to chan<- prometheus.Metric) {
	l, away := s.ledger(), 0.0
	if l.Away {
		away = 1
	}
	to <- prometheus.MustNewConstMetric(s.queued, prometheus.GaugeValue, float64(l.Queued))
	to <- prometheus.MustNewConstMetric(s.journal, prometheus.GaugeValue, float64(l.JournalBytes))
	to <- prometheus.MustNewConstMetric(s.away, prometheus.GaugeValue, away)
	to <- prometheus.MustNewConstMetric(s.lost, prometheus.CounterValue, float64(l.Lost))
	type labels struct {
		name    string
		measure inference.Measure
	}
	most := map[labels]float64{}
	for _, b := range s.budgets() {
		at := labels{b.Name, b.Measure}
		most[at] = max(most[at], b.Used)
	}
	for at, used := range most {
		to <- prometheus.MustNewConstMetric(s.used, prometheus.GaugeValue, used, at.name, string(at.measure))
	}
}
