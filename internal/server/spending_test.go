package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/sample"
)

// records are those in a server's store, once all are there.
func records(t *testing.T, s *Server) []inference.Record {
	t.Helper()
	if err := s.ledger.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []inference.Record
	now := s.now()
	err := s.store.Records(t.Context(), now.Add(-time.Hour).Truncate(time.Hour), now.Add(time.Hour).Truncate(time.Hour), nil, func(r *inference.Record) error {
		all = append(all, *r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// costs is a question that is answered with what it cost.
func costs(t *testing.T, s *Server, headers ...string) (usd string) {
	t.Helper()
	w := send(t, s, askBedrock, append(headers, "X-Fairway-Cost: 1"))
	var out struct {
		Extensions struct {
			Fairway map[string]any
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	usd, _ = out.Extensions.Fairway["cost_usd"].(string)
	if len(out.Extensions.Fairway) != 1 || usd == "" || usd != w.Header().Get("X-Fairway-Cost-Usd") {
		t.Errorf("extensions %v, header %q, want the cost alone, and the same", out.Extensions, w.Header().Get("X-Fairway-Cost-Usd"))
	}
	return usd
}

// TestOneQuestion is accounted for to the billionth of a dollar, with who asked and how:
// at 3 dollars a million tokens of the prompt and 15 of the answer.
func TestOneQuestion(t *testing.T) {
	s := instant(t, loaded(t, sample.Files()))
	usd := costs(t, s, token(t, s))
	all := records(t, s)
	if len(all) != 1 {
		t.Fatalf("%d records, want one", len(all))
	}
	r := all[0]
	byHand := inference.Money(r.Usage.InputTokens*3_000 + r.Usage.OutputTokens*15_000)
	if r.Cost != byHand || usd != byHand.String() || r.Usage.InputTokens == 0 || r.Reserved < r.Cost {
		t.Errorf("%+v cost %s and the answer says %s, of at most %s, want %s", r.Usage, r.Cost, usd, r.Reserved, byHand)
	}
	if r.Door != inference.DoorGraphQL || r.UserID == "" || r.Caller != r.UserID || r.Outcome != inference.OK || len(r.Attempts) != 1 || r.Attempts[0].Cost != r.Cost {
		t.Errorf("record %+v, want the test user's, whose user name is the subject, by graphql, with one attempt that cost it all", r)
	}
	if again := costs(t, s, token(t, s)); again != usd {
		t.Errorf("the same question again costs %s, want %s", again, usd)
	}
}

// TestPricesOfTheProject: its own file of prices holds from the next configuration on.
func TestPricesOfTheProject(t *testing.T) {
	state := t.TempDir()
	s := instant(t, loaded(t, sample.Files()), func(o *Options) { o.State = state })
	before := costs(t, s, token(t, s))
	const doubled = `models:
  - id: apac.anthropic.claude-sonnet-4-20250514-v1:0
    input_per_mtok: 6
    output_per_mtok: 30
`
	file := filepath.Join(state, "prices.yaml")
	if err := os.WriteFile(file, []byte(doubled), 0o600); err != nil {
		t.Fatal(err)
	}
	reread := func() error { return s.Reconfigure(t.Context(), s.app.Load().config, loaded(t, sample.Files())) }
	if err := reread(); err != nil {
		t.Fatal(err)
	}
	was, _ := inference.ParseMoney(before)
	if after := costs(t, s, token(t, s)); after != (2 * was).String() {
		t.Errorf("at twice the price it costs %s, want twice %s", after, before)
	}
	if err := os.WriteFile(file, []byte("models: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reread(); err == nil {
		t.Error("prices that cannot be read were taken up")
	}
	if after := costs(t, s, token(t, s)); after != (2 * was).String() {
		t.Errorf("after prices that cannot be read it costs %s, want %s as before", after, 2*was)
	}
}

// TestSpentIsRemembered: what a budget has spent today is spent after a restart, and
// shown before anybody has asked again.
func TestSpentIsRemembered(t *testing.T) {
	state := t.TempDir()
	budgets := func(o *Options) {
		o.State = state
		o.Config.Budgets = []config.Budget{{Name: "all", Principals: []string{"*"}, Per: "user", DollarsPerDay: config.Dollars(inference.Dollar)}}
	}
	var spent int64
	t.Run("spend", func(t *testing.T) {
		s := instant(t, loaded(t, sample.Files()), budgets)
		usd, err := inference.ParseMoney(costs(t, s, token(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		spent = int64(usd)
	})
	t.Run("again", func(t *testing.T) {
		s := instant(t, loaded(t, sample.Files()), budgets)
		for range 2 {
			states, err := s.BudgetStates(t.Context())
			if err != nil || len(states) != 1 || states[0].Spent != spent || states[0].Reserved != 0 || states[0].Pot == "" || states[0].Limit != int64(inference.Dollar) {
				t.Fatalf("budgets = %+v, %v, want the user's, with %d spent of a dollar", states, err, spent)
			}
			costs(t, s, token(t, s))
			spent *= 2
			records(t, s)
		}
	})
}

// TestTeams: the first team that anything of a caller is of.
func TestTeams(t *testing.T) {
	of := teams(&config.Config{Teams: []config.Team{
		{Name: "kitchen", Groups: []string{"cooks"}, Keys: []string{"kitchen-*"}},
		{Name: "rest", Principals: []string{"*"}},
		{Name: "never", Users: []string{"ada"}},
	}})
	for want, callers := range map[string][]inference.Caller{
		"kitchen": {{Group: "cooks"}, {Name: "ada", Key: "kitchen-7"}},
		"rest":    {{}, {Name: "ada", Group: "guests", Key: "kitchen"}},
	} {
		for _, c := range callers {
			if got := of("anyone", c); got != want {
				t.Errorf("team of %+v = %q, want %q", c, got, want)
			}
		}
	}
	if teams(&config.Config{}) != nil {
		t.Error("without teams there is something to ask")
	}
}
