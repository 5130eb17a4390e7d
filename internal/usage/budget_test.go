package usage

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

func TestBudgets(t *testing.T) {
	states := []BudgetState{
		{"engineering", "", inference.DollarsPerMonth, 2_500 * int64(inference.Dollar), 1_837_123_456_789, 12_000_000_000, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)},
		{"each-user", "ana@example.com", inference.TokensPerMinute, 200_000, 30_000, 4_096, time.Date(2026, 11, 23, 4, 31, 0, 0, time.UTC)},
		{"each-user", "ana@example.com", inference.Streams, 4, 0, 4, time.Time{}},
	}
	var text, none bytes.Buffer
	if err := WriteBudgets(&text, states); err != nil {
		t.Fatal(err)
	}
	golden(t, "budgets.txt", text.Bytes())
	if err := WriteBudgets(&none, nil); err != nil {
		t.Fatal(err)
	}
	golden(t, "budgets-none.txt", none.Bytes())
	raw, err := json.MarshalIndent(states, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "budgets.json", append(raw, '\n'))
}

// TestBudgetJSON: a state reads as it was written, to the last unit.
func TestBudgetJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Min(0)
		want := BudgetState{
			Budget:  rapid.String().Draw(t, "budget"),
			Pot:     rapid.String().Draw(t, "pot"),
			Measure: rapid.SampledFrom([]inference.Measure{inference.DollarsPerDay, inference.TokensPerMinute, inference.Streams}).Draw(t, "measure"),
			Limit:   amount.Draw(t, "limit"), Spent: amount.Draw(t, "spent"), Reserved: amount.Draw(t, "reserved"),
		}
		_, want.Ends = want.Measure.Window(now)
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got BudgetState
		if err := json.Unmarshal(raw, &got); err != nil || got != want {
			t.Errorf("%s reads as %+v, %v, want %+v", raw, got, err, want)
		}
	})
	for _, raw := range []string{`{"measure": "streams", "limit": "1.5", "spent": "0", "reserved": "0"}`, `{"measure": "dollars_per_day", "limit": "", "spent": "0", "reserved": "0"}`, `[]`} {
		var got BudgetState
		if err := json.Unmarshal([]byte(raw), &got); err == nil || got != (BudgetState{}) {
			t.Errorf("%s reads as %+v, %v, want an error", raw, got, err)
		}
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		limit, spent, reserved int64
		want                   int
	}{{0, 5, 5, 0}, {3, 1, 1, 66}, {10, 12, 3, 150}, {1 << 56, 1 << 55, 0, 50}, {10, -3, 1, 0}} {
		if got := (BudgetState{Limit: c.limit, Spent: c.spent, Reserved: c.reserved}).Percent(); got != c.want {
			t.Errorf("Percent of %+v = %d, want %d", c, got, c.want)
		}
	}
}
