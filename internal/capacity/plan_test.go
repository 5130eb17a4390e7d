package capacity

import (
	"testing"

	"pgregory.net/rapid"
)

// drawn is a demand at random.
func drawn(t *rapid.T) (Demand, *Quote) {
	q := &Quote{High: rapid.IntRange(1, 100_000).Draw(t, "input"), Output: rapid.IntRange(1, 8_000).Draw(t, "output")}
	q.MaxTokens = q.Output + rapid.IntRange(0, 60_000).Draw(t, "room")
	load := Load{PerMinute: rapid.Float64Range(0.01, 1e5).Draw(t, "rate"), Seconds: rapid.Float64Range(0.5, 120).Draw(t, "seconds")}
	return demand(q, rapid.SampledFrom([]int{1, 5, 10}).Draw(t, "burndown"), load), q
}

// TestDemandByHand is the example of the quota page (facts bedrock.md 2.2), 60 times a minute.
func TestDemandByHand(t *testing.T) {
	d := demand(&Quote{High: 4_000, Output: 1_000, MaxTokens: 32_000}, 5, Load{PerMinute: 60, Seconds: 10})
	if d.Reserved != 36_000 || d.Burnt != 9_000 || d.InFlight != 10 || d.Input != 240_000 || d.Output != 60_000 {
		t.Errorf("demand %+v", d)
	}
	// 60 calls and 3 times the root of 60 burn 9,000 each; 10 in flight hold 27,000 more.
	if want := 540_000 + 209_142 + 270_000; d.Needed < want-1 || d.Needed > want+1 {
		t.Errorf("%d tokens a minute are needed, want %d", d.Needed, want)
	}
}

// TestMoreQuotaNeedsNoMore: with more quota no more regions are needed, and with more
// regions each needs no more.
func TestMoreQuotaNeedsNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, _ := drawn(t)
		quota := rapid.IntRange(1, 100_000_000).Draw(t, "quota")
		more := quota + rapid.IntRange(0, 100_000_000).Draw(t, "more")
		n, ok := d.targets(quota)
		fewer, still := d.targets(more)
		if ok && (!still || fewer > n) {
			t.Fatalf("%d tokens a minute need %d targets, %d need %d", quota, n, more, fewer)
		}
		if ok && d.needs(n) > quota || ok && n > 1 && d.needs(n-1) <= quota {
			t.Fatalf("%d targets need %d of %d each, one fewer %d", n, d.needs(n), quota, d.needs(n-1))
		}
		if !ok && d.needs(maxTargets) <= quota {
			t.Fatalf("no plan, but %d targets need %d of %d", maxTargets, d.needs(maxTargets), quota)
		}
	})
}

// TestPlanSpreads: regions and accounts together are as many as are needed.
func TestPlanSpreads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Plan{Quotas: make([]RegionQuota, rapid.IntRange(1, 9).Draw(t, "regions"))}
		p.Demand, _ = drawn(t)
		p.Quota = rapid.IntRange(1, 10_000_000).Draw(t, "quota")
		p.spread()
		n, ok := p.Demand.targets(p.Quota)
		if !ok {
			if p.Regions != 0 || p.Accounts != 0 {
				t.Fatalf("%d regions and %d accounts, want none", p.Regions, p.Accounts)
			}
			return
		}
		if p.Regions > len(p.Quotas) || p.Regions*p.Accounts < n || (p.Regions-1)*p.Accounts >= n || p.Regions*(p.Accounts-1) >= max(n, 1) && p.Regions < len(p.Quotas) {
			t.Fatalf("%d regions of %d in %d accounts for %d targets", p.Regions, len(p.Quotas), p.Accounts, n)
		}
	})
}

// TestPlan: what is recommended throttles next to nothing, and less throttles more.
func TestPlan(t *testing.T) {
	d := newDesk()
	called, q := quoted(t, d, sonnet4, Asked{Output: 300})
	load := Load{PerMinute: 400, Seconds: q.SecondsPerCall()}
	p, err := d.Plan(t.Context(), called, &q, load, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p.Basis != Default || p.Quota != 200_000 || len(p.Quotas) != len(called.Destinations) || p.Quotas[0].Region != called.SourceRegion {
		t.Fatalf("plan %+v", p)
	}
	if p.Regions < 4 || p.Regions > 6 || p.Accounts != 1 {
		t.Errorf("%d regions in %d accounts, want about 700,000 tokens a minute in parts of 200,000", p.Regions, p.Accounts)
	}
	if p.Recommended.Failed > 0.001 || p.Recommended.Throttled > 0.02 {
		t.Errorf("as recommended %.3f are throttled and %.3f fail", p.Recommended.Throttled, p.Recommended.Failed)
	}
	if p.Alone.Failed < 0.5 {
		t.Errorf("alone %.3f fail, want most", p.Alone.Failed)
	}
	enough, err := d.Plan(t.Context(), called, &q, load, 2_000_000)
	if err != nil {
		t.Fatal(err)
	}
	if enough.Regions != 1 || enough.Recommended != enough.Alone || enough.Alone.Failed > 0 || enough.Basis != Given {
		t.Errorf("with 2,000,000 a minute: %+v", enough)
	}
	few, err := d.Plan(t.Context(), called, &q, load, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if few.Regions != 0 || few.Alone.Failed != 1 {
		t.Errorf("with 1000 a minute no call gets in: %+v, %+v", few, few.Alone)
	}
}

func TestPlanOfUnknownQuota(t *testing.T) {
	d := newDesk()
	called, q := quoted(t, d, "amazon.nova-pro-v1:0", Asked{})
	p, err := d.Plan(t.Context(), called, &q, Load{PerMinute: 60, Seconds: 5}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p.Basis != Unknown || p.Alone != nil || p.Recommended != nil || p.Quotas[0].Needed != p.Demand.Needed {
		t.Errorf("plan %+v", p)
	}
	if want := "On-demand InvokeModel tokens per minute for Nova Pro"; p.Quotas[0].Name != want {
		t.Errorf("quota %q, want %q", p.Quotas[0].Name, want)
	}
}
