package gateway

import "fairway/internal/inference"

// plan is the targets of a call, best first, at least one. The error is
// AccessDenied: of a call that no target can keep to where it may run. It appends
// to buf.
func (g *Gateway) plan(buf []inference.Target, req *inference.Request, grant *inference.Grant) ([]inference.Target, error) {
	plan := g.Router.Plan(buf, grant, g.Clock())
	if len(plan) == 0 {
		return nil, strays(grant)
	}
	return g.stay(req, plan)
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

// stay keeps a call that names a guardrail in its source region, where the
// guardrail is, and in the regions that are configured to have its equivalent: no
// other can apply it. The error, where the call may run in none of them, is
// AccessDenied. The plan is changed in place.
func (g *Gateway) stay(req *inference.Request, plan []inference.Target) ([]inference.Target, error) {
	guardrail := req.Header.Get("X-Amzn-Bedrock-Guardrailidentifier")
	if guardrail == "" {
		return plan, nil
	}
	kept := plan[:0]
	for _, t := range plan {
		has := t.Region == req.SourceRegion
		if !has {
			t.Guardrail, has = g.Catalog.Equivalent(guardrail, t.Region)
		}
		if has {
			kept = append(kept, t)
		}
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
