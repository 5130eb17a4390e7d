package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fairway/backend"
	"fairway/internal/amplify/schema"
	"fairway/internal/auth"
	"fairway/internal/config"
	"fairway/internal/datasource"
	"fairway/internal/front"
	"fairway/internal/front/anthropic"
	"fairway/internal/front/bedrock"
	"fairway/internal/front/bedrock/control"
	"fairway/internal/front/graphql"
	"fairway/internal/front/openai"
	"fairway/internal/gateway"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/resolver"
	"fairway/internal/route"
)

// app is what follows from one configuration and backend. It is immutable.
type app struct {
	config     *config.Config
	router     *route.Router
	bedrock    *bedrock.Front
	control    *control.Front
	openai     *openai.Front
	anthropic  *anthropic.Front
	graphql    *graphql.Front // nil without a backend
	signsIn    bool           // the API has a user pool
	hasKeyMode bool           // the API has API keys
}

// assemble joins the stages for c and b.
func (s *Server) assemble(ctx context.Context, c *config.Config, b *backend.Backend) (*app, error) {
	callers, err := s.callers(ctx, c)
	if err != nil {
		return nil, err
	}
	a := &app{config: c, router: s.newRouter(c)}
	line, err := s.gateway(a, callers, b)
	if err != nil {
		return nil, err
	}
	door := front.Config{
		Gateway:       line,
		Authenticator: auth.Bedrock{Keys: callers.keys, Now: s.now},
		DefaultRegion: s.region,
		MaxBody:       int64(c.Limits.BedrockBody),
		WriteTimeout:  time.Duration(c.WriteTimeout),
		Room:          s.room,
		Log:           s.log,
	}
	if s.show != nil {
		door.Gateway = shown{line, s.model, s.show}
	}
	a.bedrock = bedrock.New(door)
	a.control = control.New(control.Config{
		Config: door, Account: c.Account, Catalog: s.catalog, Applications: s.store, Permit: line.Policy.Permit, Now: s.now,
	})
	a.openai = openai.New(openai.Config{Config: door, Model: s.model, Models: s.models(line.Policy)})
	a.anthropic = anthropic.New(anthropic.Config{Config: door, Model: s.model})
	if b == nil {
		return a, nil
	}
	a.signsIn = b.Auth != nil && b.Authorization.Allows(backend.UserPool)
	a.hasKeyMode = b.Authorization.Allows(backend.APIKey)
	a.graphql, err = s.graphql(b, a)
	return a, err
}

// newRouter routes by c. What is known of the targets' health stays known.
func (s *Server) newRouter(c *config.Config) *route.Router {
	settings := route.Config{
		Upstream:       s.upstream,
		Order:          c.Order,
		Targets:        s.upstream.targets,
		Pinning:        route.Pinning(c.Pinning),
		MaxAttempts:    c.MaxAttempts,
		AttemptTimeout: time.Duration(c.AttemptTimeout),
		StallTimeout:   time.Duration(c.StallTimeout),
		FirstContent:   time.Duration(c.FirstContentTimeout),
		ChunkTimeout:   time.Duration(c.ChunkTimeout),
		Breaker:        breaker(c),
		Simulated:      s.upstream.world != nil,
		Tracer:         s.tracing.Tracer(),
		Observe:        s.observe,
	}
	if last := s.app.Load(); last != nil {
		return last.router.Reconfigured(settings)
	}
	return route.New(settings)
}

// gateway is the straight line for the callers and the roles of b.
func (s *Server) gateway(a *app, c *callers, b *backend.Backend) (*gateway.Gateway, error) {
	principals := c.principals
	for _, p := range roles(b) {
		principals = append(principals, policy.Principal{Principal: inference.ServiceRole(a.config.Account, p.Name), Statements: p.Statements})
	}
	engine, err := policy.New(policy.Options{Mode: policy.Mode(a.config.Grant), Account: a.config.Account}, principals...)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	return &gateway.Gateway{
		Catalog: s.catalog, Policy: engine, Router: a.router, Meter: s.meter, Clock: s.now, Log: s.log, Tracer: s.tracing.Tracer(),
	}, nil
}

// model is the foundation model behind what a caller named.
func (s *Server) model(ctx context.Context, named string, source inference.Region) (inference.ModelID, error) {
	p, err := s.catalog.Lookup(ctx, named, source)
	return p.Model, err
}

// models are the profiles and bare models that can be called from source, for a
// principal who may list them.
func (s *Server) models(permit *policy.Engine) func(context.Context, inference.Principal, inference.Region) ([]openai.ModelEntry, error) {
	return func(_ context.Context, p inference.Principal, source inference.Region) ([]openai.ModelEntry, error) {
		if err := permit.Permit(p.Name, "bedrock:ListFoundationModels", "*", source, s.now()); err != nil {
			return nil, err
		}
		var entries []openai.ModelEntry
		for _, profile := range s.catalog.Profiles(source) {
			entries = append(entries, s.entry(string(profile.ID), profile.Model))
		}
		for _, m := range s.catalog.Models() {
			if _, err := s.catalog.Lookup(context.Background(), string(m.ID), source); err == nil {
				entries = append(entries, s.entry(string(m.ID), m.ID))
			}
		}
		return entries, nil
	}
}

func (s *Server) entry(id string, model inference.ModelID) openai.ModelEntry {
	m, _ := s.catalog.Model(model)
	return openai.ModelEntry{ID: id, OwnedBy: m.Provider}
}

// roles are the principals of b, and those its data sources call as that were
// given no statement: they may do nothing, and are told so in the service's words.
func roles(b *backend.Backend) []backend.Principal {
	if b == nil {
		return nil
	}
	all := slices.Clone(b.Principals)
	for _, ds := range b.DataSources {
		if !slices.ContainsFunc(all, func(p backend.Principal) bool { return p.Name == ds.Principal }) {
			all = append(all, backend.Principal{Name: ds.Principal})
		}
	}
	return all
}

// developer is the principal of the keys that the server hands out.
func (s *Server) developer() inference.Principal {
	return inference.Principal{
		Name: "developer",
		ARN:  inference.ARN("arn:aws:iam::" + s.account + ":user/developer"),
	}
}

// graphql is the front of b with its resolvers compiled.
func (s *Server) graphql(b *backend.Backend, a *app) (*graphql.Front, error) {
	compiled, err := s.compile(b, a.config.Log.Content)
	if err != nil {
		return nil, err
	}
	sources := map[string]graphql.DataSource{backend.NoneDataSource: datasource.None{}}
	for _, ds := range b.DataSources {
		sources[ds.Name] = s.dataSource(ds, a.bedrock)
	}
	callers := auth.GraphQL{}
	if a.hasKeyMode {
		callers.APIKeys = s.keys.graphql
	}
	if a.signsIn {
		callers.Tokens = s.tokens
	}
	return graphql.New(graphql.Config{
		Backend:      compiled,
		Prelude:      schema.Prelude(),
		Authenticate: callers.Identify,
		DataSource:   func(name string) graphql.DataSource { return sources[name] },
		Log:          s.log,
		Limits:       graphql.Limits{Body: int(a.config.Limits.GraphQLBody)},
		Timeout:      time.Duration(a.config.RequestTimeout),
	})
}

// dataSource binds a data source to where its requests go: Bedrock's endpoints
// to the Bedrock front in process, all others to the network.
func (s *Server) dataSource(ds backend.DataSource, front *bedrock.Front) graphql.DataSource {
	switch {
	case ds.Kind == backend.None:
		return datasource.None{}
	case ds.Kind != backend.HTTP:
		return datasource.Unsupported{Name: ds.Name, Kind: ds.Kind}
	}
	role := inference.ServiceRole(s.account, ds.Principal)
	if _, ok := inference.BedrockEndpoint(ds.Endpoint); ok {
		return datasource.NewHTTP(ds, role, front)
	}
	return datasource.NewHTTP(ds, role, s.network)
}

// ErrResolver is a resolver file that the runtime refuses.
var ErrResolver = errors.New("resolver code is refused")

// compile is b with a Resolver in place of each resolver file. All files are
// compiled before the first error is returned, so that one look shows them all.
func (s *Server) compile(b *backend.Backend, content bool) (*backend.Backend, error) {
	compiled := *b
	compiled.Operations = make([]backend.Operation, len(b.Operations))
	files := map[string]*resolver.Resolver{}
	var failed []error
	for i, op := range b.Operations {
		op.Pipeline = append([]backend.Function(nil), op.Pipeline...)
		for j := range op.Pipeline {
			f := &op.Pipeline[j]
			if f.Resolver != nil {
				continue
			}
			if files[f.Entry] == nil {
				r, err := resolver.Compile(f.Entry, f.Code, resolver.Options{Log: s.log, LogContent: content})
				if err != nil {
					failed = append(failed, err)
					continue
				}
				files[f.Entry] = r
			}
			f.Resolver = files[f.Entry]
		}
		compiled.Operations[i] = op
	}
	if len(failed) > 0 {
		return nil, fmt.Errorf("%w:\n%w", ErrResolver, errors.Join(failed...))
	}
	return &compiled, nil
}
