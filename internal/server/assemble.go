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
	"fairway/internal/front/sts"
	"fairway/internal/gateway"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/resolver"
	"fairway/internal/route"
)

// app is what follows from one configuration and backend. It is immutable, but for the
// keys in the store.
type app struct {
	config     *config.Config
	router     *route.Router
	bedrock    *bedrock.Front
	control    *control.Front
	openai     *openai.Front
	anthropic  *anthropic.Front
	graphql    *graphql.Front // nil without a backend
	hasKeyMode bool           // the API has API keys

	policy *policy.Engine
	sts    *sts.Front
	tokens *auth.Tokens // of every issuer
	callers
}

// assemble joins the stages for c and b.
func (s *Server) assemble(ctx context.Context, c *config.Config, b *backend.Backend) (*app, error) {
	a := &app{config: c, router: s.newRouter(c)}
	var err error
	if a.callers, err = s.callers(c, b); err != nil {
		return nil, err
	}
	if err := s.readKeys(ctx, &a.callers); err != nil {
		return nil, err
	}
	line, err := s.gateway(a)
	if err != nil {
		return nil, err
	}
	a.policy = line.Policy
	if err := config.UnknownPrincipals(c, nil, a.policy.Principals()...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	issuers, err := s.issuers(c, b)
	if err != nil {
		return nil, err
	}
	a.tokens = auth.NewTokens(issuers, s.now)
	s.warnOfModes(c, b, issuers)
	signatures := auth.Signatures{Keys: a.keys, Sessions: s.sessions, Principal: a.policy.Principal, Now: s.now}
	a.sts = s.sts(a, signatures)
	door := front.Config{
		Gateway:       line,
		Authenticator: auth.Bedrock{Signatures: signatures, Tokens: a.tokens},
		DefaultRegion: s.region,
		MaxBody:       int64(c.Limits.BedrockBody),
		WriteTimeout:  time.Duration(c.WriteTimeout),
		Room:          s.room,
		Log:           s.log,
		PermitBearer: func(p inference.Principal, source inference.Region, c inference.Circumstances) error {
			return a.policy.PermitBearer(s.question(p, "", c), source)
		},
	}
	if s.show != nil {
		door.Gateway = shown{line, s.model, s.show}
	}
	a.bedrock = bedrock.New(door)
	a.control = control.New(control.Config{
		Config: door, Account: c.Account, Catalog: s.catalog, Applications: s.store,
		Permit: func(p inference.Principal, action string, resource inference.ARN, region inference.Region, c inference.Circumstances) error {
			return a.policy.Permit(s.question(p, action, c), resource, region)
		},
	})
	a.openai = openai.New(openai.Config{Config: door, Model: s.model, Models: s.models(line.Policy)})
	a.anthropic = anthropic.New(anthropic.Config{Config: door, Model: s.model})
	if b == nil {
		return a, nil
	}
	a.hasKeyMode = b.Authorization.Allows(backend.APIKey)
	a.graphql, err = s.graphql(b, a, signatures)
	return a, err
}

// question asks policies about what p does.
func (s *Server) question(p inference.Principal, action string, c inference.Circumstances) policy.Question {
	return policy.Question{Principal: p.Name, ARN: p.ARN, Action: action, Circumstances: c, Now: s.now()}
}

// gateway is the straight line for a's callers.
func (s *Server) gateway(a *app) (*gateway.Gateway, error) {
	engine, err := policy.New(policy.Options{Mode: policy.Mode(a.config.Grant), Account: a.config.Account}, a.principals...)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	return &gateway.Gateway{
		Catalog: s.catalog, Policy: engine, Router: a.router, Budgets: s.budgets, Meter: s.meter, Clock: s.now, Log: s.log, Tracer: s.tracing.Tracer(),
		Estimate: estimate, Count: count, Outline: s.outline, Learn: s.learn, Team: teams(a.config), Named: budgetNames(a.config), SameBody: sameBody, Text: text, Shadows: s.shadows,
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
		if err := permit.Permit(s.question(p, "bedrock:ListFoundationModels", inference.Circumstances{}), "*", source); err != nil {
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

// graphql is the front of b with its resolvers compiled.
func (s *Server) graphql(b *backend.Backend, a *app, signatures auth.Signatures) (*graphql.Front, error) {
	compiled, err := s.compile(b, a.config.Log.Content)
	if err != nil {
		return nil, err
	}
	sources := map[string]graphql.DataSource{backend.NoneDataSource: datasource.None{}}
	for _, ds := range b.DataSources {
		sources[ds.Name] = s.dataSource(ds, a.bedrock)
	}
	callers := auth.GraphQL{
		Modes: b.Authorization, APIKeys: a.apiKeys, Tokens: a.tokens, Signatures: &signatures, Region: s.region,
		Authorizer: s.authorizer(a.config, b),
	}
	return graphql.New(graphql.Config{
		Backend:      compiled,
		Prelude:      schema.Prelude(),
		Authenticate: callers.Identify,
		Permit: func(who *inference.Identity, typ, field string) error {
			return s.permitField(a.policy, who, typ, field)
		},
		DataSource: func(name string) graphql.DataSource { return sources[name] },
		Log:        s.log,
		Limits:     graphql.Limits{Body: int(a.config.Limits.GraphQLBody)},
		Timeout:    time.Duration(a.config.RequestTimeout),
		Room:       s.queries,
	})
}

// permitField decides whether a caller of the mode AWS_IAM may ask for a field (AppSync
// Developer Guide, "AWS_IAM authorization").
func (s *Server) permitField(engine *policy.Engine, who *inference.Identity, typ, field string) error {
	q := s.question(who.Credential.Principal, "appsync:GraphQL", who.Circumstances)
	api := "arn:aws:appsync:" + string(s.region) + ":" + s.account + ":apis/" + backend.APIID
	return engine.Permit(q, inference.ARN(api+"/types/"+typ+"/fields/"+field), s.region)
}

// authorizer answers for the function of the mode AWS_LAMBDA; nil where c names none.
func (s *Server) authorizer(c *config.Config, b *backend.Backend) *auth.Authorizer {
	if c.GraphQL.Authorizer == "" {
		return nil
	}
	ttl := time.Duration(c.GraphQL.AuthorizerTTL)
	if own := b.Authorization.AuthorizerTTL; own != 0 {
		ttl = min(ttl, own)
	}
	return auth.NewAuthorizer(auth.AuthorizerOptions{
		URL: string(c.GraphQL.Authorizer), Account: s.account, TTL: ttl, Log: s.log, Now: s.now,
	})
}

// sts is the door of temporary credentials: the roles are the configuration's.
func (s *Server) sts(a *app, signatures auth.Signatures) *sts.Front {
	roles := map[inference.ARN]sts.Role{}
	for _, p := range a.config.Principals {
		if !p.IsRole() {
			continue
		}
		role := sts.Role{Name: p.Name, ARN: p.ARN, AssumedBy: p.AssumedBy, MaxSession: time.Duration(p.MaxSession), Tags: p.Tags, SessionTags: p.SessionTags}
		for _, issuer := range p.Issuers {
			role.WebIdentity = append(role.WebIdentity, string(issuer))
		}
		roles[p.ARN] = role
	}
	return sts.New(sts.Config{
		Authenticate: signatures.Authenticate,
		Roles:        func(arn inference.ARN) (sts.Role, bool) { role, ok := roles[arn]; return role, ok },
		Verify:       a.tokens.Verify, Issue: s.sessions.Issue, Log: s.log, Now: s.now,
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
