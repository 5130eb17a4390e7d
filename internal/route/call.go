package route

import (
	"cmp"
	"slices"
	"time"

	"fairway/internal/inference"
)

// Call is what a plan is made for.
type Call struct {
	Principal string // by name: its residency binds the call
	Grant     *inference.Grant
	Route     *Route           // never nil: see [Router.Route]
	Policy    inference.Policy // that the caller asked for; empty is the route's
	OnCut     inference.OnCut  // likewise
	Streams   bool             // the answer is a stream
	Guarded   bool             // it names a guardrail: that, too, may be what is denied
	Size      int              // of the body, in bytes
	Seed      uint64           // of what is left to chance: equal calls by equal seeds are planned alike
	Session   uint64           // of a prompt that is shared with other calls, 0 for none

	// Outline tells more of the request. It is called once, and only where that
	// counts: reading a body takes time. Nil tells nothing.
	Outline func() inference.Outline

	outlined bool
	told     inference.Outline
}

// outline is what Outline tells, asked once.
func (c *Call) outline() inference.Outline {
	if !c.outlined && c.Outline != nil {
		c.told = c.Outline()
	}
	c.outlined = true
	return c.told
}

// policy is what was chosen, empty for none.
func (c *Call) policy() inference.Policy { return cmp.Or(c.Policy, c.Route.Policy) }

// Route is how calls of one sort go: the settings behind a [Rule].
type Route struct {
	Policy    inference.Policy             // empty: targets in named destinations as written, the others by Adaptive
	Order     []inference.Region           // tried first, in this order, where granted
	Weights   map[inference.Region]float64 // for Weighted and LeastLoad; default 1
	Residency Residency
	OnCut     inference.OnCut // default FailOnCut
	Instruct  bool            // a model that takes no prefill is told in words to go on
	NoHedge   bool
	Fallbacks []string // profiles and models to call when no target of the one called answers, in order
	Shadow    Shadow
}

// Rule picks the route of a call. The first that matches counts.
type Rule struct {
	Principals []string // names; none is all
	Models     []string // path.Match patterns of what the caller names, by id; none is all
	Route      Route
}

// Residency is where calls have to stay. The zero Residency is everywhere.
type Residency struct {
	Names   []string           // geographies and regions as configured, for records
	Regions []inference.Region // all of them
}

// Admits reports whether all that t may run in lies within r. A run set that the
// service may add to never does.
func (r Residency) Admits(t *inference.Target) bool {
	switch {
	case len(r.Names) == 0 && len(r.Regions) == 0:
		return true
	case t.OpenEnded:
		return false
	case t.RunSet == nil:
		return slices.Contains(r.Regions, t.Region)
	}
	return !slices.ContainsFunc(t.RunSet, func(in inference.Region) bool { return !slices.Contains(r.Regions, in) })
}

// Shadow is a second target that a share of the calls is sent to for comparison. The
// zero Shadow is none.
type Shadow struct {
	Share  float64          // of the calls, 0 to 1
	Region inference.Region // to call in place of the first planned; empty is wherever Model runs
	Model  string           // profile or model to call; empty is the one called
}

// Quota is what the service grants a target, as configured. The first that matches
// counts; a target that none matches is taken to be without limit until it throttles.
type Quota struct {
	Models            []string // path.Match patterns of target model ids; none is all
	Regions           []inference.Region
	Accounts          []string
	TokensPerMinute   int // 0 is no limit
	RequestsPerMinute int // 0 is no limit
}

// Choice is a target in its place in a plan.
type Choice struct {
	Target  *inference.Target  // shared by calls, never modified
	Profile *inference.Profile // that the target runs, of the grant it was planned by
	guard   *guard
	why     why
}

// Continuer goes on with answers whose target dies in the middle.
type Continuer interface {
	// Follow begins to watch the answer of model to r; nil where it could not be gone
	// on with. Instruct allows what [Route].Instruct does.
	Follow(r *inference.Request, model inference.ModelID, instruct bool) Thread
}

// Thread is an answer that may have to be gone on with. It is not safe for concurrent
// use.
type Thread interface {
	// Sent takes in an event of the first target that goes to the caller as it is.
	Sent(e inference.Event)

	// Cut ends the leg at hand, which broke off. Request is what the next target is
	// to answer. Where nothing but the end is missing there is no request and rest is
	// the end of the answer. Ok is false where it cannot be gone on with soundly.
	Cut() (request *inference.Request, rest []inference.Event, ok bool)

	// Join takes in an event of the target that goes on, and is what the caller is
	// sent for it: none, one or several. Their Usage is that of all legs together.
	Join(e inference.Event) ([]inference.Event, error)

	// Spent is what the leg that broke off has used, as far as it is known.
	Spent() inference.Usage
}

// Retry bounds what failover adds to the load.
type Retry struct {
	Budget  float64       // attempts beyond the first at each target, as a share of the calls
	Reserve float64       // such attempts a second that are there in any case
	Wait    time.Duration // a call waits when no target is left, in all; 0 is not at all
}

// Hedge is when a call that waits for its first content is sent to a second target.
type Hedge struct {
	Budget float64       // hedges as a share of the calls; 0 makes none
	Least  time.Duration // that is waited in any case
}
