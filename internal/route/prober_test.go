package route

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// A target that is well again is found by a probe, and calls need not be it. One that
// nobody has used of late is not probed.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{regions: map[inference.Region]behaviour{"a": unavail, "b": sends(whole), "c": sends(whole)}}
		r := New(Config{Upstream: w, Breaker: BreakerConfig{Failures: 1, OpenFor: 5 * time.Second}})
		trip(r, "c", time.Now())
		time.Sleep(time.Hour)
		got, err := run(t.Context(), r, request, targets("a", "b"))
		if err != nil {
			t.Fatal(err)
		}
		got.Stream.Close()

		var made []Probed
		probes := Probes{
			Made:  func(p Probed) { made = append(made, p) },
			Every: time.Second, Budget: inference.Dollar,
			Cost:  func(inference.Target) inference.Money { return 1 },
			Build: func(inference.Target) *inference.Request { return request },
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { r.Probe(ctx, probes); close(ended) }()
		time.Sleep(8 * time.Second) // the first probe, at 5 s or 6 s, fails
		if s := r.States(time.Now())[0]; s.State != Open {
			t.Errorf("state of a after a probe failed = %s, want open", s.State)
		}
		w.set("a", sends(whole))
		time.Sleep(10 * time.Second)
		if s := r.States(time.Now())[0]; s.State != Closed {
			t.Errorf("state of a after a probe succeeded = %s, want closed", s.State)
		}
		cancel()
		<-ended
		if len(made) != 2 || made[0].Failure == nil || made[1].Failure != nil || made[1].Usage.OutputTokens == 0 {
			t.Errorf("told of %+v, want a probe that failed and one that answered", made)
		}
		if want := []inference.Region{"a", "b", "a", "a"}; !slices.Equal(w.called, want) {
			t.Errorf("called %v, want %v", w.called, want)
		}
	})
}

// Probes stay within their budget of a day.
func TestPurse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day, now, spent := inference.Money(rapid.IntRange(0, 1000).Draw(t, "a day")), epoch, inference.Money(0)
		var p purse
		for range rapid.IntRange(1, 100).Draw(t, "probes") {
			now = now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes")) * time.Minute)
			cost := inference.Money(rapid.IntRange(0, 300).Draw(t, "cost"))
			if p.pay(cost, day, now) {
				spent += cost
			}
			if most := float64(day) * (1 + now.Sub(epoch).Hours()/24); float64(spent) > most {
				t.Fatalf("spent %d in %s, want at most %f of %d a day", spent, now.Sub(epoch), most, day)
			}
		}
	})
}
