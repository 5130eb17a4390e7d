package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

// asked is the model of the calls here, and lesson one of them, long enough to teach.
const asked = inference.ModelID("anthropic.claude-sonnet-4-20250514-v1:0")

var lesson = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":50,"messages":[{"role":"user","content":"` +
	strings.Repeat("Suggest a recipe with chicken, rice and carrots that two people can cook in half an hour. ", 20) + `"}]}`

// countsHalfAgain is a real region whose models count half as many tokens again as our
// arithmetic does.
func countsHalfAgain(t *testing.T) (url string) {
	t.Helper()
	region := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !strings.HasSuffix(r.URL.Path, "/invoke") {
			http.Error(w, `{"message":"not here"}`, http.StatusNotFound)
			return
		}
		c, err := anthropic.Dialect{}.DecodeRequest(body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Rice."}],
			"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":%d,"output_tokens":2}}`,
			tokens.FamilyOf(asked).Conversation(c)*3/2)
	}))
	t.Cleanup(region.Close)
	return region.URL
}

// unhurried is a clock on which calls are never too close together to teach.
func unhurried(o *Options) {
	var passed atomic.Int64
	o.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Add(int64(lessonEvery)))) }
}

// taught asks n lessons of a server.
func taught(t *testing.T, s *Server, n int) {
	t.Helper()
	for range n {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/region/"+string(entry)+"/model/"+profile+"/invoke", strings.NewReader(lesson))
		r.Header.Set("Authorization", "Bearer "+bearer)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if s.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatalf("InvokeModel = %d %s", w.Code, w.Body)
		}
	}
}

// estimates is what GET /api/tokens answers.
type estimates struct {
	Calibrations []inference.Correction
	Rows         []inference.Calibration
}

func estimatesOf(t *testing.T, s *Server) (e estimates) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://localhost/api/tokens", nil)
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	s.Admin().ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != http.StatusOK {
		t.Fatalf("GET /api/tokens = %d %s, %v", w.Code, w.Body, err)
	}
	return e
}

// TestRealAnswersTeach: what answers of real models report corrects the estimates of
// these models, is shown, and is there after a restart.
func TestRealAnswersTeach(t *testing.T) {
	const calls = 40
	state := t.TempDir()
	text := "model: bedrock\nbedrock: {endpoint: " + countsHalfAgain(t) + ", bearer_key: env:BEARER}\n" + caller
	onDisk := func(o *Options) { o.State = state }
	reading := tokens.Reading{Text: 10_000, Script: tokens.Latin}
	var before tokens.Estimate
	t.Run("learn", func(t *testing.T) {
		s, _ := opened(t, text, onDisk, unhurried)
		first := s.estimator.Quick(asked, reading)
		taught(t, s, calls)
		before = s.estimator.Quick(asked, reading)
		if got := float64(before.Tokens) / float64(first.Tokens); got < 1.4 || got > 1.55 || before.Basis != tokens.Calibrated {
			t.Errorf("after %d answers the estimate is %+v, %.2f times %+v, want about 1.5 times, calibrated", calls, before, got, first)
		}
		shown := estimatesOf(t, s).Calibrations
		if len(shown) != 1 || shown[0].Model != asked || shown[0].Script != "latin" || shown[0].Samples != calls || shown[0].Error <= 0 {
			t.Errorf("GET /api/tokens = %+v, want %d answers of %s in latin", shown, calls, asked)
		}
	})
	t.Run("restart", func(t *testing.T) {
		s, _ := opened(t, text, onDisk, unhurried)
		s.learning.end()
		s.shareLessons(t.Context())
		if got := s.estimator.Quick(asked, reading); got != before {
			t.Errorf("after a restart the estimate is %+v, want %+v", got, before)
		}
		if rows := estimatesOf(t, s).Rows; len(rows) != 1 || rows[0].Model != string(asked) || rows[0].Script != "latin" || rows[0].Samples != calls {
			t.Errorf("GET /api/tokens has rows %+v, want one of %d answers", rows, calls)
		}
	})
}

func TestSimulatedAnswersTeachNothing(t *testing.T) {
	s, _ := opened(t, "simulate: {speed: instant}\n"+caller, unhurried)
	taught(t, s, 10)
	if got := estimatesOf(t, s); got.Calibrations == nil || got.Rows == nil || len(got.Calibrations)+len(got.Rows) != 0 {
		t.Errorf("GET /api/tokens = %+v, want two empty lists", got)
	}
}
