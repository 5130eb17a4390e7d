package telemetry

import (
	"strings"
	"testing"

	"fairway/internal/inference"
)

// TestSpending: one series a budget and measure, by its fullest pot, however many pots
// there are.
func TestSpending(t *testing.T) {
	m := NewMetrics(MetricsOptions{
		Ledger: func() Ledger { return Ledger{Queued: 3, JournalBytes: 4096, Away: true, Lost: 2} },
		Budgets: func() []Budget {
			return []Budget{{"each-user", inference.DollarsPerDay, 0.25}, {"each-user", inference.DollarsPerDay, 0.75}, {"all", inference.Streams, 1}}
		},
	})
	text := scrape(t, m)
	for _, want := range []string{
		`fairway_budget_used_ratio{budget="all",measure="streams"} 1`,
		`fairway_budget_used_ratio{budget="each-user",measure="dollars_per_day"} 0.75`,
		"fairway_ledger_journal_bytes 4096", "fairway_ledger_lost_total 2", "fairway_ledger_queued 3", "fairway_ledger_store_away 1",
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	if n := strings.Count(text, "\nfairway_budget_used_ratio{"); n != 2 {
		t.Errorf("%d series of budgets, want 2", n)
	}
}
