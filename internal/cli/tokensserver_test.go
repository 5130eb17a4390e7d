package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"fairway/internal/capacity"
	front "fairway/internal/front/admin"
	"fairway/internal/inference"
	"fairway/internal/outputs"
	"fairway/internal/sample"
	"fairway/internal/tokens"
)

const (
	counting = "us.anthropic.claude-sonnet-4-6" // has CountTokens
	plain    = "us.amazon.nova-pro-v1:0"        // has not
	prose    = "Suggest a recipe with chicken, rice and carrots that two people can cook in half an hour."
)

// rows are what a store has.
type rows []inference.Calibration

func (r rows) Calibrations(context.Context) ([]inference.Calibration, error) { return r, nil }

// learned is what answers taught that were factor as long as our arithmetic has them.
func learned(factor float64) rows {
	const samples = 100
	x := math.Log(factor)
	return rows{{Model: "anthropic.claude-sonnet-4-6", Script: "latin", Samples: samples, Sum: samples * x, Squares: samples * x * x}}
}

// tokensServer is the admin API of a server that learned, beside its Bedrock door, and a
// folder with its outputs, in which the test goes on.
func tokensServer(t *testing.T, r rows, corrections []inference.Correction, door http.HandlerFunc) (url string) {
	t.Helper()
	mux := http.NewServeMux()
	front.Config{
		Log: slog.New(slog.DiscardHandler), Calibrations: r,
		Corrections: func() []inference.Correction { return corrections },
	}.Register(mux, func(next http.HandlerFunc) http.HandlerFunc { return next })
	if door != nil {
		mux.HandleFunc("POST /region/{region}/model/{model}/count-tokens", door)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	raw, err := json.Marshal(outputs.Fairway{Endpoint: server.URL, BearerKey: "a bearer key"})
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile(outputs.FairwayFile, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL
}

// answered is the JSON of the command, as far as it is looked at here.
type answered struct {
	Calibrations *string
	Models       []capacity.Quote
}

func askTokens(t *testing.T, args ...string) (a answered, stderr string) {
	t.Helper()
	raw, stderr := fairway(t, exitDone, append([]string{"tokens", prose, "--json"}, args...)...)
	if err := json.Unmarshal([]byte(raw), &a); err != nil {
		t.Fatalf("tokens prints %s: %v", raw, err)
	}
	return a, stderr
}

// TestTokensLearned: estimates are those of the server of the folder.
func TestTokensLearned(t *testing.T) {
	t.Chdir(t.TempDir())
	alone, stderr := askTokens(t, "--model", counting)
	if alone.Calibrations != nil || alone.Models[0].Basis != tokens.Estimated || stderr != "" {
		t.Errorf("without a server tokens prints %+v and says %q, want an estimate", alone, stderr)
	}
	if text, _ := fairway(t, exitDone, "tokens", prose, "--model", counting); !strings.Contains(text, "BASIS: no server was asked what answers taught.") {
		t.Errorf("without a server tokens prints\n%s\nwant that none was asked", text)
	}

	url := tokensServer(t, learned(1.8), nil, nil)
	got, stderr := askTokens(t, "--model", counting)
	if got.Calibrations == nil || *got.Calibrations != "server" || got.Models[0].Basis != tokens.Calibrated || stderr != "" {
		t.Errorf("with a server tokens prints %+v and says %q, want a calibrated estimate", got, stderr)
	}
	if got.Models[0].Tokens <= alone.Models[0].Tokens*5/4 {
		t.Errorf("with a server that learned a factor of 1.8 the estimate is %d, alone %d", got.Models[0].Tokens, alone.Models[0].Tokens)
	}
	text, _ := fairway(t, exitDone, "tokens", prose, "--model", counting)
	if want := "BASIS: by what answers taught the server at " + url + ".\n"; !strings.Contains(text, want) {
		t.Errorf("tokens prints\n%s\nwant %q", text, want)
	}
	os.Remove(outputs.FairwayFile)
	if named, _ := askTokens(t, "--model", counting, "--url", url); named.Models[0].Tokens != got.Models[0].Tokens {
		t.Errorf("tokens --url estimates %d, want %d", named.Models[0].Tokens, got.Models[0].Tokens)
	}
}

// TestTokensAway: a server that does not answer is told of, and an error where it was
// asked for.
func TestTokensAway(t *testing.T) {
	url := tokensServer(t, nil, nil, nil)
	if err := os.WriteFile(outputs.FairwayFile, []byte(`{"endpoint":"http://127.0.0.1:1"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, stderr := askTokens(t, "--model", counting)
	if got.Calibrations != nil || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "is one running there?: estimating without it") {
		t.Errorf("with a server that is away tokens prints %+v and says %q, want an estimate and one line", got, stderr)
	}
	if _, stderr := fairway(t, exitFailed, "tokens", prose, "--url", "http://127.0.0.1:1"); !strings.Contains(stderr, "is one running there?") {
		t.Errorf("tokens --url of nobody says %q, want the cause", stderr)
	}
	if _, stderr := fairway(t, exitFailed, "tokens", prose, "--url", url+"/elsewhere"); !strings.Contains(stderr, "HTTP 404") {
		t.Errorf("tokens --url of another place says %q, want the cause", stderr)
	}
	if _, stderr := fairway(t, exitUsage, "tokens", prose, "--token", "env:NOWHERE"); !strings.Contains(stderr, "--token") {
		t.Errorf("tokens --token of nothing says %q, want which flag", stderr)
	}
}

func TestTokensCalibration(t *testing.T) {
	correction := inference.Correction{Model: "anthropic.claude-sonnet-4-6", Script: "latin", Samples: 41.5, Factor: 1.0642, Error: 0.0734}
	tokensServer(t, nil, []inference.Correction{correction}, nil)
	const want = "MODEL                        SCRIPT  SAMPLES  FACTOR  ERROR\nanthropic.claude-sonnet-4-6  latin   42       1.064   7.3 %\n"
	if text, _ := fairway(t, exitDone, "tokens", "--calibration"); text != want {
		t.Errorf("tokens --calibration prints\n%s\nwant\n%s", text, want)
	}
	var got struct{ Calibrations []inference.Correction }
	raw, _ := fairway(t, exitDone, "tokens", "--calibration", "--json")
	if err := json.Unmarshal([]byte(raw), &got); err != nil || len(got.Calibrations) != 1 || got.Calibrations[0] != correction {
		t.Errorf("tokens --calibration --json = %s, want %+v", raw, correction)
	}
	if text, _ := fairway(t, exitDone, "tokens", "--calibration", "--url", tokensServer(t, nil, nil, nil)); !strings.HasPrefix(text, "nothing was learned yet") {
		t.Errorf("tokens --calibration of a server that learned nothing prints %q", text)
	}
}

// TestTokensCount: the service's own count takes the place of the estimate where there is
// one.
func TestTokensCount(t *testing.T) {
	tokensServer(t, nil, nil, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer a bearer key" || r.PathValue("region") != "us-east-1" || r.PathValue("model") != counting ||
			err != nil || !strings.HasPrefix(string(body), `{"input":{"converse":{"messages":[`) {
			t.Errorf("the server is asked %s %v %s, want the profile counted from us-east-1", r.URL, r.Header, body)
		}
		fmt.Fprint(w, `{"inputTokens":1234}`)
	})
	got, _ := askTokens(t, "--count", "--model", counting+","+plain)
	if q := got.Models[0]; q.Tokens != 1234 || q.Low != 1234 || q.High != 1234 || q.Basis != capacity.Counted || q.Uncounted != "" {
		t.Errorf("tokens --count has %+v, want 1234 counted", q)
	}
	if q := got.Models[1]; q.Basis != tokens.Estimated || q.Uncounted != "" {
		t.Errorf("tokens --count has %+v for a model without CountTokens, want an estimate", q)
	}
}

// TestTokensCountless: a count that no model has is told of.
func TestTokensCountless(t *testing.T) {
	tokensServer(t, nil, nil, nil)
	got, stderr := askTokens(t, "--count", "--model", plain)
	if got.Models[0].Basis != tokens.Estimated || !strings.Contains(stderr, "none of these models has CountTokens") {
		t.Errorf("tokens --count prints %+v and says %q, want an estimate and why", got, stderr)
	}
}

// TestTokensUncounted: without a real count the estimate stays, and why is said.
func TestTokensUncounted(t *testing.T) {
	for name, c := range map[string]struct {
		door http.HandlerFunc
		want string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"message":"Too many requests, please wait before trying again."}`)
		}, "Too many requests, please wait before trying again."},
		"silent":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "HTTP 502"},
		"no count":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }, "the answer is not one of CountTokens"},
		"simulated": {simulatedCount, "the regions of the server are simulated, and its counts with them"},
	} {
		t.Run(name, func(t *testing.T) {
			tokensServer(t, nil, nil, c.door)
			got, _ := askTokens(t, "--count", "--model", counting)
			if q := got.Models[0]; q.Basis != tokens.Estimated || q.Tokens == 7 || q.Uncounted != c.want {
				t.Errorf("tokens --count has %+v, want an estimate, since %q", q, c.want)
			}
			text, _ := fairway(t, exitDone, "tokens", prose, "--count", "--model", counting)
			if want := "Not counted but estimated, " + counting + ": " + strings.TrimSuffix(c.want, ".") + ".\n"; !strings.Contains(text, want) {
				t.Errorf("tokens --count prints\n%s\nwant %q", text, want)
			}
		})
	}
}

func simulatedCount(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Fairway-Simulated", "true")
	fmt.Fprint(w, `{"inputTokens":7}`)
}

// TestTokensOfDev: a server of the folder with simulated regions is asked, has learned
// nothing, and counts nothing.
func TestTokensOfDev(t *testing.T) {
	dir := copyProject(t, sample.Files())
	startDev(t, dir)
	t.Chdir(dir)
	got, stderr := askTokens(t, "--count", "--model", counting)
	if got.Calibrations == nil || stderr != "" {
		t.Errorf("beside dev tokens prints %+v and says %q, want the server's calibrations", got, stderr)
	}
	if q := got.Models[0]; q.Basis != tokens.Estimated || !strings.Contains(q.Uncounted, "simulated") {
		t.Errorf("beside dev tokens --count has %+v, want that counts are simulated", q)
	}
	if text, _ := fairway(t, exitDone, "tokens", "--calibration"); !strings.HasPrefix(text, "nothing was learned yet") {
		t.Errorf("beside dev tokens --calibration prints %q", text)
	}
}
