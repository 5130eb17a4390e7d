package gateway

import (
	"testing"
	"time"

	"fairway/internal/budget"
	"fairway/internal/inference"
	"fairway/internal/meter"
	"fairway/internal/route"
)

// priceless has no prices but Nova's.
type priceless struct{ prices }

func (p priceless) Cost(named string, u inference.Usage, at time.Time) (inference.Money, bool) {
	if named != novaProfile {
		return 0, false
	}
	return p.prices.Cost(named, u, at)
}

// TestUnpriced: what has no price is not free to whom a budget of dollars binds; a
// fallback of the kind is left out, and without such a budget it is called.
func TestUnpriced(t *testing.T) {
	dollars := budget.Budget{Name: "all", Principals: []string{"*"}, DollarsPerDay: 100 * inference.Dollar}
	requests := budget.Budget{Name: "all", Principals: []string{"*"}, RequestsPerMinute: 10}
	toNova, toClaude := route.Route{Fallbacks: []string{novaProfile}}, route.Route{Fallbacks: []string{profile}}
	for _, c := range []struct {
		name   string
		called string
		route  route.Route
		budget budget.Budget
		kind   inference.Kind
		made   int
	}{
		{"dollars", profile, toNova, dollars, inference.AccessDenied, 0},
		{"requests", profile, route.Route{}, requests, inference.ServiceUnavailable, len(destinations)},
		{"a fallback", novaProfile, toClaude, dollars, inference.ServiceUnavailable, -1},
	} {
		l := spending(t, byModel{model: refused, nova: refused}, c.route, c.budget)
		l.Meter = meter.New(meter.Config{Pricer: priceless{prices{l.Catalog}}, Budgets: l.Budgets, Sinks: []meter.Sink{&l.kept}, Now: l.Clock})
		r := converse("id")
		r.Model = c.called
		_, record, err := l.Invoke(t.Context(), r)
		if e := inference.AsError(err); e.Kind != c.kind || c.made >= 0 && len(record.Attempts) != c.made {
			t.Errorf("%s: Invoke = %v after %d attempts, want %s after %d", c.name, err, len(record.Attempts), c.kind, c.made)
		}
		for _, got := range models(record) {
			if c.called == novaProfile && got != nova {
				t.Errorf("%s: attempts at %s, want none", c.name, got)
			}
		}
	}
}
