package policy

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"fairway/internal/inference"
)

// Mode is what happens to a call of which AWS would deny a part.
type Mode string

// The modes. The zero Mode is Narrow.
const (
	Narrow Mode = "narrow" // runs in the destinations that are allowed
	Strict Mode = "strict" // refused, as on AWS
)

// Options configures an Engine.
type Options struct {
	Mode    Mode
	Account string // twelve digits; what a placeholder such as <UserID> stands for
}

// Engine authorizes the calls of a fixed set of principals. It is safe for
// concurrent use.
type Engine struct {
	mode       Mode
	principals map[string]*principal
}

// principal remembers the grants of policies that ask for steady keys at most: those
// depend on nothing but the key, and system-defined profiles do not change, so the
// keys in use bound the memory. Application profiles come and go without number:
// theirs are not kept.
type principal struct {
	*Policies
	mu     sync.Mutex // of those that add one
	grants atomic.Pointer[grants]
}

// grants is not modified: one more makes a copy.
type grants map[grantKey]*inference.Grant

type grantKey struct {
	action string
	named  string
	source inference.Region
}

// New compiles the policies of every principal. Errors are Compile's, and of kind
// Validation when two principals share a name.
func New(opts Options, principals ...Principal) (*Engine, error) {
	e := &Engine{mode: cmp.Or(opts.Mode, Narrow), principals: make(map[string]*principal, len(principals))}
	for _, p := range principals {
		if e.principals[p.Name] != nil {
			return nil, &inference.Error{
				Kind: inference.Validation, Op: "compile policies",
				Message: "two principals are named " + p.Name + ", give each its own name",
			}
		}
		compiled, err := Compile(p, opts.Account)
		if err != nil {
			return nil, err
		}
		e.principals[p.Name] = &principal{Policies: compiled}
		e.principals[p.Name].grants.Store(&grants{})
	}
	return e, nil
}

// Authorize decides a call of profile by the named principal at the time now,
// once for all its destinations. The error is an *inference.Error of kind
// AccessDenied in the service's words, which names the first resource that failed.
func (e *Engine) Authorize(q Question, profile inference.Profile) (*inference.Grant, error) {
	p, ok := e.principals[q.Principal]
	if !ok {
		return nil, unknownPrincipal(q.Principal)
	}
	if !p.steady || profile.CopiedFrom != "" || profile.Remote {
		return p.grant(e.mode, q, profile)
	}
	key := grantKey{q.Action, profile.Named(), profile.SourceRegion}
	if g, ok := (*p.grants.Load())[key]; ok {
		return g, nil
	}
	return p.remember(key, e.mode, q, profile)
}

// remember decides a call and keeps its grant for those that follow.
func (p *principal) remember(key grantKey, mode Mode, q Question, profile inference.Profile) (*inference.Grant, error) {
	g, err := p.grant(mode, q, profile)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := *p.grants.Load()
	if kept, ok := known[key]; ok {
		return kept, nil
	}
	g.Shared = true
	known = maps.Clone(known)
	known[key] = g
	p.grants.Store(&known)
	return g, nil
}

// AuthorizeIn is Authorize in a mode of its own: what another server would answer, or
// AWS.
func (e *Engine) AuthorizeIn(mode Mode, q Question, profile inference.Profile) (*inference.Grant, error) {
	p, ok := e.principals[q.Principal]
	if !ok {
		return nil, unknownPrincipal(q.Principal)
	}
	return p.grant(mode, q, profile)
}

// Mode is what becomes of a call of which AWS would deny a part.
func (e *Engine) Mode() Mode { return e.mode }

// Principal is the principal of that name. It reports false where there is none.
func (e *Engine) Principal(name string) (inference.Principal, bool) {
	p, ok := e.principals[name]
	if !ok {
		return inference.Principal{}, false
	}
	return p.Policies.principal, true
}

// Principals are the names of all principals, sorted.
func (e *Engine) Principals() []string { return slices.Sorted(maps.Keys(e.principals)) }

// Permit decides an action on one resource, asked in region: what the control plane
// does needs no more. The error is that of Authorize. Resource is "*" for an action
// that is on no resource in particular.
func (e *Engine) Permit(q Question, resource inference.ARN, region inference.Region) error {
	p, ok := e.principals[q.Principal]
	if !ok {
		return unknownPrincipal(q.Principal)
	}
	c := p.call(q, inference.Profile{SourceRegion: region})
	evaluation := p.evaluate(&c, q.Action, resource, region)
	if evaluation.denied() {
		return p.accessDenied(&q, &evaluation)
	}
	return nil
}

// PermitBearer decides whether the principal may come with a bearer key, which is an
// action of its own beside what it then does (User Guide, "Permissions for Amazon
// Bedrock API keys"). A key is a long-term one where the circumstances do not say. The
// error is that of Authorize.
func (e *Engine) PermitBearer(q Question, region inference.Region) error {
	q.Action = "bedrock:CallWithBearerToken"
	q.Circumstances.BearerType = cmp.Or(q.Circumstances.BearerType, inference.LongTerm)
	return e.Permit(q, "*", region)
}

// Explain is every evaluation that a call needs, in the order in which AWS names
// the first that fails. The error, for a principal that is not known, is of kind
// AccessDenied.
func (e *Engine) Explain(q Question, profile inference.Profile) ([]Evaluation, error) {
	p, ok := e.principals[q.Principal]
	if !ok {
		return nil, unknownPrincipal(q.Principal)
	}
	return p.evaluations(q, profile), nil
}

// Unmet is the conditions that keep statements from allowing an evaluated call whose
// action and resource they cover.
func (e *Engine) Unmet(q Question, profile inference.Profile, of Evaluation) []Unmet {
	p, ok := e.principals[q.Principal]
	if !ok {
		return nil
	}
	return p.unmet(q, profile, of)
}

func unknownPrincipal(name string) error {
	return &inference.Error{
		Kind: inference.AccessDenied, Op: "authorize",
		Message: "principal " + name + " has no policies",
	}
}
