// Package explain says why a call is allowed or denied: each resource that it needs
// with the statement that decided, what AWS would answer and what happens here, and
// the smallest statement that would grant what is missing.
//
//	explain.go  the questions asked of the policies, in order
//	advice.go   statements to add, to narrow and to replace
//	text.go     all of it for people
package explain

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/policy"
)

// Question is a call that is to be explained.
type Question struct {
	policy.Question
	Named        string // profile or model, by id or ARN
	SourceRegion inference.Region
}

// Catalog finds what a caller named. Errors are *inference.Error.
type Catalog interface {
	Lookup(ctx context.Context, named string, source inference.Region) (inference.Profile, error)

	// Sources are the regions from which it can be called, none where nothing of that
	// name is known.
	Sources(named string) []inference.Region
}

// Explanation is the answer, and in JSON that of `fairway explain --json`
// (docs/explain.md).
type Explanation struct {
	Principal      string            `json:"principal"`
	ARN            inference.ARN     `json:"principal_arn"`
	Action         string            `json:"action"`
	Profile        *string           `json:"profile"` // null for a bare model
	Model          inference.ModelID `json:"model"`
	SourceRegion   inference.Region  `json:"source_region"`
	Mode           policy.Mode       `json:"mode"`
	Checks         []Check           `json:"checks"`
	Destinations   []Destination     `json:"destinations"` // catalog order
	AWS            AWS               `json:"aws"`
	Fairway        Answer            `json:"fairway"` // in its mode
	Modes          Modes             `json:"modes"`
	Missing        []Statement       `json:"missing"`         // one for each layer that lacks some
	Denies         []Deny            `json:"denies"`          // that must be narrowed: no Allow outweighs them
	LeastPrivilege *LeastPrivilege   `json:"least_privilege"` // null without wildcards
	Warnings       []string          `json:"warnings"`
	denied         []policy.Evaluation
}

// Decision is the decision for one resource.
type Decision struct {
	Resource  inference.ARN `json:"resource"`
	Effect    policy.Effect `json:"effect"`
	Layer     policy.Layer  `json:"layer"`
	Statement string        `json:"statement,omitempty"` // position of the one that decided
	Pattern   string        `json:"pattern,omitempty"`   // resource of that statement, as it is written
	PatternAt string        `json:"pattern_at,omitempty"`
	Reason    string        `json:"reason,omitempty"` // of a denial, as the service ends its 403
	Unmet     []string      `json:"unmet,omitempty"`  // conditions that kept statements from allowing it
}

// Check is the decision for a resource that the call needs wherever it runs.
type Check struct {
	For string `json:"for"` // one of the texts below
	Decision
}

// What checks are for.
const (
	ForProfile  = "profile"
	ForSource   = "source model"
	ForGlobal   = "global model" // the regionless ARN
	ForResource = "resource"     // that one region has, such as a custom model
)

// Destination is the decision for the resource that the call needs to run in a region.
type Destination struct {
	Region inference.Region `json:"region"`
	Named  bool             `json:"named"` // a statement names the region; false when only a wildcard covers it
	Decision
}

// AWS is what AWS would answer.
type AWS struct {
	inference.Verdict
	Message string `json:"message,omitempty"` // of its 403
}

// Answer is what happens here.
type Answer struct {
	Allowed      bool               `json:"allowed"`
	Destinations []inference.Region `json:"destinations"`      // in the order in which policy gives them to routing
	Message      string             `json:"message,omitempty"` // of the 403
}

// Modes are the answers in both modes.
type Modes struct {
	Narrow Answer `json:"narrow"`
	Strict Answer `json:"strict"`
}

// Explain explains a call. Errors are *inference.Error: AccessDenied for a principal
// that the engine does not know, Validation for an action that calls no model and for
// what cannot be called from the source region.
func Explain(ctx context.Context, engine *policy.Engine, catalog Catalog, q Question) (*Explanation, error) {
	if !slices.Contains(calls, q.Action) {
		return nil, &inference.Error{
			Kind: inference.Validation, Op: "explain",
			Message: fmt.Sprintf("explain: %.128q is no action that calls a model: ask about %s", q.Action, strings.Join(calls, ", ")),
		}
	}
	profile, err := catalog.Lookup(ctx, q.Named, q.SourceRegion)
	if err != nil {
		return nil, notCallable(q, catalog.Sources(q.Named), err)
	}
	return Of(engine, q.Question, profile)
}

// calls are the actions that call a model; the others are on no profile.
var calls = []string{inference.InvokeModel.Action(), inference.InvokeModelWithResponseStream.Action(), inference.CountTokens.Action()}

// notCallable says from where what was named can be called. What is no mistake of the
// question stays what it is.
func notCallable(q Question, from []inference.Region, err error) error {
	cause := inference.AsError(err)
	if cause.Kind != inference.Validation {
		return err
	}
	message := fmt.Sprintf("explain: %.128q cannot be called from %.32q: %s", q.Named, q.SourceRegion, cause.Message)
	if len(from) > 0 {
		message += " Call it from " + list(from)
	}
	return &inference.Error{Kind: inference.Validation, Op: "explain", Region: q.SourceRegion, Message: message, Err: err}
}

func list(regions []inference.Region) string {
	var all []string
	for _, r := range regions {
		all = append(all, string(r))
	}
	return strings.Join(all, ", ")
}

// Of is Explain for a profile that is looked up already.
func Of(engine *policy.Engine, q policy.Question, profile inference.Profile) (*Explanation, error) {
	evaluations, err := engine.Explain(q, profile)
	if err != nil {
		return nil, err
	}
	principal, _ := engine.Principal(q.Principal) // Explain knows it
	x := &Explanation{
		Principal: principal.Name, ARN: principal.ARN, Action: q.Action,
		Model: profile.Model, SourceRegion: profile.SourceRegion, Mode: engine.Mode(),
		Missing: []Statement{}, Denies: []Deny{}, Warnings: []string{},
	}
	if profile.ID != "" {
		x.Profile = new(string(profile.ID))
	}
	a := asked{engine, q, profile, evaluations}
	x.Checks, x.Destinations = a.checks(), a.destinations()
	x.Modes = Modes{Narrow: a.answer(policy.Narrow), Strict: a.answer(policy.Strict)}
	x.Fairway = x.Modes.Narrow
	if x.Mode == policy.Strict {
		x.Fairway = x.Modes.Strict
	}
	x.AWS = a.aws(x.Modes.Strict)
	x.advise(&a)
	return x, nil
}

// asked is a question and the evaluations that answer it.
type asked struct {
	engine      *policy.Engine
	question    policy.Question
	profile     inference.Profile
	evaluations []policy.Evaluation
}

// checks are the decisions that hold for every destination.
func (a *asked) checks() []Check {
	needed := []struct {
		what     string
		resource inference.ARN
		exists   bool
	}{
		{ForResource, a.profile.ARN, a.profile.IsRegional()},
		{ForProfile, a.profile.ARN, a.profile.ID != ""},
		{ForSource, inference.ModelARN(a.profile.SourceRegion, a.profile.Model), !a.profile.IsRegional()},
		{ForGlobal, inference.ModelARN("", a.profile.Model), a.profile.Global},
	}
	var all []Check
	for _, n := range needed {
		if n.exists {
			all = append(all, Check{n.what, a.decision(a.on(n.resource))})
		}
	}
	return all
}

func (a *asked) destinations() []Destination {
	all := []Destination{}
	for _, region := range a.profile.Destinations {
		e := a.on(a.needed(region))
		all = append(all, Destination{region, e.Effect == policy.Allowed && e.Named(), a.decision(e)})
	}
	return all
}

// needed is the resource that runs the call in a region.
func (a *asked) needed(region inference.Region) inference.ARN {
	switch {
	case a.profile.IsRegional():
		return a.profile.In(region)
	case a.profile.Global:
		return inference.ModelARN("", a.profile.Model)
	}
	return inference.ModelARN(region, a.profile.Model)
}

// on is the evaluation of a resource that the call needs.
func (a *asked) on(resource inference.ARN) *policy.Evaluation {
	i := slices.IndexFunc(a.evaluations, func(e policy.Evaluation) bool { return e.Resource == resource })
	return &a.evaluations[i]
}

func (a *asked) decision(e *policy.Evaluation) Decision {
	m := e.Pattern()
	d := Decision{
		Resource: e.Resource, Effect: e.Effect, Layer: e.Layer, Statement: e.Statement,
		Pattern: m.Resource, PatternAt: m.At, Reason: e.Reason,
	}
	for _, u := range a.engine.Unmet(a.question, a.profile, *e) {
		d.Unmet = append(d.Unmet, unmet(u))
	}
	return d
}

// unmet is a condition that does not hold, as people read it.
func unmet(u policy.Unmet) string {
	has := "the call has no such key"
	if len(u.Have) > 0 {
		has = "the call has " + strings.Join(u.Have, ", ")
	}
	return u.Statement + " allows it only if " + u.Operator + " " + u.Key + " " + quoted(u.Want) + ": " + has
}

func quoted(values []string) string {
	var all []string
	for _, v := range values {
		all = append(all, strconv.Quote(v))
	}
	return strings.Join(all, " or ")
}

// answer is what happens in a mode.
func (a *asked) answer(mode policy.Mode) Answer {
	grant, err := a.engine.AuthorizeIn(mode, a.question, a.profile)
	if err != nil {
		return Answer{Destinations: []inference.Region{}, Message: inference.AsError(err).Message}
	}
	answer := Answer{Allowed: true, Destinations: []inference.Region{}}
	for _, d := range grant.Destinations {
		answer.Destinations = append(answer.Destinations, d.Region)
	}
	return answer
}

// aws is what AWS would answer: what strict mode does.
func (a *asked) aws(strict Answer) AWS {
	if strict.Allowed {
		return AWS{Verdict: inference.Verdict{Allowed: true}}
	}
	i := slices.IndexFunc(a.evaluations, func(e policy.Evaluation) bool { return e.Effect != policy.Allowed })
	return AWS{
		Verdict: inference.Verdict{Resource: a.evaluations[i].Resource, Statement: a.evaluations[i].Statement},
		Message: strict.Message,
	}
}
