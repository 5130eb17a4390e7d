package policy

import (
	"cmp"
	"maps"
	"sync"
	"time"

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

// principal remembers the grants of policies that have no conditions: those
// depend on nothing but the key, and system-defined profiles do not change, so the
// keys in use bound the memory. Application profiles come and go without number:
// theirs are not kept.
type principal struct {
	*Policies
	mu     sync.RWMutex
	grants map[grantKey]*inference.Grant
}

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
		e.principals[p.Name] = &principal{Policies: compiled, grants: make(map[grantKey]*inference.Grant)}
	}
	return e, nil
}

// Authorize decides a call of profile by the named principal at the time now,
// once for all its destinations. The error is an *inference.Error of kind
// AccessDenied in the service's words, which names the first resource that failed.
func (e *Engine) Authorize(name, action string, profile inference.Profile, now time.Time) (*inference.Grant, error) {
	p, ok := e.principals[name]
	if !ok {
		return nil, unknownPrincipal(name)
	}
	if p.conditional || profile.CopiedFrom != "" || profile.Remote {
		return p.grant(e.mode, action, profile, now)
	}
	key := grantKey{action, profile.Named(), profile.SourceRegion}
	p.mu.RLock()
	g, ok := p.grants[key]
	p.mu.RUnlock()
	if ok {
		return g, nil
	}
	g, err := p.grant(e.mode, action, profile, now)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept, ok := p.grants[key]; ok {
		return kept, nil
	}
	g.Shared = true
	p.grants[key] = g
	return g, nil
}

// Permit decides an action on one resource, asked in region at the time now: what
// the control plane does needs no more. The error is that of Authorize. Resource
// is "*" for an action that is on no resource in particular.
func (e *Engine) Permit(name, action string, resource inference.ARN, region inference.Region, now time.Time) error {
	return e.permit(name, action, resource, region, now, nil)
}

// PermitBearer decides whether the named principal may come with a bearer key, which
// is an action of its own beside what it then does (User Guide, "Permissions for
// Amazon Bedrock API keys"). The keys of a server are its long-term ones. The error
// is that of Authorize.
func (e *Engine) PermitBearer(name string, region inference.Region, now time.Time) error {
	return e.permit(name, "bedrock:CallWithBearerToken", "*", region, now, longTerm)
}

// permit is Permit with more condition keys.
func (e *Engine) permit(name, action string, resource inference.ARN, region inference.Region, now time.Time, more values) error {
	p, ok := e.principals[name]
	if !ok {
		return unknownPrincipal(name)
	}
	context := p.context(inference.Profile{}, region, now)
	if context != nil {
		maps.Copy(context, more)
	}
	d := p.Evaluate(action, resource, context)
	if d.Effect == Allowed {
		return nil
	}
	return p.accessDenied(&Evaluation{Decision: d, Action: action, Resource: resource, Region: region})
}

var longTerm = values{"bedrock:bearerTokenType": {"LONG_TERM"}}

// Explain is every evaluation that a call needs, in the order in which AWS names
// the first that fails. The error, for a principal that is not known, is of kind
// AccessDenied.
func (e *Engine) Explain(name, action string, profile inference.Profile, now time.Time) ([]Evaluation, error) {
	p, ok := e.principals[name]
	if !ok {
		return nil, unknownPrincipal(name)
	}
	return p.evaluations(action, profile, now), nil
}

func unknownPrincipal(name string) error {
	return &inference.Error{
		Kind: inference.AccessDenied, Op: "authorize",
		Message: "principal " + name + " has no policies",
	}
}
