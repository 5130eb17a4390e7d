package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// plan sets the targets of a call, best first, at least one: those of the grant, then
// those of the models that stand in for it. The error is AccessDenied: of a call that
// no target can keep to where it may run.
func (g *Gateway) plan(ctx context.Context, c *call, grant *inference.Grant) error {
	c.routing = g.routing(c.request, grant, g.route(c, grant))
	plan := g.Router.Plan(make([]route.Choice, 0, len(grant.Destinations)+1), &c.routing, g.Clock())
	if c.repeats == nil {
		plan = g.fallBack(ctx, c, plan)
	}
	c.record.Policy = cmp.Or(c.routing.Policy, c.routing.Route.Policy, usual(grant))
	c.record.Residency = g.Router.Bound(&c.routing)
	if len(plan) == 0 {
		return g.nowhere(&c.routing)
	}
	plan, err := g.stay(c.request, plan)
	if err != nil {
		return err
	}
	if c.repeats != nil {
		if plan, err = c.aside(plan); err != nil {
			return err
		}
	}
	c.plan, c.record.Simulated = plan, plan[0].Target.Simulated
	g.showPlan(ctx, c)
	return nil
}

// route is how a call goes. A shadow goes as the call that it repeats, whose residency
// it keeps to, whatever model it is sent to.
func (g *Gateway) route(c *call, grant *inference.Grant) *route.Route {
	if c.repeats != nil {
		return c.repeats.routing.Route
	}
	return g.Router.Route(c.request.Principal.Name, grant.Profile.Named())
}

// usual is the policy that ranks first where none was chosen: a statement's order, or
// what orders those that none names.
func usual(grant *inference.Grant) inference.Policy {
	if len(grant.Destinations) > 0 && grant.Destinations[0].Named {
		return inference.Ordered
	}
	return inference.Adaptive
}

// routing is what routing is told of a call.
func (g *Gateway) routing(req *inference.Request, grant *inference.Grant, r *route.Route) route.Call {
	c := route.Call{
		Principal: req.Principal.Name,
		Grant:     grant,
		Route:     r,
		Policy:    req.Steering.Policy,
		OnCut:     req.Steering.OnCut,
		Streams:   req.Operation.Streams(),
		Guarded:   req.Header.Get(guardrailHeader) != "",
		Size:      len(req.Body),
		Seed:      fnv(req.ID),
	}
	if session := req.Steering.Session; session != "" {
		c.Session = fnv(req.Principal.Name, session)
	}
	if g.Outline != nil {
		c.Outline = sync.OnceValue(func() inference.Outline { return g.Outline(req, grant.Profile.Model) })
	}
	return c
}

// fnv is FNV-1a with a zero behind each text: the same on every server.
func fnv(texts ...string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for _, text := range texts {
		for _, b := range []byte(text) {
			h = (h ^ uint64(b)) * prime
		}
		h *= prime
	}
	return h
}

// showPlan says how the targets were ranked, where the call asks for it.
func (g *Gateway) showPlan(ctx context.Context, c *call) {
	if !c.request.Steering.Trace {
		return
	}
	c.record.Plan = route.Ranking(c.plan)
	g.Log.LogAttrs(ctx, slog.LevelInfo, "call planned", slog.String("request_id", c.request.ID),
		slog.String("policy", string(c.record.Policy)), slog.Any("plan", c.record.Plan))
}

// nowhere is the refusal of a call that has no target.
func (g *Gateway) nowhere(c *route.Call) error {
	if g.Router.KeptOut(c) {
		return keptOut(c.Grant, g.Router.Bound(c))
	}
	return strays(c.Grant)
}

// keptOut is the refusal of a call whose every target could run outside of its
// residency.
func keptOut(grant *inference.Grant, bound []string) error {
	return &inference.Error{
		Kind: inference.AccessDenied, Op: "plan", Region: grant.Profile.SourceRegion,
		Message: "invoke model: " + grant.Profile.Named() + " has no target that stays within " + strings.Join(bound, ", ") +
			", the residency of the call: call a profile that runs there, or widen the residency",
	}
}

// strays is the refusal of a call whose every target could run outside of the
// grant: a profile of real regions runs anywhere in its run set.
func strays(grant *inference.Grant) error {
	elsewhere := "regions that are not allowed"
	if len(grant.Denied) > 0 {
		elsewhere = string(grant.Denied[0].Resource) + ", which is not allowed"
	}
	return &inference.Error{
		Kind: inference.AccessDenied, Op: "plan", Region: grant.Profile.SourceRegion,
		Message: "invoke model: " + grant.Profile.Named() + " may run in " + elsewhere +
			": allow all of its destinations, or set pinning to best-effort",
	}
}

// guardrailHeader names a request's guardrail, whatever the operation.
const guardrailHeader = "X-Amzn-Bedrock-Guardrailidentifier"

// stay keeps a call that names a guardrail in its source region, where the
// guardrail is, and in the regions that are configured to have its equivalent: no
// other can apply it. The error, where the call may run in none of them, is
// AccessDenied. The plan is changed in place, its targets are not.
func (g *Gateway) stay(req *inference.Request, plan []route.Choice) ([]route.Choice, error) {
	guardrail := req.Header.Get(guardrailHeader)
	if guardrail == "" {
		return plan, nil
	}
	kept := plan[:0]
	for _, choice := range plan {
		if choice.Target.Region != req.SourceRegion {
			equivalent, ok := g.Catalog.Equivalent(guardrail, choice.Target.Region)
			if !ok {
				continue
			}
			guarded := *choice.Target
			guarded.Guardrail = equivalent
			choice.Target = &guarded
		}
		kept = append(kept, choice)
	}
	if len(kept) == 0 {
		return nil, &inference.Error{
			Kind: inference.AccessDenied, Op: "plan", Region: req.SourceRegion,
			Message: "invoke model: the guardrail keeps the call in its source region " + string(req.SourceRegion) +
				", where the model may not run: allow it there, or call from a destination region that is allowed",
		}
	}
	return kept, nil
}
