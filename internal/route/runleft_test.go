package route

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// What was given up before its first content has used what it told, else the prompt,
// unless it was asked for a moment only. What refuses has used nothing, also when it is
// late.
func TestLeftBeforeContent(t *testing.T) {
	told := &inference.Usage{InputTokens: 7, OutputTokens: 1}
	begun := inference.Event{Raw: []byte("start"), Usage: told}
	prompt := &inference.Usage{InputTokens: 50}
	const ms = time.Millisecond
	for _, test := range []struct {
		name    string
		region  behaviour
		config  Config
		patient time.Duration // the caller, 0 as long as it takes
		used    *inference.Usage
		guessed bool
	}{
		{"the caller leaves", hangs, Config{}, 1500 * ms, prompt, true},
		{"the caller leaves what has begun", stalls(begun), Config{}, 1500 * ms, told, false},
		{"the caller leaves what shows life", stalls(start), Config{}, 100 * ms, prompt, true},
		{"the caller leaves at once", hangs, Config{}, 100 * ms, nil, false},
		{"no sign of life", hangs, Config{AttemptTimeout: time.Second}, 0, prompt, true},
		{"no content", stalls(begun), Config{FirstContent: time.Second}, 0, told, false},
		{"the call takes too long", hangs, Config{AttemptTimeout: time.Minute, CallTimeout: time.Second}, 0, prompt, true},
		{"a refusal", lately(time.Second), Config{}, 0, nil, false},
		{"a refusal as the caller leaves", func(ctx context.Context) (inference.Stream, error) { <-ctx.Done(); return invalid(ctx) }, Config{}, time.Second, nil, false},
		{"a connection that breaks", paces(step{time.Second, start}), Config{}, 0, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test.config.Upstream = &world{regions: map[inference.Region]behaviour{"a": test.region}}
				test.config.MaxAttempts = 1
				call := callOf(streamed)
				call.Outline = func() inference.Outline { return inference.Outline{InputTokens: 50} }
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.patient > 0 {
					time.AfterFunc(test.patient, cancel)
				}
				got, err := New(test.config).Run(ctx, streamed, call, choose(targets("a")...))
				if err == nil || len(got.Attempts()) != 1 {
					t.Fatalf("Run() = %v after %d attempts, want a failure after one", err, len(got.Attempts()))
				}
				if diff := cmp.Diff(test.used, got.Attempts()[0].Usage); diff != "" {
					t.Errorf("usage of the attempt (-want +got):\n%s", diff)
				}
				want := inference.Usage{}
				if test.used != nil {
					want = *test.used
				}
				if wasted, guessed := got.Wasted(); wasted != want || guessed != test.guessed {
					t.Errorf("Wasted() = %+v, guessed %t, want %+v, %t", wasted, guessed, want, test.guessed)
				}
			})
		})
	}
}
