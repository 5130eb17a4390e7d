package simulate

import (
	"context"
	"time"

	"fairway/internal/atlas"
	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/route"
)

// world is one policy's run: regions, the gateways before them, and the calls under
// way. It is used by one goroutine.
type world struct {
	scenario *Scenario
	policy   inference.Policy
	price    Price
	burndown int
	events   events
	at       int64 // virtual time in nanoseconds since the start
	dice     dice  // of attempts: started anew for each
	seed     uint64

	regions []*region
	byName  map[inference.Region]int
	sources []*source

	spending spending

	calls    []*call    // that have ended, to be used again
	attempts []*attempt // likewise
	begun    uint64
	inFlight int
	tally    tally
}

// epoch is when virtual time starts: a midnight, so that days do too.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *world) now() time.Time { return epoch.Add(time.Duration(w.at)) }

// newWorld builds what a checked scenario describes.
func newWorld(s *Scenario, policy inference.Policy) *world {
	w := &world{
		scenario: s,
		policy:   policy,
		price:    s.pricing(),
		dice:     newDice(0, 0),
		seed:     mix(s.Seed),
		byName:   map[inference.Region]int{},
	}
	w.spending = w.newSpending()
	a, profiles := atlas.Load(), s.profiles()
	w.burndown = burndown(profiles[0].Model)
	for _, p := range profiles {
		for _, name := range s.destinations(p) {
			if _, there := w.byName[name]; !there {
				w.byName[name] = len(w.regions)
				w.regions = append(w.regions, s.region(name, a))
			}
		}
	}
	w.addSources(profiles, a)
	for i := range s.Faults {
		for _, name := range s.Faults[i].Regions {
			w.spells(&s.Faults[i], w.regions[w.byName[name]])
		}
	}
	w.tally = newTally(s.Duration, len(w.regions))
	return w
}

// profiles are the called profile as each source sees it, in the order of the
// scenario.
func (s *Scenario) profiles() []inference.Profile {
	known := catalog.New(catalog.Options{})
	var profiles []inference.Profile
	for _, t := range s.Traffic {
		for _, in := range t.Sources {
			if p, err := known.Lookup(context.Background(), s.Model, in); err == nil {
				profiles = append(profiles, p)
			}
		}
	}
	return profiles
}

func burndown(model inference.ModelID) int {
	m, _ := catalog.New(catalog.Options{}).Model(model)
	return max(1, m.OutputBurndown)
}

func (s *Scenario) region(name inference.Region, a *atlas.Atlas) *region {
	r := s.Regions[name]
	whole := func(here, everywhere int) float64 {
		if here == 0 {
			here = everywhere
		}
		return float64(here) / s.Divide
	}
	made := &region{
		name:     name,
		first:    r.First,
		capacity: whole(r.Capacity, s.Latency.Capacity),
		tokens:   newGauge(whole(r.Tokens, s.Quota.Tokens)),
		requests: newGauge(whole(r.Requests, s.Quota.Requests)),
		cached:   map[uint64]int64{},
		sweep:    minSweep,
		rush:     s.Latency.Rush.Times,
		peak:     a.Noon(name) + s.Latency.Rush.Peak - 12*time.Hour,
	}
	if made.first == 0 {
		made.first = s.Latency.First
	}
	return made
}

// addSources makes the sources and their gateways: one for all of them, or one each.
func (w *world) addSources(profiles []inference.Profile, a *atlas.Atlas) {
	s, gateways := w.scenario, len(profiles)
	var shared *route.Router
	if s.Gateway != "" {
		gateways = 1
		shared = w.router(gateways)
	}
	for i := range s.Traffic {
		for _, in := range s.Traffic[i].Sources {
			router, at := shared, s.Gateway
			if shared == nil {
				router, at = w.router(gateways), in
			}
			w.addSource(&s.Traffic[i], profiles[len(w.sources)], router, at, a)
		}
	}
}

// addSource makes the source that sees profile p, with a gateway in region at.
func (w *world) addSource(t *Traffic, p inference.Profile, router *route.Router, at inference.Region, a *atlas.Atlas) {
	s := w.scenario
	src := &source{
		traffic: t,
		rate:    t.Rate / s.Divide,
		peak:    a.Noon(p.SourceRegion) + t.Day.Peak - 12*time.Hour,
		grant:   grant(p, s.destinations(p)),
		router:  router,
		route:   router.Route("", s.Model),
		dice:    newDice(w.seed, mix(uint64(len(w.sources))+1)),
	}
	if at != p.SourceRegion {
		src.way = a.RoundTrip(p.SourceRegion, at)
	}
	for _, r := range w.regions {
		src.trips = append(src.trips, a.RoundTrip(at, r.name))
	}
	if s.Sessions.Share > 0 {
		for range max(1, int(float64(s.Sessions.Open)/s.Divide)) {
			src.open = append(src.open, src.newSession(&s.Sessions))
		}
	}
	w.sources = append(w.sources, src)
}

// grant is what a wildcard statement grants.
func grant(p inference.Profile, destinations []inference.Region) *inference.Grant {
	p.Destinations = destinations
	g := &inference.Grant{Profile: p, Shared: true}
	for _, in := range destinations {
		g.Destinations = append(g.Destinations, inference.Destination{Region: in})
	}
	return g
}

// router is one gateway's. Where several share the quotas each is told an equal part.
func (w *world) router(gateways int) *route.Router {
	s := w.scenario
	c := route.Config{
		Clock:          clock{w},
		Route:          route.Route{Policy: w.policy, Order: s.Route.Order, Weights: s.Route.Weights, OnCut: inference.FailOnCut},
		AttemptTimeout: s.Route.AttemptTimeout,
		StallTimeout:   s.Route.StallTimeout,
		ChunkTimeout:   s.Route.ChunkTimeout,
		FirstContent:   s.Route.FirstContent,
		CallTimeout:    s.Route.CallTimeout,
		MaxAttempts:    s.Route.MaxAttempts,
		KeepCache:      s.Route.KeepCache,
		Hedge:          route.Hedge(s.Route.Hedge),
		Retry:          route.Retry(s.Route.Retry),
		Breaker:        route.BreakerConfig(s.Route.Breaker),
		Price:          func(string) (inference.Money, bool) { return w.price.Input + w.price.Output, true },
		Burndown:       func(inference.ModelID) int { return w.burndown },
		Simulated:      true,
	}
	if s.Route.Continue {
		c.Route.OnCut = inference.ContinueOnCut
	}
	if s.Quota.Known {
		for _, r := range w.regions {
			c.Quotas = append(c.Quotas, route.Quota{
				Regions:           []inference.Region{r.name},
				TokensPerMinute:   int(r.tokens.limit) / gateways,
				RequestsPerMinute: int(r.requests.limit) / gateways,
			})
		}
	}
	return route.New(c)
}

// clock is virtual time as a router sees it.
type clock struct{ world *world }

func (c clock) Now() time.Time { return c.world.now() }

func (c clock) AfterFunc(d time.Duration, f func()) func() bool {
	t := &timer{f: f}
	c.world.events.add(c.world.at+int64(d), t, 0)
	return func() bool { waiting := t.f != nil; t.f = nil; return waiting }
}

// timer calls a function once, unless it was stopped.
type timer struct{ f func() }

func (t *timer) happen(*world, uint32) {
	if f := t.f; f != nil {
		t.f = nil
		f()
	}
}

// run lets everything happen until the last call has ended.
func (w *world) run(ctx context.Context) (Result, error) {
	for _, s := range w.sources {
		w.expect(s)
	}
	for n := 0; ; n++ {
		if n%eventsPerLook == 0 {
			if err := ctx.Err(); err != nil {
				return Result{}, err
			}
		}
		e, ok := w.events.next()
		if !ok {
			return w.result(), nil
		}
		w.at = e.at
		e.actor.happen(w, e.turn)
	}
}

// eventsPerLook is how many events go by, in some tens of milliseconds, between two
// looks at whether the run is still wanted.
const eventsPerLook = 1 << 14

// mix spreads a number over all bits (the finalizer of SplitMix64), so that dice of
// neighbouring seeds have nothing in common.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
