package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// seamless goes on with every answer by asking the same again, and adds up the usage of
// the legs.
type seamless struct {
	request *inference.Request
	spent   inference.Usage
}

func (s *seamless) Follow(r *inference.Request, _ inference.ModelID, _ bool) route.Thread {
	s.request = r
	return s
}

func (s *seamless) Sent(e inference.Event) {
	if e.Usage != nil {
		s.spent = *e.Usage
	}
}

func (s *seamless) Cut() (*inference.Request, []inference.Event, bool) { return s.request, nil, true }

func (s *seamless) Join(e inference.Event) ([]inference.Event, error) {
	if e.Usage != nil {
		all := inference.Usage{InputTokens: s.spent.InputTokens + e.Usage.InputTokens, OutputTokens: s.spent.OutputTokens + e.Usage.OutputTokens}
		e.Usage = &all
	}
	return []inference.Event{e}, nil
}

func (s *seamless) Spent() inference.Usage { return s.spent }

// TestContinued: the record tells who went on, where the answer ended, and what both
// used, once.
func TestContinued(t *testing.T) {
	all := everything
	all.Actions = []string{"bedrock:*"}
	l := newLine(t, nil, ticking(), all)
	l.Router = route.New(route.Config{
		Upstream:  regions{source: sends(begun, content), tokyo: sends(begun, content, ended)},
		Continuer: &seamless{}, Simulated: true,
	})
	r := request("id")
	r.Operation, r.Steering.OnCut = inference.ConverseStream, inference.ContinueOnCut
	stream, record, err := l.Invoke(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if record.DestinationRegion != source || record.Continued != 0 {
		t.Errorf("before the cut: record of %s, continued %d times, want %s", record.DestinationRegion, record.Continued, source)
	}
	if err := read(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	if record.DestinationRegion != tokyo || record.Continued != 1 || record.Outcome != inference.OK {
		t.Errorf("record of %s, continued %d times, %s, want %s, once, ok", record.DestinationRegion, record.Continued, record.Outcome, tokyo)
	}
	if len(record.Attempts) != 2 || !record.Attempts[0].Cut || *record.Attempts[0].Usage != some || record.Attempts[1].Outcome != inference.OK {
		t.Errorf("attempts = %+v, want one that was cut after %+v and one that went on", record.Attempts, some)
	}
	both := inference.Usage{InputTokens: some.InputTokens + spent.InputTokens, OutputTokens: some.OutputTokens + spent.OutputTokens}
	if want := inference.Money(3000*both.InputTokens + 15000*both.OutputTokens); record.Usage != both || record.Cost != want {
		t.Errorf("usage %+v at %s, want %+v at %s", record.Usage, record.Cost, both, want)
	}
}

// TestHedged: what the slower one used is in the record and in the cost.
func TestHedged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spans := tracetest.NewSpanRecorder()
		provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(spans))
		defer provider.Shutdown(t.Context())
		l := newLine(t, nil, time.Now, everything)
		l.Outline = func(*inference.Request, inference.ModelID) inference.Outline {
			return inference.Outline{InputTokens: 100}
		}
		l.Router = route.New(route.Config{
			Upstream:  regions{source: hangs},
			Hedge:     route.Hedge{Budget: 1, Least: time.Second},
			Simulated: true,
			Tracer:    provider.Tracer("test"),
		})
		stream, record, err := l.Invoke(t.Context(), request("id"))
		if err != nil {
			t.Fatal(err)
		}
		if err := read(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
		if len(record.Attempts) != 2 || !record.Attempts[1].Hedge || record.Attempts[1].Outcome != inference.OK || record.Attempts[0].Kind != inference.Canceled {
			t.Fatalf("attempts = %+v, want one that was given up and a hedge that answered", record.Attempts)
		}
		if want := record.Attempts[1].Region; record.DestinationRegion != want || want == source {
			t.Errorf("record of %s, want the hedge's %s", record.DestinationRegion, want)
		}
		hedges := 0
		for _, span := range spans.Ended() {
			if hedge, ok := attributes(span)["fairway.hedge"]; ok {
				hedges++
				if hedge != "true" || attributes(span)["fairway.outcome"] != "ok" {
					t.Errorf("span of %v, want the hedge that answered", attributes(span))
				}
			}
		}
		if hedges != 1 {
			t.Errorf("%d spans of hedges, want one", hedges)
		}
		wasted := inference.Usage{InputTokens: 100}
		if record.Wasted != wasted || record.Usage != spent || record.Cost != 6_000_000+300_000 {
			t.Errorf("wasted %+v beside %+v at %s, want %+v beside %+v at 0.0063", record.Wasted, record.Usage, record.Cost, wasted, spent)
		}
	})
}

// TestRetryAfterIsPassedOn through the line, where no target is left.
func TestRetryAfterIsPassedOn(t *testing.T) {
	everywhere := regions{}
	for _, r := range destinations {
		everywhere[r] = func(context.Context) (inference.Stream, error) {
			return nil, &inference.Error{Kind: inference.Throttling, Message: "slow down", RetryAfter: 7 * time.Second}
		}
	}
	l := newLine(t, everywhere, ticking(), everything)
	_, record, err := l.Invoke(t.Context(), request("id"))
	if e := inference.AsError(err); e.Kind != inference.Throttling || e.RetryAfter.Round(time.Second) != 7*time.Second || len(record.Attempts) != len(destinations) {
		t.Errorf("Invoke = %v to be tried again after %s, %d attempts, want Throttling, 7s, %d", err, e.RetryAfter, len(record.Attempts), len(destinations))
	}
}

// TestDeadline: a call waits for no target beyond when its caller stops waiting.
func TestDeadline(t *testing.T) {
	for deadline, attempts := range map[time.Duration]int{0: len(destinations) + 1, time.Hour: len(destinations) + 1, 5 * time.Second: len(destinations)} {
		synctest.Test(t, func(t *testing.T) {
			began, everywhere := time.Now(), regions{}
			for _, r := range destinations {
				everywhere[r] = func(ctx context.Context) (inference.Stream, error) {
					if time.Since(began) < 20*time.Second {
						return nil, &inference.Error{Kind: inference.Throttling, Message: "slow down", RetryAfter: 20 * time.Second}
					}
					return sends(whole)(ctx)
				}
			}
			l := newLine(t, everywhere, time.Now, everything)
			l.Router = route.New(route.Config{Upstream: everywhere, Simulated: true, Retry: route.Retry{Budget: 1, Reserve: 100, Wait: time.Minute}})
			r := request("id")
			if deadline > 0 {
				r.Deadline = began.Add(deadline)
			}
			stream, record, err := l.Invoke(t.Context(), r)
			if stream != nil {
				stream.Close()
			}
			if waited := time.Since(began) >= 20*time.Second; len(record.Attempts) != attempts || waited != (err == nil) || waited != (deadline != 5*time.Second) {
				t.Errorf("with %s: %d attempts in %s, %v, want %d", deadline, len(record.Attempts), time.Since(began), err, attempts)
			}
		})
	}
}
