package route

import (
	"testing"
	"time"

	"fairway/internal/inference"
)

// One call in so many goes to the target that was seen longest ago, also of those that
// are planned together, before any of them is answered.
func TestLooksAroundOnceInAWhile(t *testing.T) {
	for answers := 256; answers < 256+lookEvery; answers++ {
		r := New(Config{})
		for range answers {
			r.health.guard(bare("a")).load.seen(true, 300*time.Millisecond, epoch)
		}
		for range 32 {
			r.health.guard(bare("far")).load.seen(true, 3*time.Second, epoch.Add(-time.Minute))
		}
		grant := granted("a", "far")
		grant.Shared = true
		away := 0
		for seed := range uint64(10 * lookEvery) {
			call := plain(r, grant)
			call.Policy, call.Streams, call.Seed = inference.Adaptive, true, seed
			if r.Plan(nil, call, epoch)[0].Target.Region != "a" {
				away++
			}
		}
		if away < 3 || away > 24 {
			t.Errorf("after %d answers: %d of %d calls that were planned before the next answer went to the far target, want about 10", answers, away, 10*lookEvery)
		}
	}
}
