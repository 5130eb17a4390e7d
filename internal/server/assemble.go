package server

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"fairway/backend"
	"fairway/internal/amplify/schema"
	"fairway/internal/auth"
	"fairway/internal/datasource"
	"fairway/internal/front/bedrock"
	"fairway/internal/front/graphql"
	"fairway/internal/gateway"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/resolver"
)

// app is what follows from one backend. It is immutable.
type app struct {
	bedrock    *bedrock.Front
	graphql    *graphql.Front // nil without a backend
	signsIn    bool           // the API has a user pool
	hasKeyMode bool           // the API has API keys
}

// assemble joins the stages for b.
func (s *Server) assemble(b *backend.Backend) (*app, error) {
	line, err := s.gateway(b)
	if err != nil {
		return nil, err
	}
	a := &app{bedrock: bedrock.New(bedrock.Config{
		Gateway:       line,
		Authenticator: auth.Bedrock{Keys: s.keys.bedrock, Now: s.now},
		DefaultRegion: s.region,
		MaxBody:       int64(s.config.Limits.BedrockBody),
		Log:           s.log,
	})}
	if b == nil {
		return a, nil
	}
	a.signsIn = b.Auth != nil && b.Authorization.Allows(backend.UserPool)
	a.hasKeyMode = b.Authorization.Allows(backend.APIKey)
	a.graphql, err = s.graphql(b, a)
	return a, err
}

// gateway is the straight line for the principals of b.
func (s *Server) gateway(b *backend.Backend) (*gateway.Gateway, error) {
	principals := []policy.Principal{{Principal: s.developer(), Statements: []policy.Statement{{
		Effect: "Allow", Actions: []string{"bedrock:*"}, Resources: []string{"*"}, At: "the built-in policy of developer",
	}}}}
	for _, p := range roles(b) {
		principals = append(principals, policy.Principal{Principal: inference.ServiceRole(s.config.Account, p.Name), Statements: p.Statements})
	}
	engine, err := policy.New(policy.Options{Mode: policy.Mode(s.config.Grant), Account: s.config.Account}, principals...)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	return &gateway.Gateway{Catalog: s.catalog, Policy: engine, Router: s.router, Meter: s.meter, Clock: s.now, Log: s.log}, nil
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
		ARN:  inference.ARN("arn:aws:iam::" + s.config.Account + ":user/developer"),
	}
}

// graphql is the front of b with its resolvers compiled.
func (s *Server) graphql(b *backend.Backend, a *app) (*graphql.Front, error) {
	compiled, err := s.compile(b)
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
		Limits:       graphql.Limits{Body: int(s.config.Limits.GraphQLBody)},
		Timeout:      time.Duration(s.config.RequestTimeout),
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
	role := inference.ServiceRole(s.config.Account, ds.Principal)
	if _, ok := inference.BedrockEndpoint(ds.Endpoint); ok {
		return datasource.NewHTTP(ds, role, front)
	}
	return datasource.NewHTTP(ds, role, s.network)
}

// ErrResolver is a resolver file that the runtime refuses.
var ErrResolver = errors.New("resolver code is refused")

// compile is b with a Resolver in place of each resolver file. All files are
// compiled before the first error is returned, so that one look shows them all.
func (s *Server) compile(b *backend.Backend) (*backend.Backend, error) {
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
				r, err := resolver.Compile(f.Entry, f.Code, resolver.Options{Log: s.log, LogContent: s.config.Log.Content})
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
