package budget

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
)

func TestNearing(t *testing.T) {
	b := New(Config{Now: newClock().now, Budgets: []Budget{
		{Name: "soft", Principals: []string{"*"}, TokensPerMinute: 100, RequestsPerMinute: 1000, Soft: 80},
		{Name: "silent", Principals: []string{"*"}, TokensPerMinute: 100},
	}})
	for _, test := range []struct {
		tokens int
		want   string
	}{{79, "[]"}, {1, "[{soft tokens_per_minute 80}]"}, {20, "[{soft tokens_per_minute 100}]"}} {
		want(t, "nearing", fmt.Sprint(reserve(t, b, call(sonnet, test.tokens, 0)).Nearing), test.want)
	}
}

// posted is a webhook in memory: it answers what it is told to, in order, then 204.
type posted struct {
	mu      sync.Mutex
	answers []func() (*http.Response, error)
	bodies  []string
	at      []time.Time
}

func (p *posted) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bodies = append(p.bodies, fmt.Sprintf("%s %s %s", r.Method, r.URL, body))
	p.at = append(p.at, time.Now())
	if len(p.answers) == 0 {
		return answer(http.StatusNoContent)()
	}
	next := p.answers[0]
	p.answers = p.answers[1:]
	return next()
}

func answer(status int) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		w := httptest.NewRecorder()
		w.Header().Set("Location", "http://elsewhere.example/")
		w.WriteHeader(status)
		return w.Result(), nil
	}
}

func drops() (*http.Response, error) { return nil, errors.New("connection refused") }

// TestNotices tells once of the soft threshold and once of a refusal, in the log and to
// the webhook.
func TestNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hook, log := &posted{answers: []func() (*http.Response, error){drops, answer(503)}}, &bytes.Buffer{}
		b := New(Config{
			Transport: hook, Log: slog.New(slog.NewTextHandler(log, nil)),
			Budgets: []Budget{{Name: "b", Users: []string{"*"}, Per: PerUser, DollarsPerDay: 10 * inference.Dollar, Soft: 80, Webhook: "https://hooks.example/secret"}},
		})
		ctx, cancel := context.WithCancel(t.Context())
		go b.Run(ctx)
		spend := func(most, cost inference.Money) {
			a := call(sonnet, 0, most)
			a.Caller.ID = "id-1"
			b.Settle(ended(a, reserve(t, b, a), 0, cost))
		}
		spend(9*inference.Dollar, inference.Dollar) // what is only reserved alarms nobody
		synctest.Wait()
		want(t, "log", log.String(), "")
		spend(inference.Dollar*75/10, inference.Dollar*75/10)
		spend(inference.Dollar, inference.Dollar)
		for range 2 {
			a := call(sonnet, 0, inference.Dollar)
			a.Caller.ID = "id-1"
			refused(t, b, a, inference.ServiceQuotaExceeded)
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		const soft, hard = `{"budget":"b","pot":"id-1","measure":"dollars_per_day","limit":"10","spent":"8.5","percent":85,"window_ends":"2000-01-02T00:00:00Z","hard":false}`,
			`{"budget":"b","pot":"id-1","measure":"dollars_per_day","limit":"10","spent":"9.5","percent":95,"window_ends":"2000-01-02T00:00:00Z","hard":true}`
		got := map[string]int{}
		for _, body := range hook.bodies {
			got[body]++
		}
		const to = "POST https://hooks.example/secret "
		if len(hook.bodies) != 4 || got[to+soft]+got[to+hard] != 4 {
			t.Errorf("posted %q, want\n%s and\n%s, one again after each of the two failures", hook.bodies, soft, hard)
		}
		for _, line := range []string{"budget near its limit", "budget refuses calls"} {
			if got := strings.Count(log.String(), line); got != 1 {
				t.Errorf("%q was logged %d times, want once:\n%s", line, got, log)
			}
		}
		cancel()
		synctest.Wait()
	})
}

func TestWebhookTries(t *testing.T) {
	type answers = []func() (*http.Response, error)
	for _, test := range []struct {
		answers answers
		posts   int
		took    time.Duration
		want    string
	}{
		{answers{answer(200)}, 1, 0, "<nil>"},
		{answers{drops, answer(429), answer(500)}, 4, 7 * time.Second, "<nil>"},
		{answers{drops, drops, drops, drops}, 4, 7 * time.Second, "post webhook: connection refused"},
		{answers{answer(404)}, 1, 0, "post webhook: answered 404 Not Found"},
		{answers{answer(307)}, 1, 0, "post webhook: answered 307 Temporary Redirect"},
	} {
		synctest.Test(t, func(t *testing.T) {
			hook := &posted{answers: test.answers}
			b := New(Config{Transport: hook})
			start := time.Now()
			err := b.deliver(t.Context(), &notice{Limit: "1", Spent: "1", webhook: "https://hooks.example/secret"})
			if took := time.Since(start); fmt.Sprint(err) != test.want || len(hook.bodies) != test.posts || took != test.took {
				t.Errorf("deliver = %v with %d posts in %v, want %s with %d in %v", err, len(hook.bodies), took, test.want, test.posts, test.took)
			}
		})
	}
}

// TestNoticesNeverBlock refuses calls of more pots than notices are kept of.
func TestNoticesNeverBlock(t *testing.T) {
	log := &bytes.Buffer{}
	b := New(Config{
		Now: newClock().now, Log: slog.New(slog.NewTextHandler(log, nil)),
		Budgets: []Budget{{Name: "b", Users: []string{"*"}, Per: PerUser, RequestsPerMinute: 1, Soft: 80}},
	})
	for i := range 2 * queued {
		a := call(sonnet, 0, 0)
		a.Caller.ID = fmt.Sprint("id-", i)
		b.Settle(ended(a, reserve(t, b, a), 0, 0))
	}
	b.complain()
	if want := fmt.Sprintf("lost=%d", queued); !strings.Contains(log.String(), want) {
		t.Errorf("log = %s, want %s", log, want)
	}
}

func TestPercent(t *testing.T) {
	const most = 1<<63 - 1
	for _, test := range []struct {
		n, limit int64
		want     int
	}{{0, 10, 0}, {-5, 10, 0}, {5, 0, 0}, {799, 1000, 79}, {800, 1000, 80}, {15, 10, 150}, {most, most, 100}, {most, 1, 1_000_000}} {
		if got := inference.Percent(test.n, test.limit); got != test.want {
			t.Errorf("percent(%d, %d) = %d, want %d", test.n, test.limit, got, test.want)
		}
	}
}
