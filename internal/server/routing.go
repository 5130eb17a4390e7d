package server

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/continuation"
	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/route"
	"fairway/internal/tokens"
)

// newRouter routes by c. What is known of the targets stays known.
func (s *Server) newRouter(c *config.Config) *route.Router {
	settings := route.Config{
		Upstream:       s.upstream,
		Route:          routeOf(c.Routing),
		Rules:          rules(c),
		Residency:      residencies(c),
		Quotas:         quotas(c),
		Shared:         s.store.IsShared(),
		Start:          quotaStart(c),
		Targets:        s.upstream.targets,
		Pinning:        route.Pinning(c.Pinning),
		MaxAttempts:    c.MaxAttempts,
		AttemptTimeout: time.Duration(c.AttemptTimeout),
		AnswerTimeout:  s.upstream.silence,
		StallTimeout:   time.Duration(c.StallTimeout),
		FirstContent:   time.Duration(c.FirstContentTimeout),
		ChunkTimeout:   time.Duration(c.ChunkTimeout),
		CallTimeout:    time.Duration(c.CallTimeout),
		Retry:          route.Retry{Budget: float64(c.Retry.Budget), Reserve: c.Retry.Reserve, Wait: time.Duration(c.Retry.Wait)},
		Hedge:          route.Hedge{Budget: float64(c.Hedge.Budget), Least: time.Duration(c.Hedge.Least)},
		KeepCache:      time.Duration(c.KeepCache),
		Breaker:        breaker(c),
		Continuer:      continuer{continuation.Continuer{Models: s.catalog.Model}},
		Price:          s.price,
		Burndown:       s.burndown,
		Simulated:      s.upstream.world != nil,
		Tracer:         s.tracing.Tracer(),
		Observe:        s.observe,
	}
	if last := s.app.Load(); last != nil {
		return last.router.Reconfigured(settings)
	}
	return route.New(settings)
}

func routeOf(r config.Routing) route.Route {
	return route.Route{
		Policy:    inference.Policy(r.Policy),
		Order:     r.Order,
		Weights:   maps.Clone(r.Weights),
		Residency: residency(r.Residency),
		OnCut:     inference.OnCut(r.OnCut),
		Instruct:  r.OnCutInstruct,
		Fallbacks: r.Fallbacks,
	}
}

// rules are c's routes.
func rules(c *config.Config) []route.Rule {
	all := make([]route.Rule, len(c.Routes))
	for i, r := range c.Routes {
		all[i] = route.Rule{Principals: r.Principals, Models: r.Models, Route: routeOf(r.Routing)}
		all[i].Route.NoHedge = !r.Hedge
		all[i].Route.Shadow = route.Shadow{Share: float64(r.Shadow.Share), Region: r.Shadow.Region, Model: r.Shadow.Model}
	}
	return all
}

// residencies are where principals have to stay, by name.
func residencies(c *config.Config) map[string]route.Residency {
	all := map[string]route.Residency{}
	for _, p := range c.Principals {
		if len(p.Residency) > 0 {
			all[p.Name] = residency(p.Residency)
		}
	}
	return all
}

func residency(r config.Residency) route.Residency {
	return route.Residency{Names: r, Regions: r.Regions()}
}

func quotas(c *config.Config) []route.Quota {
	all := make([]route.Quota, len(c.Quotas))
	for i, q := range c.Quotas {
		all[i] = route.Quota(q)
	}
	return all
}

func breaker(c *config.Config) route.BreakerConfig {
	return route.BreakerConfig{
		Failures: c.Breaker.Failures, OpenFor: time.Duration(c.Breaker.OpenFor), MaxOpenFor: time.Duration(c.Breaker.MaxOpenFor),
	}
}

// price is what a million tokens of input and as many of output cost together.
func (s *Server) price(model string) (inference.Money, bool) {
	const million = 1_000_000
	p, ok := s.catalog.Price(model, s.now())
	return p.Cost(inference.Usage{InputTokens: million, OutputTokens: million}), ok
}

func (s *Server) burndown(model inference.ModelID) int {
	m, _ := s.catalog.Model(model)
	return max(m.OutputBurndown, 1)
}

// outline is what routing and budgets ask of a request.
func (s *Server) outline(r *inference.Request, model inference.ModelID) inference.Outline {
	m, ok := s.catalog.Model(model)
	if !ok {
		m.ID = model
	}
	var scripts []tokens.Script // of all that was counted
	o := invocation.Outline(r.Operation, m, r.Body, func(text string) int {
		read := tokens.FamilyOf(model).ReadText(text)
		if !slices.Contains(scripts, read.Script) {
			scripts = append(scripts, read.Script)
		}
		return read.Text
	})
	counted := tokens.Reading{Text: o.MostInput - o.MediaTokens, Frame: o.MediaTokens}
	for _, counted.Script = range scripts {
		o.MostInput = max(o.MostInput, s.estimator.Quick(model, counted).High)
	}
	if bytes.Contains(r.Body, []byte(`"tool`)) {
		o.MostInput += hiddenPrompt
	}
	return o
}

// hiddenPrompt is what models put before a prompt with tools, in tokens (Anthropic, "Tool
// use": 313 to 346, and more with the tools of its own).
const hiddenPrompt = 500

// estimate counts the tokens of a request as the simulator would.
func estimate(r *inference.Request, model inference.ModelID) int {
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return 0
	}
	conversation, err := form.Decode(r.Body)
	if err != nil {
		return 0
	}
	return tokens.FamilyOf(model).Conversation(conversation)
}

// count counts the tokens of a text as the simulator would.
func count(model inference.ModelID, text string) int { return tokens.FamilyOf(model).Text(text) }

// sameBody reports whether a body for one model is one for the other.
func sameBody(op inference.Operation, called, other inference.ModelID) bool {
	form, err := invocation.Of(op, called)
	if err != nil {
		return false
	}
	others, err := invocation.Of(op, other)
	return err == nil && form == others
}

// text reads the text of a model's answer, event by event; nil where nobody can.
func text(op inference.Operation, model inference.ModelID) func(inference.Event) string {
	reader, err := invocation.Read(op, model)
	if err != nil {
		return nil
	}
	return func(e inference.Event) string {
		pieces, err := reader.Read(e)
		if err != nil {
			return ""
		}
		var said strings.Builder
		for _, p := range pieces {
			if p.Kind == dialect.Delta {
				said.WriteString(p.Text)
			}
		}
		return said.String()
	}
}

// continuer is a continuation as route asks for it.
type continuer struct{ continuation.Continuer }

// Follow is nil where the answer could not be gone on with.
func (c continuer) Follow(r *inference.Request, model inference.ModelID, instruct bool) route.Thread {
	if thread := c.Continuer.Follow(r, model, instruct); thread != nil {
		return thread
	}
	return nil
}

// prices asks the catalog what usage costs.
type prices struct{ catalog *catalog.Catalog }

// Cost is the cost at the price of what was invoked; prices differ by profile,
// whose geography is the entry region's.
func (p prices) Cost(named string, u inference.Usage, at time.Time) (inference.Money, bool) {
	price, ok := p.catalog.Price(named, at)
	return price.Cost(u), ok
}

// readPrices reads the file of prices that c names, else the one that "fairway prices
// update" makes; nil without any.
func (s *Server) readPrices(c *config.Config) (*catalog.Prices, error) {
	name := string(c.Prices)
	if name == "" && s.state != "" {
		name = filepath.Join(s.state, "prices.yaml")
	}
	if name == "" {
		return nil, nil
	}
	prices, err := catalog.OpenPrices(name)
	if c.Prices == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: prices: %w", ErrConfig, err)
	}
	return prices, nil
}
