package gateway

import (
	"context"
	"log/slog"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// fallBack appends to a call's plan the targets of the models that its route falls
// back to, in order, those that the principal may call. Nothing counts the tokens of
// one model for another.
func (g *Gateway) fallBack(ctx context.Context, c *call, plan []route.Choice) []route.Choice {
	if c.request.Operation == inference.CountTokens {
		return plan
	}
	for _, named := range c.routing.Route.Fallbacks {
		grant, err := g.standIn(ctx, c, named)
		switch {
		case err != nil:
			g.leaveOut(ctx, c.request, "fallback left out", named, err)
		case grant.Profile.Named() != c.routing.Grant.Profile.Named():
			routing := g.routing(c.request, grant, c.routing.Route)
			plan = g.Router.Plan(plan, &routing, g.Clock())
		}
	}
	return plan
}

// standIn is the grant to make a call of another profile or model than the one that
// was called. The error is of kind Validation where that does not take the call's body.
func (g *Gateway) standIn(ctx context.Context, c *call, named string) (*inference.Grant, error) {
	req := c.request
	profile, err := g.Catalog.Lookup(ctx, named, req.SourceRegion)
	if err != nil {
		return nil, err
	}
	if called := c.routing.Grant.Profile.Model; !g.sameBody(req.Operation, called, profile.Model) {
		return nil, &inference.Error{
			Kind: inference.Validation, Op: "stand in for " + string(called),
			Message: named + " takes another body of " + string(req.Operation) + ": name a model of the same family, or call by Converse",
		}
	}
	return g.Policy.Authorize(g.question(req), profile)
}

func (g *Gateway) sameBody(op inference.Operation, called, other inference.ModelID) bool {
	switch {
	case called == other, op == inference.Converse, op == inference.ConverseStream:
		return true
	default:
		return g.SameBody != nil && g.SameBody(op, called, other)
	}
}

// leaveOut says once of a configured profile or model that calls of a principal cannot
// be made of it, and why.
func (g *Gateway) leaveOut(ctx context.Context, req *inference.Request, message, named string, why error) {
	type omission struct {
		message, named, principal string
		operation                 inference.Operation
	}
	if _, again := g.leftOut.LoadOrStore(omission{message, named, req.Principal.Name, req.Operation}, nil); again {
		return
	}
	g.Log.LogAttrs(ctx, slog.LevelInfo, message, slog.String("request_id", req.ID),
		slog.String("principal", req.Principal.Name), slog.String("model", named), slog.Any("error", why))
}
