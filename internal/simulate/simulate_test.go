package simulate

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"fairway/internal/inference"
)

// simulated runs a scenario and makes sure that every call ended, once.
func simulated(t testing.TB, s *Scenario, o Options) map[inference.Policy]Result {
	t.Helper()
	report, err := Run(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	results := map[inference.Policy]Result{}
	for _, r := range report.Policies {
		results[r.Policy] = r
		conserved(t, r)
	}
	return results
}

// conserved checks that every call has come to one end, and what counts add up to.
func conserved(t testing.TB, r Result) {
	t.Helper()
	if r.left != 0 {
		t.Errorf("%s: %d calls and attempts are left in flight", r.Policy, r.left)
	}
	if r.Good+r.Failed+r.Refused > r.Calls {
		t.Errorf("%s: %d good, %d failed and %d refused of %d calls", r.Policy, r.Good, r.Failed, r.Refused, r.Calls)
	}
	if most := r.Calls - r.Refused + r.Failovers + r.Hedges; r.Attempts > most {
		t.Errorf("%s: %d attempts, want at most %d", r.Policy, r.Attempts, most)
	}
	calls, failed, kinds, refused, limits := 0, 0, 0, 0, 0
	for _, p := range r.Series {
		calls += p.Calls
		failed += p.Failed
		refused += p.Refused
	}
	for _, n := range r.Refusals {
		limits += n
	}
	if refused != r.Refused || limits != r.Refused {
		t.Errorf("%s: series has %d refused, limits %d; want %d", r.Policy, refused, limits, r.Refused)
	}
	for _, n := range r.Failures {
		kinds += n
	}
	if calls != r.Calls || failed != r.Failed || kinds != r.Failed {
		t.Errorf("%s: series has %d calls and %d failed, kinds %d; want %d, %d and %[6]d", r.Policy, calls, failed, kinds, r.Calls, r.Failed)
	}
}

func shipped(t testing.TB, name string) *Scenario {
	t.Helper()
	s, ok := Named(name)
	if !ok {
		t.Fatalf("no scenario %q", name)
	}
	return s
}

func parsed(t testing.TB, text string) *Scenario {
	t.Helper()
	s, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShippedScenariosSayWhatTheyShow(t *testing.T) {
	names := []string{}
	for _, s := range Shipped() {
		names = append(names, s.Name)
		if s.About == "" {
			t.Errorf("%s does not say what it shows", s.Name)
		}
	}
	if diff := cmp.Diff([]string{"brownout", "budgets", "diurnal", "flap", "quota-squeeze", "region-out"}, names); diff != "" {
		t.Errorf("Shipped (-want +got):\n%s", diff)
	}
}

func TestSameSeedSameResult(t *testing.T) {
	for _, name := range []string{"region-out", "quota-squeeze"} {
		s := shipped(t, name)
		one, again := simulated(t, s, Options{}), simulated(t, s, Options{})
		if diff := cmp.Diff(one, again, cmpopts.IgnoreUnexported(Result{})); diff != "" {
			t.Errorf("%s differs from run to run:\n%s", name, diff)
		}
		other := s.Seed + 1
		if cmp.Equal(one, simulated(t, s, Options{Seed: &other}), cmpopts.IgnoreUnexported(Result{})) {
			t.Errorf("%s is the same with another seed", name)
		}
	}
}

func TestNoFaultNoFailover(t *testing.T) {
	s := parsed(t, least+"sessions: {share: 0.5}\nduration: 5m\n")
	s.Policies = []inference.Policy{
		inference.Adaptive, inference.Ordered, inference.RoundRobin, inference.LeastLoad,
		inference.Latency, inference.Weighted, inference.Cost,
	}
	for p, r := range simulated(t, s, Options{}) {
		if r.Calls < 500 || r.Failed > 0 || r.Failovers > 0 || r.Throttled > 0 {
			t.Errorf("%s: %d calls, %d failed, %d failovers, %d throttled", p, r.Calls, r.Failed, r.Failovers, r.Throttled)
		}
	}
}

// TestRegionOut wants a region that is down to cost callers nothing but time.
func TestRegionOut(t *testing.T) {
	for p, r := range simulated(t, shipped(t, "region-out"), Options{}) {
		if r.Failed > 0 || r.Calls < 10_000 {
			t.Errorf("%s: %d of %d calls failed: %v", p, r.Failed, r.Calls, r.Failures)
		}
		if r.Failovers == 0 {
			t.Errorf("%s: no failover", p)
		}
	}
}

// TestCutWithoutContinuation makes sure that the simulation can fail.
func TestCutWithoutContinuation(t *testing.T) {
	s := shipped(t, "region-out")
	s.Route.Continue = false
	r := simulated(t, s, Options{Policies: []inference.Policy{inference.Ordered}})[inference.Ordered]
	if r.Failed == 0 || r.Failed > 200 {
		t.Errorf("%d calls failed, want those that were being answered when the region went down", r.Failed)
	}
}

func TestEverythingDown(t *testing.T) {
	s := parsed(t, least+"destinations: [ap-southeast-1, ap-south-1]\nduration: 1m\nfaults:\n  - {kind: down, regions: [ap-southeast-1, ap-south-1]}\n")
	for p, r := range simulated(t, s, Options{}) {
		if r.Failed != r.Calls || r.Calls == 0 {
			t.Errorf("%s: %d of %d calls failed, want all", p, r.Failed, r.Calls)
		}
	}
}

// TestAdaptiveHoldsUp compares policies by what they ran into.
func TestAdaptiveHoldsUp(t *testing.T) {
	for _, name := range []string{"region-out", "brownout", "quota-squeeze", "flap"} {
		results := simulated(t, shipped(t, name), Options{})
		adaptive, ordered := results[inference.Adaptive], results[inference.Ordered]
		for p, r := range results {
			if adaptive.Failed > r.Failed {
				t.Errorf("%s: %d calls failed, by %s %d", name, adaptive.Failed, p, r.Failed)
			}
		}
		if adaptive.Failovers >= ordered.Failovers || adaptive.Throttled > ordered.Throttled {
			t.Errorf("%s: %d failovers and %d throttled, in order %d and %d",
				name, adaptive.Failovers, adaptive.Throttled, ordered.Failovers, ordered.Throttled)
		}
	}
}

// TestCachesAreWorthKeeping: calls of a session keep to their region, and pay less there
// than where nothing is cached.
func TestCachesAreWorthKeeping(t *testing.T) {
	s := parsed(t, least+"sessions: {share: 1, open: 20}\nduration: 20m\n")
	adaptive := Options{Policies: []inference.Policy{inference.Adaptive}}
	kept := simulated(t, s, adaptive)[inference.Adaptive]
	s.Sessions.Cache = 0
	lost := simulated(t, s, adaptive)[inference.Adaptive]
	if kept.CacheHitShare < 0.7 || lost.CacheHitShare != 0 {
		t.Errorf("%.2f of the prefixes are read from caches, without any %.2f, want most and none", kept.CacheHitShare, lost.CacheHitShare)
	}
	if kept.Cost > lost.Cost*2/3 {
		t.Errorf("calls cost %v dollars with caches and %v without, want a third less", kept.Cost, lost.Cost)
	}
}

// TestDividing makes sure that a day of a thousandth of the calls tells of the whole.
func TestDividing(t *testing.T) {
	if testing.Short() {
		t.Skip("a day, twice")
	}
	var days [2]Result // at the factor and at half of it, side by side
	var group errgroup.Group
	for i := range days {
		s := shipped(t, "diurnal")
		s.Divide /= float64(i + 1)
		group.Go(func() error {
			report, err := Run(context.Background(), s, Options{Policies: []inference.Policy{inference.Adaptive}})
			if err == nil {
				days[i] = report.Policies[0]
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	coarse, fine := days[0], days[1]
	conserved(t, coarse)
	conserved(t, fine)
	if fine.Calls < 19*coarse.Calls/10 {
		t.Fatalf("half the factor gives %d calls for %d", fine.Calls, coarse.Calls)
	}
	if off := math.Abs(fine.FirstP99/coarse.FirstP99 - 1); off >= 0.05 {
		t.Errorf("p99 to the first token is %.0f ms, with half the factor %.0f ms: %.1f per cent", coarse.FirstP99, fine.FirstP99, 100*off)
	}
}

func TestCallTimeout(t *testing.T) {
	s := parsed(t, least+"duration: 2m\nfaults:\n  - {kind: slow, times: 40, regions: [ap-southeast-1]}\n"+
		"destinations: [ap-southeast-1]\nroute: {call_timeout: 5s}\n")
	for p, r := range simulated(t, s, Options{}) {
		if r.Failed != r.Calls {
			t.Errorf("%s: %d of %d calls failed, want all: none can be answered in time", p, r.Failed, r.Calls)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := Run(ctx, parsed(t, least), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, %v, want canceled", r, err)
	}
}

// TestEveryCallEndsOnce draws faults, quotas and budgets at random.
func TestEveryCallEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Defaults()
		s.Name, s.Model = "drawn", "apac.anthropic.claude-sonnet-4-20250514-v1:0"
		s.Duration = time.Minute
		s.Seed = rapid.Uint64().Draw(t, "seed")
		s.Traffic = []Traffic{{Sources: []inference.Region{"ap-southeast-1"}, Rate: rapid.Float64Range(0.5, 20).Draw(t, "rate")}}
		s.Destinations = []inference.Region{"ap-southeast-1", "ap-northeast-1", "ap-south-1"}[:rapid.IntRange(1, 3).Draw(t, "destinations")]
		s.Sessions.Share = rapid.Float64Range(0, 1).Draw(t, "sessions")
		s.Latency.Capacity = rapid.IntRange(0, 30).Draw(t, "capacity")
		s.Quota = Quota{Tokens: rapid.SampledFrom([]int{0, 50_000, 200_000}).Draw(t, "quota"), Known: rapid.Bool().Draw(t, "known")}
		s.Route.Continue = rapid.Bool().Draw(t, "continue")
		s.Route.Hedge.Budget = rapid.SampledFrom([]float64{0, 0.05, 1}).Draw(t, "hedge")
		s.Route.CallTimeout = rapid.SampledFrom([]time.Duration{0, 3 * time.Second, 20 * time.Second}).Draw(t, "timeout")
		s.Route.FirstContent = rapid.SampledFrom([]time.Duration{0, 2 * time.Second}).Draw(t, "content")
		for range rapid.IntRange(0, 4).Draw(t, "faults") {
			from := rapid.IntRange(0, 50).Draw(t, "from")
			s.Faults = append(s.Faults, Fault{
				Regions: []inference.Region{rapid.SampledFrom(s.Destinations).Draw(t, "region")},
				Kind:    rapid.SampledFrom(faultKinds).Draw(t, "kind"),
				From:    time.Duration(from) * time.Second,
				Every:   rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "every"),
				Last:    3 * time.Second,
				Share:   rapid.Float64Range(0, 1).Draw(t, "share"),
			})
		}
		s.Policies = []inference.Policy{rapid.SampledFrom(s.Policies).Draw(t, "policy")}
		report, err := Run(context.Background(), s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r := report.Policies[0]; r.left != 0 || r.Good+r.Failed > r.Calls || r.Attempts > r.Calls+r.Failovers+r.Hedges {
			t.Fatalf("%d calls, %d good, %d failed, %d attempts, %d failovers, %d hedges, %d left in flight",
				r.Calls, r.Good, r.Failed, r.Attempts, r.Failovers, r.Hedges, r.left)
		}
	})
}

func TestWriteSVG(t *testing.T) {
	s := parsed(t, least)
	s.Name = "a<b & \"c\"\x1b[2J\x00\xff\u202e\uffff"
	report, err := Run(context.Background(), s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := report.WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	if title := "<title>a&lt;b &amp; &quot;c&quot;[2J</title>"; !strings.Contains(out.String(), title) {
		t.Errorf("the plot has no %s", title)
	}
	lines, dec := 0, xml.NewDecoder(&out)
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the plot is no XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "polyline" {
			lines++
			for _, a := range e.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("a line goes through %s", a.Value)
				}
			}
		}
	}
	if want := len(panels) * len(s.Policies); lines != want {
		t.Errorf("the plot has %d lines, want %d", lines, want)
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct{ most, step, end float64 }{
		{0, 1, 1}, {1, 0.2, 1}, {7, 1, 7}, {7.5, 1, 8}, {20, 2.5, 20}, {23, 5, 25}, {900, 100, 900}, {1100, 200, 1200}, {0.013, 0.002, 0.014},
	} {
		if step, end := scale(c.most); math.Abs(step-c.step) > 1e-9 || math.Abs(end-c.end) > 1e-9 {
			t.Errorf("scale(%v) = %v, %v, want %v, %v", c.most, step, end, c.step, c.end)
		}
	}
}

// BenchmarkSimulate routes calls over eight regions, one of which is out for a while.
func BenchmarkSimulate(b *testing.B) {
	for _, policy := range Defaults().Policies {
		b.Run("policy="+string(policy), func(b *testing.B) {
			s := shipped(b, "region-out")
			s.Traffic[0].Rate = 200
			s.Latency.Capacity = 1500
			calls := 0
			b.ReportAllocs()
			for b.Loop() {
				calls += simulated(b, s, Options{Policies: []inference.Policy{policy}})[policy].Calls
			}
			b.ReportMetric(float64(calls)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
