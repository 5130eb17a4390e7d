package route

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// A budget gives no more than calls and time have earned, and what it holds at first;
// and no less, as long as it was not saved up for longer than it holds.
func TestBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share, rate := rapid.Float64Range(0, 1).Draw(t, "share"), rapid.Float64Range(0, 10).Draw(t, "rate")
		b, now, earned, spent := new(budget), epoch, 0.0, 0
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				b.earn(share)
				earned += share
			case 1:
				now = now.Add(time.Duration(rapid.IntRange(0, 2000).Draw(t, "ms")) * time.Millisecond)
			case 2:
				leave, had := rapid.SampledFrom([]float64{0, spare}).Draw(t, "leave"), burst-b.spent
				if b.spend(rate, leave, now) {
					spent++
					if had := burst - b.spent; had < leave {
						t.Fatalf("spend() leaves %f tokens of %f", had, leave)
					}
				} else if had >= 1+leave {
					t.Fatalf("spend() = false with %f tokens", had)
				}
			}
			if most := burst + earned + rate*now.Sub(epoch).Seconds(); float64(spent) > most+1e-6 {
				t.Fatalf("spent %d, want at most %f", spent, most)
			}
		}
	})
}

func TestBackoff(t *testing.T) {
	for round := int32(2); round < 12; round++ {
		longest, most := time.Duration(0), min(leastBackoff<<min(round-2, 10), mostBackoff)
		for seed := range uint64(1000) {
			d := backoff(round, seed)
			longest = max(longest, d)
			if d <= 0 || d > most+time.Millisecond {
				t.Fatalf("backoff(%d) = %s, want up to %s", round, d, most)
			}
		}
		if longest < most*9/10 {
			t.Errorf("backoff(%d) is at most %s of %s in 1,000 calls, want jitter up to all of it", round, longest, most)
		}
	}
}

// A call outlives an outage of all targets that is shorter than it may wait, and its
// wait ends with its caller.
func TestRunWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{regions: map[inference.Region]behaviour{"a": unavail, "b": throttles(3 * time.Second)}}
		r := New(Config{Upstream: w, Retry: Retry{Budget: 1, Reserve: 10, Wait: 20 * time.Second}})
		time.AfterFunc(4*time.Second, func() { w.set("b", sends(whole)); w.set("a", sends(whole)) })
		began := time.Now()
		got, err := run(t.Context(), r, request, targets("a", "b"))
		if waited := time.Since(began); err != nil || waited < 4*time.Second {
			t.Fatalf("Run() with an outage of 4s = %v after %s, want an answer", err, waited)
		}
		if _, err := read(t, got.Stream); err != io.EOF {
			t.Errorf("stream error = %v, want EOF", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Upstream: &world{regions: map[inference.Region]behaviour{"a": throttles(10 * time.Second)}}, Retry: Retry{Budget: 1, Wait: time.Minute}})
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		began := time.Now()
		got, err := run(ctx, r, request, targets("a"))
		if waited := time.Since(began); inference.AsError(err).Kind != inference.Canceled || waited != time.Second || len(got.Attempts()) != 1 {
			t.Errorf("Run() = %v after %s and %d attempts, want Canceled after 1s and one", err, waited, len(got.Attempts()))
		}
	})
}

// A call ends when it has taken too long, before its answer or in the middle of it, and
// no target is blamed.
func TestCallTimeout(t *testing.T) {
	for name, answer := range map[string]behaviour{
		"no answer": hangs,
		"answering": func(ctx context.Context) (inference.Stream, error) {
			return &paced{ctx, []step{{0, content}, {time.Hour, final}}}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := New(Config{Upstream: &world{regions: map[inference.Region]behaviour{"a": answer}}, CallTimeout: 5 * time.Second, ChunkTimeout: time.Minute})
				began := time.Now()
				got, err := run(t.Context(), r, streamed, targets("a"))
				if err == nil {
					_, err = read(t, got.Stream)
				}
				e, ok := errors.AsType[*inference.Error](err)
				if waited := time.Since(began); !ok || e.Kind != inference.ServiceUnavailable || e.Status() != 503 || waited != 5*time.Second {
					t.Errorf("the call ends with %v after %s, want ServiceUnavailableException after 5s", err, waited)
				}
				if s := r.States(time.Now())[0]; s.Failures != 0 || s.InFlight != 0 {
					t.Errorf("state of a = %+v, want no failure and nothing in flight", s)
				}
			})
		})
	}
}

// What was spent stays spent when the settings change: calls of dead targets make the
// one attempt that is free, and those that the budget has for others.
func TestBudgetsSurviveNewSettings(t *testing.T) {
	config := Config{Upstream: &world{regions: map[inference.Region]behaviour{"a": unavail, "b": unavail}}, Retry: Retry{Budget: 0.001}}
	r := New(config)
	attempts := 0
	for range 20 {
		got, _ := run(t.Context(), r, request, targets("a", "b"))
		attempts += len(got.Attempts())
		r = r.Reconfigured(config)
	}
	if want := 20 + r.health.config.Failures + burst - spare; attempts != want {
		t.Errorf("20 calls of two dead targets made %d attempts, want %d", attempts, want)
	}
}
