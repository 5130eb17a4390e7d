package route

import (
	"encoding/json"
	"testing"
	"time"
)

// The JSON of a target's state is the admin API's.
func TestTargetState(t *testing.T) {
	r, target := New(Config{}), targets("a")[0]
	g := r.health.guard(target)
	if states := r.States(epoch); len(states) != 0 {
		t.Errorf("States() = %+v before any call, want none", states)
	}
	g.bucket.configure(Quota{TokensPerMinute: 6000}, Whole, epoch)
	g.answered(g.force(), true, epoch, 300*time.Millisecond, epoch)
	g.enter(1500, epoch)
	const want = `[{"region":"a","model":"` + model + `","state":"closed","failures":0,"in_flight":1,` +
		`"first_content_ms":300,"quota_left":0.75,"tokens_per_minute":6000}]`
	if got, err := json.Marshal(r.States(epoch)); err != nil || string(got) != want {
		t.Errorf("States() = %s, %v, want %s", got, err, want)
	}
	g.throttled(0, epoch)
	if s := r.States(epoch)[0]; !s.QuotaLearned || s.TokensPerMinute >= 6000 || *s.QuotaLeft != 0 || s.State != Closed {
		t.Errorf("state after a throttle = %+v, want a lower limit that is learned, nothing left, and the breaker closed", s)
	}
}
