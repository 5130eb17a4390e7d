package sim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
	"fairway/internal/tokens"
	"fairway/internal/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sonnet4  = "anthropic.claude-sonnet-4-20250514-v1:0"
	sonnet35 = "anthropic.claude-3-5-sonnet-20240620-v1:0"
	haiku45  = "anthropic.claude-haiku-4-5-20251001-v1:0"
	sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	sonnet46 = "anthropic.claude-sonnet-4-6"
	sonnet5  = "anthropic.claude-sonnet-5"

	singapore = inference.Region("ap-southeast-1")
	tokyo     = inference.Region("ap-northeast-1")

	prompt = "Suggest a recipe idea using these ingredients (Please provide a recipe with the language used in the input " +
		"ingredients. Provide 2 to 3 different recipes if possible): chicken, rice, carrots."

	opus48       = "anthropic.claude-opus-4-8"
	novaPro      = "amazon.nova-pro-v1:0"
	titanText    = "amazon.titan-text-express-v1"
	llama31      = "meta.llama3-1-70b-instruct-v1:0"
	mistralLarge = "mistral.mistral-large-2402-v1:0"
	gptOSS       = "openai.gpt-oss-20b-1:0"
	pixtral      = "mistral.pixtral-large-2502-v1:0"
	titanEmbed   = "amazon.titan-embed-text-v2:0"
	cohere       = "cohere.command-r-v1:0"
	mute         = "ai21.j2-ultra-v1" // does not stream
)

// models are a few as models.json has them.
var models = map[inference.ModelID]inference.Model{
	sonnet4:      {ContextWindow: 200_000, MaxOutput: 64_000, Prefill: true, CountTokens: true, Caching: true, OutputBurndown: 5},
	sonnet35:     {ContextWindow: 200_000, MaxOutput: 8_192, Prefill: true, CountTokens: true, OutputBurndown: 1},
	haiku45:      {ContextWindow: 200_000, MaxOutput: 64_000, Prefill: true, OutputBurndown: 5},
	sonnet45:     {ContextWindow: 200_000, MaxOutput: 64_000, Prefill: true, OutputBurndown: 5},
	sonnet46:     {ContextWindow: 1_000_000, MaxOutput: 64_000, OutputBurndown: 5},
	opus48:       {ContextWindow: 1_000_000, MaxOutput: 128_000, OutputBurndown: 5},
	sonnet5:      {ContextWindow: 1_000_000, MaxOutput: 128_000, MaxOutputExcl: true, OutputBurndown: 5},
	novaPro:      {ContextWindow: 300_000, MaxOutput: 10_000, Prefill: true},
	titanText:    {ContextWindow: 8_192, MaxOutput: 8_192, Prefill: true},
	llama31:      {ContextWindow: 128_000, MaxOutput: 4_096},
	mistralLarge: {ContextWindow: 32_000, MaxOutput: 8_192},
	gptOSS:       {ContextWindow: 128_000, MaxOutput: 16_000},
	pixtral:      {ContextWindow: 128_000, MaxOutput: 8_192},
	titanEmbed:   {},
	cohere:       {},
	mute:         {},
}

func catalog(id inference.ModelID) (inference.Model, bool) {
	m, ok := models[id]
	m.ID, m.Streaming = id, id != mute
	return m, ok
}

func config() Config {
	return Config{
		Models: catalog,
		Tokens: func(m inference.ModelID) Tokenizer { return tokens.FamilyOf(m) },
		Speed:  Instant,
		Seed:   1,
	}
}

// body is a Messages body of one user message, with more keys put in front.
func body(text, more string) string {
	quoted, _ := json.Marshal(text)
	return `{"anthropic_version":"bedrock-2023-05-31",` + more + `"messages":[{"role":"user","content":` + string(quoted) + `}]}`
}

func request(model, body string) *inference.Request {
	return &inference.Request{Operation: inference.InvokeModel, Model: model, SourceRegion: singapore, Body: []byte(body)}
}

func target(region inference.Region, model string) inference.Target {
	return inference.Target{Region: region, Model: model, Simulated: true}
}

// answer is the first event that is more than a sign of life.
func answer(ctx context.Context, s inference.Stream) (inference.Event, error) {
	for {
		if event, err := s.Next(ctx); err != nil || !event.IsLifeSign() {
			return event, err
		}
	}
}

// invoke calls the world and decodes the answer.
func invoke(t testing.TB, w *World, region inference.Region, model, body string) (anthropic.Response, error) {
	t.Helper()
	s, err := w.Invoke(context.Background(), target(region, model), request(model, body))
	if err != nil {
		return anthropic.Response{}, err
	}
	defer s.Close()
	event, err := answer(context.Background(), s)
	if err != nil {
		return anthropic.Response{}, err
	}
	if _, err := s.Next(context.Background()); err != io.EOF {
		t.Fatalf("Next after the answer = %v, want io.EOF", err)
	}
	var r anthropic.Response
	if err := json.Unmarshal(event.Raw, &r); err != nil {
		t.Fatal(err)
	}
	if event.Usage.OutputTokens != r.Usage.OutputTokens || event.Usage.InputTokens != r.Usage.InputTokens {
		t.Errorf("event's usage = %+v, body's = %+v, want the same", event.Usage, r.Usage)
	}
	if m, _ := catalog(inference.ModelID(model)); event.Usage.Caching != m.Caching {
		t.Errorf("event's usage = %+v, want Caching to be the model's", event.Usage)
	}
	return r, nil
}

func TestConformance(t *testing.T) {
	upstreamtest.Run(t, func(*testing.T) upstreamtest.Subject {
		w := New(config())
		return upstreamtest.Subject{
			Upstream: w,
			Target:   target(tokyo, sonnet4),
			Hang:     func() { w.Set(tokyo, Hang) },
		}
	})
}

func TestAnswer(t *testing.T) {
	r, err := invoke(t, New(config()), singapore, sonnet4, body(prompt, `"max_tokens":1000,"temperature":0.4,`))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.ID, "msg_bdrk_01") || r.Type != "message" || r.Role != "assistant" || r.Model != "claude-sonnet-4-20250514" {
		t.Errorf("answer = %+v, want a message of claude-sonnet-4-20250514", r)
	}
	if r.StopReason != anthropic.EndTurn || r.StopSequence != nil || len(r.Content) != 1 {
		t.Errorf("stop = %s, %d parts, want end_turn and one", r.StopReason, len(r.Content))
	}
	if got, want := r.Usage.OutputTokens, tokens.Claude3.Text(*r.Content[0].Text); got != want {
		t.Errorf("output tokens = %d, want %d", got, want)
	}
}

func TestFaults(t *testing.T) {
	for fault, want := range map[Fault]inference.Error{
		Down:        {Kind: inference.ServiceUnavailable, Transport: true},
		Cut:         {Kind: inference.ServiceUnavailable, Transport: true},
		Throttle:    {Kind: inference.Throttling, Message: "Too many tokens, please wait before trying again."},
		ServerError: {Kind: inference.ServiceUnavailable, Message: "Bedrock is unable to process your request."},
	} {
		w := New(config())
		w.Set(singapore, fault)
		_, err := invoke(t, w, singapore, sonnet4, body(prompt, `"max_tokens":1000,`))
		got, ok := errors.AsType[*inference.Error](err)
		if !ok || got.Kind != want.Kind || got.Transport != want.Transport || got.Region != singapore {
			t.Errorf("%s: error = %v, want %s in %s", fault, err, want.Kind, singapore)
		} else if want.Message != "" && got.Message != want.Message {
			t.Errorf("%s: message = %q, want %q", fault, got.Message, want.Message)
		}
		if _, err := invoke(t, w, tokyo, sonnet4, body(prompt, `"max_tokens":1000,`)); err != nil {
			t.Errorf("%s: the other region fails too: %v", fault, err)
		}
		w.Set(singapore, Up)
		if _, err := invoke(t, w, singapore, sonnet4, body(prompt, `"max_tokens":1000,`)); err != nil {
			t.Errorf("after %s: %v", fault, err)
		}
	}
}

func TestParseFault(t *testing.T) {
	for _, f := range faults {
		if got, err := ParseFault(string(f)); got != f || err != nil {
			t.Errorf("ParseFault(%q) = %q, %v", f, got, err)
		}
	}
	_, err := ParseFault("broken")
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation {
		t.Errorf("ParseFault(broken) error = %v, want a validation error", err)
	}
}

// elapsed is how long a call takes, in the time of a synctest bubble.
func elapsed(t *testing.T, w *World, region inference.Region) time.Duration {
	t.Helper()
	start := time.Now()
	if _, err := invoke(t, w, region, sonnet4, body(prompt, `"max_tokens":1000,`)); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Speed = 1
		w := New(c)
		near, far := elapsed(t, w, singapore), elapsed(t, w, "sa-east-1")
		if near < time.Second || near > 10*time.Second {
			t.Errorf("a call within the region took %s, want a few seconds", near)
		}
		if again := elapsed(t, New(c), singapore); again != near {
			t.Errorf("the same first call took %s and %s, want the same", near, again)
		}
		if far <= 327*time.Millisecond {
			t.Errorf("a call to Brazil took %s, want more than the round trip", far)
		}
		c.Speed = 10
		if fast := elapsed(t, New(c), singapore); math.Abs(float64(fast)*10/float64(near)-1) > 0.01 {
			t.Errorf("at ten times the speed a call took %s, want a tenth of %s", fast, near)
		}
		slow := New(c)
		slow.Set(singapore, Slow)
		if got := elapsed(t, slow, singapore); got < near/2 {
			t.Errorf("a slow region at ten times the speed took %s, want about %s", got, near)
		}
	})
}

func TestDownDropsCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Speed = 1
		w := New(c)
		done := make(chan error)
		go func() {
			_, err := invoke(t, w, singapore, sonnet4, body(prompt, `"max_tokens":1000,`))
			done <- err
		}()
		synctest.Wait()
		if got := w.Status()[0].InFlight; got != 1 {
			t.Errorf("in flight = %d, want 1", got)
		}
		w.Set(singapore, Down)
		err := <-done
		if e, ok := errors.AsType[*inference.Error](err); !ok || !e.Transport {
			t.Errorf("error = %v, want a transport error", err)
		}
		if got := w.Status()[0].InFlight; got != 0 {
			t.Errorf("in flight after the call = %d, want 0", got)
		}
	})
}

func TestHangEndsWithDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(config())
		w.Set(singapore, Hang)
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		start := time.Now()
		_, err := w.Invoke(ctx, target(singapore, sonnet4), request(sonnet4, body(prompt, `"max_tokens":9,`)))
		if e, ok := errors.AsType[*inference.Error](err); !ok || !e.Transport || e.Kind != inference.ServiceUnavailable {
			t.Errorf("error = %v, want a transport error", err)
		}
		if got := time.Since(start); got != 12*time.Second {
			t.Errorf("hung for %s, want 12s", got)
		}
	})
}

func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := config()
		c.Quota = Quota{TokensPerMinute: 2_000}
		w := New(c)
		call := func(maxTokens string) error {
			_, err := invoke(t, w, singapore, sonnet4, body("hi there", `"max_tokens":`+maxTokens+`,`))
			return err
		}
		throttled := func(err error) bool {
			e, ok := errors.AsType[*inference.Error](err)
			return ok && e.Kind == inference.Throttling && e.Message == tooManyTokens
		}
		if err := call("2000"); !throttled(err) { // input + max_tokens does not fit
			t.Errorf("a call above the quota: %v, want throttling", err)
		}
		if err := call("1900"); err != nil {
			t.Fatalf("a call within the quota: %v", err)
		}
		status := w.Status()[0]
		q := status.Quotas[0]
		if q.Used < 500 || q.Used > 1500 || q.TokensPerMinute != 2000 || q.Scope != onDemand {
			t.Errorf("quota after one call = %+v, want input plus five times output of 2000 used", q)
		}
		if status.Throttled != 1 || status.Requests != 2 {
			t.Errorf("status = %+v, want 2 requests, 1 throttled", status)
		}
		if err := call("1900"); !throttled(err) {
			t.Errorf("a second call: %v, want throttling", err)
		}
		time.Sleep(time.Minute)
		if err := call("1900"); err != nil {
			t.Errorf("a call after a minute: %v", err)
		}
	})
}

func TestQuotaScopes(t *testing.T) {
	c := &call{model: inference.Model{ID: sonnet4}}
	for named, want := range map[string]string{
		sonnet4:             onDemand,
		"apac." + sonnet4:   crossRegion,
		"global." + sonnet4: global,
		"arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac." + sonnet4: crossRegion,
		"arn:aws:bedrock:ap-southeast-1::foundation-model/" + sonnet4:                   onDemand,
	} {
		if got := c.bucket(target(singapore, sonnet4), &inference.Request{Model: named}).scope; got != want {
			t.Errorf("scope of %q = %q, want %q", named, got, want)
		}
	}
}

func TestRequestsPerMinute(t *testing.T) {
	c := config()
	c.Quota = Quota{TokensPerMinute: -1, RequestsPerMinute: 1}
	w := New(c)
	if _, err := invoke(t, w, singapore, sonnet4, body("hi", `"max_tokens":10,`)); err != nil {
		t.Fatal(err)
	}
	_, err := invoke(t, w, singapore, sonnet4, body("hi", `"max_tokens":10,`))
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Message != tooManyRequests {
		t.Errorf("second call in a minute: %v, want %q", err, tooManyRequests)
	}
}

func TestReproducible(t *testing.T) {
	answers := func(seed uint64) string {
		c := config()
		c.Seed = seed
		w := New(c)
		var all []string
		for range 3 {
			r, err := invoke(t, w, singapore, sonnet4, body(prompt, `"max_tokens":100,`))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r.ID)
		}
		return strings.Join(all, " ")
	}
	if a, b := answers(7), answers(7); a != b {
		t.Errorf("ids of the same seed = %s and %s, want the same", a, b)
	}
	if a, b := answers(7), answers(8); a == b {
		t.Errorf("ids of two seeds are both %s", a)
	}
}

func BenchmarkInvoke(b *testing.B) {
	w := New(config())
	t, r := target(singapore, sonnet4), request("apac."+sonnet4, body(prompt, `"max_tokens":1000,"temperature":0.4,`))
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		s, err := w.Invoke(ctx, t, r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := answer(ctx, s); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

func BenchmarkStream(b *testing.B) {
	w := New(config())
	t, r := target(singapore, sonnet4), request("apac."+sonnet4, body(prompt, `"max_tokens":1000,"temperature":0.4,`))
	r.Operation = inference.InvokeModelWithResponseStream
	ctx := context.Background()
	events := 0
	b.ReportAllocs()
	for b.Loop() {
		s, err := w.Invoke(ctx, t, r)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = s.Next(ctx)
			events++
		}
		s.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
}

// TestConcurrentUse is for the race detector; what it can check by itself is that
// nothing is left behind.
func TestConcurrentUse(t *testing.T) {
	w := New(config())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 20 {
				w.Set(singapore, []Fault{Up, Down, Cut, Throttle}[i%4])
				if _, err := invoke(t, w, singapore, sonnet4, body(prompt, `"max_tokens":20,`)); err != nil && inference.AsError(err).Region != singapore {
					t.Errorf("error = %v, want one of %s", err, singapore)
				}
				w.Status()
			}
		})
	}
	wg.Wait()
	if got := w.Status()[0]; got.InFlight != 0 || got.Requests != 160 {
		t.Errorf("status = %+v, want 160 requests and none in flight", got)
	}
}
