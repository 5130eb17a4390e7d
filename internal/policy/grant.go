package policy

import (
	"cmp"
	"errors"
	"slices"

	"fairway/internal/inference"
)

// Unspecified is aws:RequestedRegion of the regionless model ARN that a global
// profile is checked by (User Guide, "Global cross-Region inference").
const Unspecified inference.Region = "unspecified"

// Evaluation is the decision for one of the resources that a call needs.
type Evaluation struct {
	decided
	Action   string
	Resource inference.ARN
	Region   inference.Region // aws:RequestedRegion
}

func (e *Evaluation) denied() bool { return e.Effect != Allowed }

// evaluations decides everything a call of profile needs: the profile's ARN in
// the source region, the source region's model ARN, then the model ARN of every
// other destination, or the regionless one for a global profile. A bare model
// needs its own ARN, and so does a regional resource: in each of its destinations
// that of what stands for it there.
func (p *Policies) evaluations(q Question, profile inference.Profile) []Evaluation {
	all := make([]Evaluation, 0, 2+len(profile.Destinations))
	c := p.call(q, profile)
	evaluate := func(resource inference.ARN, region inference.Region) {
		all = append(all, p.evaluate(&c, q.Action, resource, region))
	}
	if profile.IsRegional() {
		for _, region := range profile.Destinations { // the source region first
			evaluate(profile.In(region), region)
		}
		return all
	}
	source := profile.SourceRegion
	if profile.ID != "" {
		evaluate(profile.ARN, source)
	}
	evaluate(inference.ModelARN(source, profile.Model), source)
	if profile.Global {
		evaluate(inference.ModelARN("", profile.Model), Unspecified)
		return all
	}
	for _, region := range profile.Destinations {
		if region != source {
			evaluate(inference.ModelARN(region, profile.Model), region)
		}
	}
	return all
}

// evaluate decides a call for one resource, asked in region.
func (p *Policies) evaluate(c *call, action string, resource inference.ARN, region inference.Region) Evaluation {
	p.ask(c, resource, region)
	return Evaluation{p.decide(c, action), action, resource, region}
}

// ask makes a call one for a resource, asked in region.
func (p *Policies) ask(c *call, resource inference.ARN, region inference.Region) {
	c.resource = parseSubject(resource)
	if p.region >= 0 {
		c.context[p.region][0] = string(region)
	}
}

// grant turns the evaluations into the mode's answer.
func (p *Policies) grant(mode Mode, q Question, profile inference.Profile) (*inference.Grant, error) {
	evaluations := p.evaluations(q, profile)
	g := &inference.Grant{Profile: profile, AWS: inference.Verdict{Allowed: true}}
	g.Destinations, g.Denied = divide(profile, evaluations)
	needed := evaluations
	if profile.IsRegional() { // AWS asks for no equivalents
		needed = evaluations[:1]
	}
	failing := slices.IndexFunc(needed, func(e Evaluation) bool { return e.denied() })
	if failing < 0 {
		return g, nil
	}
	first := &evaluations[failing]
	g.AWS = inference.Verdict{Resource: first.Resource, Statement: first.Statement}
	// The three ARNs of a global profile stand or fall together, and a profile or
	// resource that is denied itself runs nowhere.
	itselfDenied := profile.ARN != "" && failing == 0
	if mode == Strict || profile.Global || itselfDenied || len(g.Destinations) == 0 {
		return nil, p.accessDenied(&q, first)
	}
	return g, nil
}

// divide gives the allowed destinations in the order to try them, and the denied
// ones in catalog order. First come the regions that statements name, as they are
// written; of the others the source region is first.
func divide(profile inference.Profile, evaluations []Evaluation) ([]inference.Destination, []inference.Denial) {
	type candidate struct {
		region inference.Region
		*Evaluation
	}
	allowed := make([]candidate, 0, len(profile.Destinations))
	var denied []inference.Denial
	for _, region := range profile.Destinations {
		e := deciding(profile, evaluations, region)
		if e.denied() {
			denied = append(denied, inference.Denial{
				Region: region, Resource: e.Resource, Statement: e.Statement, Reason: e.Reason,
			})
			continue
		}
		allowed = append(allowed, candidate{region, e})
	}
	slices.SortStableFunc(allowed, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.by.order, b.by.order), sourceFirst(profile, a.region)-sourceFirst(profile, b.region))
	})
	destinations := make([]inference.Destination, len(allowed))
	for i, c := range allowed {
		destinations[i] = inference.Destination{Region: c.region, Named: c.by.order != unnamed, Statement: c.Statement}
	}
	return destinations, denied
}

// deciding is the evaluation of the model ARN that a destination runs under.
func deciding(profile inference.Profile, evaluations []Evaluation, region inference.Region) *Evaluation {
	if profile.ID != "" {
		evaluations = evaluations[1:] // the profile's own
	}
	if profile.Global {
		return &evaluations[len(evaluations)-1]
	}
	i := 0
	for evaluations[i].Region != region {
		i++ // every destination has an evaluation
	}
	return &evaluations[i]
}

func sourceFirst(profile inference.Profile, region inference.Region) int {
	if region == profile.SourceRegion {
		return 0
	}
	return 1
}

// accessDenied is the service's 403 to the letter. Its cause, for the operator, is
// the position of the statement that denied, where there is one.
func (p *Policies) accessDenied(q *Question, e *Evaluation) error {
	link := " because "
	if e.Effect == ExplicitlyDenied {
		link = " with "
	}
	var cause error
	if e.Statement != "" {
		cause = errors.New("decided by the statement at " + e.Statement)
	}
	return &inference.Error{
		Kind: inference.AccessDenied, Op: "authorize", Region: e.Region, Err: cause,
		Message: "User: " + string(p.identity.caller(p.principal.ARN, q)) + " is not authorized to perform: " + e.Action +
			" on resource: " + string(e.Resource) + link + e.Reason,
	}
}
