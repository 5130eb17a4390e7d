package inference

import "slices"

// Policy is a routing policy by the name that settings and the x-fairway-policy
// header have for it.
type Policy string

// The policies. Each orders the targets of a call; none adds one.
const (
	Ordered    Policy = "ordered"     // as the statements or the configured order name them
	Latency    Policy = "latency"     // the soonest first content, by what was seen of late
	Weighted   Policy = "weighted"    // by chance, in proportion to weights
	LeastLoad  Policy = "least-load"  // the fewest requests in flight for its weight
	Cost       Policy = "cost"        // the lowest price
	RoundRobin Policy = "round-robin" // each in its turn
	Adaptive   Policy = "adaptive"    // by load, latency, cached prompts and quota together
)

// Policies are all of them.
func Policies() []Policy {
	return []Policy{Ordered, Latency, Weighted, LeastLoad, Cost, RoundRobin, Adaptive}
}

// IsPolicy reports whether there is a policy of that name.
func IsPolicy(p Policy) bool { return slices.Contains(Policies(), p) }

// OnCut is what becomes of a stream whose region dies in the middle of the answer.
type OnCut string

// The choices.
const (
	FailOnCut     OnCut = "fail"     // it ends with the exception
	ContinueOnCut OnCut = "continue" // another target goes on where it ended
)

// Steering is how a caller wants one call routed. Zero members leave it to the
// route. It never widens where the call may run.
type Steering struct {
	Policy  Policy
	Session string // calls that share it share a prompt: they keep to one region while that is well
	OnCut   OnCut
	Trace   bool // the record is to say how the targets were ranked
	Cost    bool // the answer is to say what it cost
}

// Outline is what routing wants to know of a request beside its bytes. Tokens are
// estimates, as quotas reserve them.
type Outline struct {
	InputTokens  int
	MostInput    int    // the upper end of the estimate of InputTokens; 0 is that itself
	MediaTokens  int    // those of InputTokens that are images and documents
	MaxTokens    int    // that the answer may have: the request's own limit, or the model's
	Prefix       uint64 // of the prompt up to its last cache point: equal for equal prefixes; 0 without one
	PrefixTokens int
}

// Ranked is a target in its place in a plan, as traces show it: the first is tried
// first.
type Ranked struct {
	Region  Region `json:"region"`
	Model   string `json:"model"`
	Account string `json:"account,omitempty"`
	Because string `json:"because"` // what gave it this place
}
