// Package server is the composition root: the one place that joins the stages,
// the fronts and the configuration into an http.Handler.
//
//	server.go    what lives as long as the server
//	assemble.go  what is built anew from each backend
//	routes.go    paths to handlers, guard.go before them
//	admin.go     the admin API
//	keys.go      the credentials that clients are given
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"fairway/backend"
	"fairway/internal/auth"
	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/datasource"
	"fairway/internal/inference"
	"fairway/internal/meter"
	"fairway/internal/outputs"
	"fairway/internal/route"
	"fairway/internal/upstream/sim"
	"fairway/internal/userpool"
)

// DefaultBaseURL is where a server is taken to be that was not told.
const DefaultBaseURL = "http://127.0.0.1:20002"

// shutdownGrace is how long running requests may take once the server stops.
const shutdownGrace = 3 * time.Second

// ErrConfig is something that the configuration names and that cannot be used.
var ErrConfig = errors.New("configuration")

// Options is what a Server is made of. Only Config is required.
type Options struct {
	Config  *config.Config
	Backend *backend.Backend // nil serves Bedrock alone
	State   string           // folder for keys and the test user; empty keeps them in memory
	BaseURL string           // where clients reach the server; default DefaultBaseURL
	Log     *slog.Logger     // default: nowhere
	Now     func() time.Time // default: time.Now

	// Env is the environment that secrets are looked up in; default: os.LookupEnv.
	Env func(name string) (value string, ok bool)
}

// Server answers at both doors. It is safe for concurrent use.
type Server struct {
	config  *config.Config
	baseURL string
	host    string           // of baseURL, lower case
	region  inference.Region // signing region and default source region
	log     *slog.Logger
	now     func() time.Time

	catalog *catalog.Catalog
	world   *sim.World
	router  *route.Router
	meter   *meter.Meter
	pool    *userpool.Pool
	keys    *keys
	tokens  *auth.Tokens
	network *datasource.Network

	handler http.Handler
	app     atomic.Pointer[app] // the backend being served
}

// New makes a Server. Nothing listens yet.
func New(o Options) (*Server, error) {
	s := &Server{
		config:  o.Config,
		baseURL: cmp.Or(o.BaseURL, DefaultBaseURL),
		log:     cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		now:     o.Now,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	s.network = datasource.NewNetwork(awsSigner{o.Config.AWS, o.Env, s.now}.sign)
	base, err := url.Parse(s.baseURL)
	if err != nil {
		return nil, fmt.Errorf("read base URL: %w", err)
	}
	s.host = strings.ToLower(base.Hostname())
	s.region = cmp.Or(o.Config.Region, signingRegion(o.Backend), "us-east-1")
	s.catalog = catalog.New(catalog.Options{Account: o.Config.Account})
	if s.world, err = newWorld(o.Config, s.catalog, s.now); err != nil {
		return nil, err
	}
	s.router = route.New(route.Config{
		Upstream:       s.world,
		Order:          o.Config.Order,
		MaxAttempts:    o.Config.MaxAttempts,
		AttemptTimeout: time.Duration(o.Config.AttemptTimeout),
		StallTimeout:   time.Duration(o.Config.StallTimeout),
		Breaker:        breaker(o.Config),
		Simulated:      true,
		Observe:        s.observe,
	})
	s.meter = meter.New(meter.Config{Pricer: prices{s.catalog}, Log: s.log, Now: s.now})
	if err := s.openIdentities(o); err != nil {
		return nil, err
	}
	if err := s.Reload(o.Backend); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.handler = s.routes()
	return s, nil
}

// openIdentities opens the user pool and the keys.
func (s *Server) openIdentities(o Options) error {
	pool := userpool.Options{Region: s.region, BaseURL: s.baseURL, Dir: o.State, Now: s.now}
	if o.Backend != nil && o.Backend.Auth != nil {
		pool.PasswordMinLength = o.Backend.Auth.PasswordMinLength
	}
	var err error
	if s.pool, err = userpool.New(pool); err != nil {
		return fmt.Errorf("open user pool: %w", err)
	}
	s.tokens = auth.NewTokens(auth.TokenOptions{Issuer: s.pool.Issuer(), ClientID: s.pool.ClientID(), Keys: s.pool, Now: s.now})
	if s.keys, err = openKeys(o.State, s.developer(), keyLife(o.Backend), s.now); err != nil {
		return errors.Join(fmt.Errorf("open keys: %w", err), s.Close())
	}
	return nil
}

// Reload serves b from the next request on. A request that has begun ends with
// the backend it began with. On an error nothing changes.
func (s *Server) Reload(b *backend.Backend) error {
	next, err := s.assemble(b)
	if err != nil {
		return err
	}
	s.app.Store(next)
	return nil
}

// ServeHTTP answers a request at either door.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Serve answers on the listener until ctx ends, then lets running requests
// finish for a few seconds. It speaks HTTP/1.1 and, without TLS too, HTTP/2: the
// AWS SDK for JavaScript opens with HTTP/2 also on plain http endpoints.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	// Requests outlive ctx by the grace, then they are told to stop.
	requests, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	srv := &http.Server{
		BaseContext:       func(net.Listener) context.Context { return requests },
		Handler:           s,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	defer time.AfterFunc(shutdownGrace, giveUp).Stop()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace+time.Second)
	defer cancel()
	if srv.Shutdown(end) == nil {
		return nil
	}
	return srv.Close()
}

// Close ends what the server runs.
func (s *Server) Close() error { return s.pool.Close() }

// SignIn gives a GraphQL request the credential of a mode: the API key, or the
// test user's token. Other modes have none here.
func (s *Server) SignIn(ctx context.Context, r *http.Request, mode backend.Mode) error {
	switch mode {
	case backend.APIKey:
		r.Header.Set("X-Api-Key", s.keys.APIKey)
		return nil
	case backend.UserPool:
		token, err := s.Token(ctx)
		r.Header.Set("Authorization", token)
		return err
	}
	return fmt.Errorf("sign in: there are no callers of mode %s here yet", mode)
}

// Token is an access token of the test user.
func (s *Server) Token(ctx context.Context) (string, error) {
	user := s.pool.TestUser()
	tokens, err := s.pool.SignIn(ctx, user.Username, user.Password)
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return tokens.Access, nil
}

// Outputs is what clients need to know of the server.
func (s *Server) Outputs() outputs.Fairway {
	user := s.pool.TestUser()
	out := outputs.Fairway{
		Endpoint:  s.baseURL,
		GraphQL:   outputs.GraphQL{URL: s.baseURL + "/graphql"},
		Region:    string(s.region),
		AWS:       outputs.AWSKey{AccessKeyID: s.keys.AccessKeyID, SecretAccessKey: s.keys.SecretAccessKey},
		BearerKey: s.keys.BearerKey,
		UserPool:  outputs.UserPool{Endpoint: s.baseURL, ID: s.pool.ID(), ClientID: s.pool.ClientID()},
		User:      outputs.User{Username: user.Username, Password: user.Password},
	}
	if s.app.Load().hasKeyMode {
		out.GraphQL.APIKey = s.keys.APIKey
	}
	return out
}

// observe logs failed attempts with their cause, which no caller sees.
func (s *Server) observe(t inference.Target, a inference.Attempt, failure *inference.Error) {
	if failure == nil || failure.Kind == inference.Canceled {
		return
	}
	s.log.Debug("attempt failed", "region", string(t.Region), "model", t.Model, "kind", string(a.Kind), "status", a.Status, "latency_ms", a.MS, "error", failure)
}

func breaker(c *config.Config) route.BreakerConfig {
	return route.BreakerConfig{Failures: c.Breaker.Failures, OpenFor: time.Duration(c.Breaker.OpenFor)}
}

// keyLife is how long a new API key is good for.
func keyLife(b *backend.Backend) time.Duration {
	if b == nil || b.Authorization.APIKeyExpiry == 0 {
		return apiKeyLife
	}
	return b.Authorization.APIKeyExpiry
}

// signingRegion is the signing region of the backend's first Bedrock data source.
func signingRegion(b *backend.Backend) inference.Region {
	if b == nil {
		return ""
	}
	for _, ds := range b.DataSources {
		if _, ok := inference.BedrockEndpoint(ds.Endpoint); ok && ds.SigningRegion != "" {
			return inference.Region(ds.SigningRegion)
		}
	}
	return ""
}

// prices asks the catalog what usage costs.
type prices struct{ catalog *catalog.Catalog }

// Cost is the cost at the price of what was invoked; prices differ by profile,
// whose geography is the entry region's.
func (p prices) Cost(named string, u inference.Usage) (inference.Money, bool) {
	price, ok := p.catalog.Price(named)
	return price.Cost(u), ok
}
