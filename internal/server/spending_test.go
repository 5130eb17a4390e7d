package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// TestKeysHaveNames: each key of a configuration is known by a name of its own, in the
// ledger and to budgets.
func TestKeysHaveNames(t *testing.T) {
	digest := sha256.Sum256([]byte("hashed"))
	file := filepath.Join(t.TempDir(), "batch.key")
	if err := os.WriteFile(file, []byte("filed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := listening(t, `
region: ap-southeast-1
simulate: {speed: instant}
budgets:
  - {name: each-key, keys: ["*"], per: key, dollars_per_day: 100}
principals:
  - name: app
    access_keys: [{id: `+keyID+`, secret: env:SECRET}]
    bearer_keys: [env:BEARER, "file:`+file+`", "sha256:`+hex.EncodeToString(digest[:])+`"]
    `+allowAll+"\n")
	for _, key := range []string{bearer, "filed", "hashed"} {
		if got := status(s.Server, key); got != http.StatusOK {
			t.Fatalf("a bearer key gets %d, want 200", got)
		}
	}
	invoked(t, modelClient(s.url(), transport(t, false)))
	want := []string{"app/BEARER", "app/batch.key", "app/" + hex.EncodeToString(digest[:4]), keyID}
	var got, pots []string
	for _, r := range records(t, s.Server) {
		got = append(got, r.Key)
	}
	for _, b := range s.budgets.State() {
		pots = append(pots, b.Pot)
	}
	slices.Sort(want)
	slices.Sort(pots)
	slices.Sort(got)
	if !slices.Equal(got, want) || !slices.Equal(pots, want) {
		t.Errorf("keys %q, pots %q, want %q", got, pots, want)
	}
}

// TestKeysOfDevelopment are known by names too: the developer's by its own.
func TestKeysOfDevelopment(t *testing.T) {
	s := instant(t, loaded(t, sample.Files()))
	if got := status(s, s.keys.BearerKey); got != http.StatusOK {
		t.Fatalf("the developer's key gets %d, want 200", got)
	}
	if all := records(t, s); len(all) != 1 || all[0].Key != "developer" {
		t.Errorf("records %+v, want one of the key developer", all)
	}
	if key, ok := s.app.Load().apiKeys.Lookup(s.keys.APIKey); !ok || key.Name != ownAPIKey {
		t.Errorf("the API key is %+v, %t, want it called %s", key, ok, ownAPIKey)
	}
}

// TestBudgetByAddress binds a user of the server's own pool by the e-mail address that
// the user signs in by, and says to the browser when to come again.
func TestBudgetByAddress(t *testing.T) {
	begun := time.Now()
	s := instant(t, loaded(t, sample.Files()), func(o *Options) {
		o.Now = func() time.Time { return begun.Truncate(time.Minute).Add(time.Since(begun)) } // a minute is ahead
	})
	for _, c := range []struct {
		user  string
		binds bool
	}{{"another@example.com", false}, {s.keys.TestUser.Username, true}} {
		next := *s.app.Load().config
		next.Budgets = []config.Budget{{Name: "ana", Users: []string{c.user}, RequestsPerMinute: 1}}
		if err := s.Reconfigure(t.Context(), &next, loaded(t, sample.Files())); err != nil {
			t.Fatal(err)
		}
		signedIn := token(t, s)
		send(t, s, askBedrock, []string{signedIn})
		w := send(t, s, askBedrock, []string{signedIn})
		wait, _ := strconv.Atoi(w.Header().Get("Retry-After")) // 0 where there is none
		refused := strings.Contains(w.Body.String(), "ThrottlingException")
		if refused != c.binds || (0 < wait && wait <= 60) != c.binds {
			t.Errorf("a budget of %s: second call = %s, again after %d s, want it refused: %t", c.user, w.Body, wait, c.binds)
		}
	}
}

// TestTeams: the first team that anything of a caller is of.
func TestTeams(t *testing.T) {
	of := teams(&config.Config{Teams: []config.Team{
		{Name: "kitchen", Groups: []string{"cooks"}, Keys: []string{"kitchen-*"}},
		{Name: "office", Users: []string{"*@example.com"}},
		{Name: "rest", Principals: []string{"*"}},
		{Name: "never", Users: []string{"ada"}},
	}})
	for want, callers := range map[string][]inference.Caller{
		"kitchen": {{Group: "cooks"}, {Name: "ada", Key: "kitchen-7"}},
		"office":  {{ID: "1", Name: "1", Alias: "ana@example.com"}},
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
