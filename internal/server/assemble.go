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
	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/datasource"
	"fairway/internal/dialect/invocation"
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
		PermitBearer: func(principal string, source inference.Region) error {
			return line.Policy.PermitBearer(principal, source, s.now())
		},
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
		Estimate: estimate, Outline: s.outline, SameBody: sameBody, Text: text, Shadows: s.shadows,
	}, nil
}

// model is the foundation model behind what a caller named. The error for what is none
// is of kind ResourceNotFound, as the dialects other than Bedrock's have it.
func (s *Server) model(ctx context.Context, named string, source inference.Region) (inference.ModelID, error) {
	p, err := s.catalog.Lookup(ctx, named, source)
	if errors.Is(err, catalog.ErrUnknown) {
		err = &inference.Error{Kind: inference.ResourceNotFound, Op: "look up model", Region: source, Message: "The provided model identifier is invalid.", Err: err}
	}
	return p.Model, err
}

// models are the profiles and bare models that can be called from source and answer
// with text, for a principal who may list them.
func (s *Server) models(permit *policy.Engine) func(context.Context, inference.Principal, inference.Region) ([]openai.ModelEntry, error) {
	return func(_ context.Context, p inference.Principal, source inference.Region) ([]openai.ModelEntry, error) {
		if err := permit.Permit(p.Name, "bedrock:ListFoundationModels", "*", source, s.now()); err != nil {
			return nil, err
		}
		known := map[inference.ModelID]inference.ModelListing{}
		var profiles, bare []openai.ModelEntry
		for _, m := range s.catalog.ListModels(source) {
			known[m.ID] = m
			if invocation.Writes(m.ID) && slices.Contains(m.InferenceTypes, "ON_DEMAND") {
				bare = append(bare, listed(string(m.ID), m))
			}
		}
		for _, p := range s.catalog.Profiles(source) {
			if m, ok := known[p.Model]; ok && invocation.Writes(m.ID) {
				profiles = append(profiles, listed(string(p.ID), m))
			}
		}
		return append(profiles, bare...), nil
	}
}

// listed is m by its own id or a profile's.
func listed(id string, m inference.ModelListing) openai.ModelEntry {
	e := openai.ModelEntry{ID: id, OwnedBy: m.Provider}
	if came := m.Lifecycle.Start; !came.IsZero() {
		e.Created = came.Unix()
	}
	return e
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
		Room:         s.queries,
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
