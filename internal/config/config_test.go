package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

var update = flag.Bool("update", false, "rewrite the expected files in testdata")

func glob(t testing.TB, pattern string) []string {
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata/%s: %v", pattern, err)
	}
	return files
}

// equalsFile compares got with a file, or rewrites the file.
func equalsFile(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-want +got):\n%s", file, diff)
	}
}

func effective(t testing.TB, c *Config, o Origins) string {
	var out bytes.Buffer
	if err := Effective(&out, c, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What good-*.yaml configures is good-*.effective.
func TestLoadGood(t *testing.T) {
	for _, file := range glob(t, "good-*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, o, err := Load(Source{File: file})
			if err != nil {
				t.Fatalf("Load(%s) error = %v", file, err)
			}
			equalsFile(t, strings.TrimSuffix(file, ".yaml")+".effective", effective(t, c, o))
		})
	}
}

// What is wrong with bad-*.yaml is bad-*.err.
func TestLoadBad(t *testing.T) {
	for _, file := range glob(t, "bad-*.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, o, err := Load(Source{File: file})
			if err == nil || c != nil || o != nil {
				t.Fatalf("Load(%s) = %v, %v, %v, want only an error", file, c, o, err)
			}
			equalsFile(t, strings.TrimSuffix(file, ".yaml")+".err", err.Error()+"\n")
		})
	}
}

func TestDefaultIsValid(t *testing.T) {
	if found := Default().validate(); found != nil {
		t.Errorf("Default().validate() = %v, want nothing", found)
	}
}

func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestLoadLaterSourceWins(t *testing.T) {
	file := filepath.Join(t.TempDir(), FileName)
	text := "listen: 127.0.0.1:1\ngrant: strict\nsimulate:\n  responses: answers.yaml\n  faults: {eu-west-1: hang}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, o, err := Load(Source{
		File: file,
		Env: environment(map[string]string{
			"FAIRWAY_LISTEN": "127.0.0.1:2",
			"FAIRWAY_ORDER":  "us-east-1, us-west-2",
			"FAIRWAY_REGION": "",
			"FAIRWAY_SIMULATE_QUOTA_TOKENS_PER_MINUTE": "7",
		}),
		Flags: map[string]string{"listen": "127.0.0.1:3", "simulate.faults": "us-east-1=down,us-west-2=5xx", "simulate.speed": "instant"},
	})
	if err != nil {
		t.Fatalf("Load() error = %v", err)
	}
	want := Default()
	want.Listen, want.Grant = "127.0.0.1:3", Strict
	want.Order = []inference.Region{"us-east-1", "us-west-2"}
	want.Simulate.Quota.TokensPerMinute, want.Simulate.Speed = 7, Instant
	want.Simulate.Responses = Path(filepath.Join(filepath.Dir(file), "answers.yaml"))
	want.Simulate.Faults = map[inference.Region]Fault{"us-east-1": "down", "us-west-2": "5xx"}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("Load() (-want +got):\n%s", diff)
	}
	for path, origin := range map[string]string{
		"listen": "flag", "simulate.faults": "flag", "order": "FAIRWAY_ORDER", "grant": file + ":2",
		"region": "default", "simulate.responses": file + ":4", "log.level": "default",
	} {
		if o[path] != origin {
			t.Errorf("origin of %s = %q, want %q", path, o[path], origin)
		}
	}
}

func TestLoadNamesTheSourceOfAnError(t *testing.T) {
	_, _, err := Load(Source{
		Env:   environment(map[string]string{"FAIRWAY_BREAKER_FAILURES": "few", "FAIRWAY_ACCOUNT": "1"}),
		Flags: map[string]string{"speed": "2", "attempt_timeout": "12"},
	})
	const want = `FAIRWAY_BREAKER_FAILURES: breaker.failures: want a whole number, got "few"
flag: attempt_timeout: want a duration with its unit such as "250ms", got "12"
flag: unknown setting "speed"
FAIRWAY_ACCOUNT: account: want twelve digits, got "1"`
	if err == nil || err.Error() != want {
		t.Errorf("Load() error =\n%v\nwant\n%s", err, want)
	}
	if _, _, err := Load(Source{File: filepath.Join(t.TempDir(), "missing.yaml")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load(missing file) error = %v, want not exist", err)
	}
}

// Brackets without end are refused before they take time.
func TestLoadDeep(t *testing.T) {
	for _, bracket := range []string{"[", "{a: "} {
		_, _, err := loadText(t, "order: "+strings.Repeat(bracket, 100_000))
		if err == nil || !strings.HasSuffix(err.Error(), "want brackets at most 1000 deep") {
			t.Errorf("Load(%q without end) error = %v, want it refused", bracket, err)
		}
	}
}

// What the parser takes minutes or gigabytes for is refused at once, and what is within
// the bounds does not take long.
func TestLoadHostile(t *testing.T) {
	var keys strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&keys, "k%d: 1\n", i)
	}
	few := keys.String()[:strings.Index(keys.String(), "k5000:")]
	for _, test := range []struct{ name, text, want string }{
		{"dashes", "routes:\n  " + strings.Repeat("- ", 300_000) + "a", "want at most 100 dashes and question marks on line 2"},
		{"question marks", strings.Repeat("? ", 300_000) + "a", "want at most 100 dashes and question marks on line 1"},
		{"keys", keys.String(), "want at most 10000 lines"},
		{"keys in bounds", few, "want at most 1000 keys"},
		{"keys of a route", "routes: [{" + strings.ReplaceAll(few, "\n", ",") + "}]", "want at most 1000 keys under routes[0]"},
		{"routes", "routes: [" + strings.Repeat("{}, ", 20_000) + "]", "routes: want at most 5000 elements"},
		{"blank lines", "model: |\n" + strings.Repeat(" \n", 400_000), "want at most 1000 blank lines in a row, up to line 1002"},
		{"blank lines of Macintosh", "model: |\r" + strings.Repeat(" \r", 400_000), "want at most 1000 blank lines in a row, up to line 1002"},
	} {
		start := time.Now()
		_, _, err := loadText(t, test.text)
		if err == nil || !strings.HasSuffix(err.Error(), ": "+test.want) {
			t.Errorf("%s: Load() error = %v, want %s", test.name, err, test.want)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: Load() takes %v", test.name, took)
		}
	}
}

// Twenty problems are told, and how many more there are.
func TestLoadShowsTwentyProblems(t *testing.T) {
	var text strings.Builder
	for i := range 30 {
		fmt.Fprintf(&text, "k%d: 1\n", i)
	}
	_, _, err := loadText(t, text.String())
	if err == nil || strings.Count(err.Error(), "unknown key") != 20 || !strings.HasSuffix(err.Error(), "\nand 10 more") {
		t.Errorf("Load() of 30 unknown keys: error = %v, want 20 of them, and 10 more", err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	if got := Find(dir); got != "" {
		t.Errorf("Find(empty folder) = %q, want nothing", got)
	}
	file := filepath.Join(dir, FileName)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Find(dir); got != file {
		t.Errorf("Find() = %q, want %q", got, file)
	}
}

// Every setting has a name in the file and one in the environment, no two alike.
func TestSettingNames(t *testing.T) {
	var names []string
	for _, s := range settings(Default()) {
		if s.path == "" || strings.HasSuffix(s.path, ".") {
			t.Errorf("setting %q of type %s has no yaml tag", s.path, s.value.Type())
		}
		names = append(names, s.variable())
	}
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("names of variables %v, want no two alike", names)
	}
}

// Loading what Effective writes gives the same configuration.
func TestEffectiveRoundTrip(t *testing.T) {
	region := rapid.StringMatching(`[a-z]{2}-[a-z]{1,9}-[0-9]{1,2}`)
	regions := rapid.Map(region, func(s string) inference.Region { return inference.Region(s) })
	span := rapid.Map(rapid.Int64Range(1, int64(time.Hour*1000)), func(n int64) Duration { return Duration(n) })
	size := rapid.Map(rapid.Int64Min(1), func(n int64) Size { return Size(n) })
	principals := rapid.Custom(func(t *rapid.T) Principal {
		name := rapid.StringMatching(`[\w+=,.@-]{1,64}`).Draw(t, "name")
		key := BearerKey("env:" + name)
		p := Principal{Name: name, ARN: inference.ARN("arn:aws:iam::123456789012:user/" + name), BearerKeys: []BearerKey{key}}
		if rapid.Bool().Draw(t, "role") {
			p.ARN = inference.ARN("arn:aws:iam::123456789012:role/" + name)
			p.MaxSession = Duration(rapid.Int64Range(int64(minSession), int64(maxSession)).Draw(t, "session"))
			p.AssumedBy, p.Tags = []string{"ci"}, map[string]string{"team": rapid.StringMatching(`[a-z é@]{0,9}`).Draw(t, "tag")}
		}
		return p
	})
	issuers := rapid.Custom(func(t *rapid.T) Issuer {
		u := URL("https://" + rapid.StringMatching(`[a-z]{1,9}\.example\.com(/[a-z]{0,3})?`).Draw(t, "url"))
		return Issuer{
			URL:         u,
			JWKS:        u + "/keys",
			Audiences:   []string{rapid.StringMatching(`[ -~]{1,9}`).Draw(t, "audience")},
			Leeway:      Duration(rapid.Int64Range(0, int64(maxLeeway)).Draw(t, "leeway")),
			Claims:      rapid.MapOfN(rapid.StringMatching(`[a-z:]{1,9}`), rapid.StringMatching(`[ -~]{1,9}`), 0, 2).Draw(t, "claims"),
			GroupsClaim: "groups",
			ByGroup:     map[string]string{"admins": "admin"},
			Mode:        rapid.SampledFrom([]IssuerMode{UserPoolIssuer, OIDCIssuer}).Draw(t, "mode"),
		}
	})
	routings := rapid.Custom(func(t *rapid.T) Routing {
		return Routing{
			Policy:        Policy(rapid.SampledFrom(append(inference.Policies(), "")).Draw(t, "policy")),
			Order:         rapid.SliceOfN(regions, 0, 4).Draw(t, "order"),
			Weights:       rapid.MapOfN(regions, rapid.Float64Range(math.SmallestNonzeroFloat64, maxWeight), 0, 3).Draw(t, "weights"),
			Residency:     rapid.SliceOfN(rapid.OneOf(region, rapid.SampledFrom(inference.Geographies())), 0, 3).Draw(t, "residency"),
			OnCut:         rapid.SampledFrom([]OnCut{"fail", "continue"}).Draw(t, "on cut"),
			OnCutInstruct: rapid.Bool().Draw(t, "instruct"),
			Fallbacks:     rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,9}\.[a-z0-9:-]{0,9}`), 0, 3, rapid.ID).Draw(t, "fallbacks"),
		}
	})
	routes := rapid.Custom(func(t *rapid.T) Route {
		share, model := rapid.Float64Range(0, 1).Draw(t, "share"), rapid.StringMatching(`[a-z]{1,9}`).Draw(t, "model")
		return Route{
			Models:  []string{model + ".*"},
			Routing: routings.Draw(t, "routing"),
			Hedge:   rapid.Bool().Draw(t, "hedge"),
			Shadow:  Shadow{Share: Ratio(share), Model: model},
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := Default()
		want.Routing = routings.Draw(t, "settings")
		want.Routes = rapid.SliceOfN(routes, 0, 3).Draw(t, "routes")
		want.Retry.Reserve = rapid.Float64Min(0).Draw(t, "reserve")
		want.Probe.Budget = Dollars(rapid.Int64Min(0).Draw(t, "budget"))
		want.Account = rapid.StringMatching(`[0-9]{12}`).Draw(t, "account")
		want.AttemptTimeout, want.StallTimeout = span.Draw(t, "attempt"), span.Draw(t, "stall")
		want.RequestTimeout = span.Draw(t, "request")
		want.Simulate.Speed = rapid.SampledFrom([]Speed{Instant, 1, 0.125, 1e21, 3}).Draw(t, "speed")
		want.Simulate.Seed = rapid.Uint64().Draw(t, "seed")
		want.Simulate.Responses = Path(rapid.StringMatching(`(/[ -~\n"é]{1,6})?`).Draw(t, "responses"))
		want.Simulate.Faults = rapid.MapOfN(regions, rapid.SampledFrom([]Fault{"up", "5xx"}), 0, 3).Draw(t, "faults")
		want.Limits.GraphQLBody = size.Draw(t, "size")
		want.Log.Content = rapid.Bool().Draw(t, "content")
		want.Telemetry.Sample = Ratio(rapid.Float64Range(0, 1).Draw(t, "sample"))
		want.Issuers = rapid.SliceOfNDistinct(issuers, 0, 3, func(i Issuer) URL { return i.URL }).Draw(t, "issuers")
		want.UserPool.RefreshLife = Duration(rapid.Int64Range(int64(minRefreshLife), int64(maxRefreshLife)).Draw(t, "refresh"))
		want.UserPool.SignUp = rapid.Bool().Draw(t, "sign up")
		want.IdentityPool.ByGroup = rapid.MapOfN(rapid.StringMatching(`[a-z]{1,9}`), rapid.StringMatching(`[a-z]{1,9}`), 0, 2).Draw(t, "by group")
		want.SMTP.TLS = rapid.SampledFrom([]SMTPTLS{StartTLS, ImplicitTLS, NoTLS}).Draw(t, "tls")
		want.Principals = rapid.SliceOfNDistinct(principals, 0, 3, func(p Principal) string { return p.Name }).Draw(t, "principals")
		var out bytes.Buffer
		if err := Effective(&out, want, Origins{}); err != nil {
			t.Fatal(err)
		}
		l := newLoader()
		l.file("effective.yaml", out.Bytes())
		got, _, err := l.finish()
		if err != nil {
			t.Fatalf("load of\n%s: %v", out.Bytes(), err)
		}
		empty := cmpopts.EquateEmpty()
		if diff := cmp.Diff(want, got, empty); diff != "" {
			t.Fatalf("load of\n%s(-want +got):\n%s", out.Bytes(), diff)
		}
	})
}

// A file either has errors, each naming the file, or gives a configuration that
// Effective writes and Load reads again.
func FuzzFile(f *testing.F) {
	for _, file := range append(glob(f, "good-*.yaml"), glob(f, "bad-*.yaml")...) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		load := func(data []byte) (*Config, Origins, error) {
			l := newLoader()
			l.file("/f.yaml", data)
			return l.finish()
		}
		c, o, err := load(data)
		if err != nil {
			if c != nil || !strings.HasPrefix(err.Error(), "/f.yaml") {
				t.Fatalf("load = %v, %v, want no configuration and the file's name first", c, err)
			}
			return
		}
		again, _, err := load([]byte(effective(t, c, o)))
		if err != nil {
			t.Fatalf("load of\n%s: %v", effective(t, c, o), err)
		}
		if diff := cmp.Diff(effective(t, c, nil), effective(t, again, nil)); diff != "" {
			t.Fatalf("effective configuration (-first +loaded again):\n%s", diff)
		}
	})
}
