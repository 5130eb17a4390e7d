// Package server is the composition root: the one place that joins the stages,
// the fronts and the configuration into an http.Handler.
//
//	server.go      what lives as long as the server
//	assemble.go    what is built anew from each configuration and backend
//	upstream.go    what attempts call
//	routing.go     how they are ordered
//	principals.go  who may call
//	routes.go      paths to handlers, guard.go before them
//	admin.go       the admin API, probes and metrics
//	listen.go      serving, and the end of it
//	deadline.go    how long a client may take for an answer
//	room.go        how much is held at once
//	probe.go       calls of our own to targets that are out of use
//	loop.go        what runs beside the server
//	shown.go       answers shown while they come
//	world.go       the simulated regions
//	restart.go     what a reload leaves as it is
//	keys.go        the credentials that clients are given
//	identity.go    pools, sessions and issuers: who callers may turn out to be
//	keyring.go     keys that change in the store
//	spending.go    the ledger and the budgets of calls
//	quotashare.go  quotas that servers of one store share, by quotademand.go
//	signer.go      how requests to other services are signed
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fairway/backend"
	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/datasource"
	"fairway/internal/gateway"
	"fairway/internal/inference"
	"fairway/internal/meter"
	"fairway/internal/outputs"
	"fairway/internal/store"
	"fairway/internal/telemetry"
	"fairway/internal/wire/sigv4"
)

// DefaultBaseURL is where a server is taken to be that was not told.
const DefaultBaseURL = "http://127.0.0.1:20002"

// ErrConfig is something that the configuration names and that cannot be used.
var ErrConfig = errors.New("configuration")

// Options is what a Server is made of. Only Config is required.
type Options struct {
	Config  *config.Config
	Backend *backend.Backend // nil serves model clients alone
	State   string           // folder for keys, the test user and the store; empty keeps them in memory
	BaseURL string           // where clients reach the server; default DefaultBaseURL
	Version string           // of the program, for telemetry
	Log     *slog.Logger     // default: nowhere
	Now     func() time.Time // default: time.Now

	// Development adds the principal "developer", who may do everything and whose
	// keys are handed out, and serves the admin API on the same listener.
	Development bool

	// Explains is a server that answers no call, only Explain: it needs no secret, and
	// opens no store.
	Explains bool

	// Show, where set, is told the text of answers as it comes. Calls that have
	// one whole answer are then made as streams.
	Show func(text string)

	// Env is the environment that secrets are looked up in; default: os.LookupEnv.
	Env func(name string) (value string, ok bool)
}

// Server answers at every door. It is safe for concurrent use.
type Server struct {
	baseURL string
	host    string // of baseURL, lower case
	log     *slog.Logger
	now     func() time.Time
	env     func(string) (string, bool)
	show    func(string)

	development bool
	account     string
	state       string // folder, empty for none

	store    *store.Store
	catalog  *catalog.Catalog
	upstream *upstream
	meter    *meter.Meter
	shadows  *gateway.Shadows
	probing  loop // changed with app
	metrics  *telemetry.Metrics
	tracing  *telemetry.Tracing
	room     *room            // of model calls
	queries  *room            // of GraphQL requests, whose model calls take room of their own
	region   inference.Region // signing region and default source region
	keys     *keys
	network  *datasource.Network

	identities
	spending
	following loop // of keys that change in the store
	sharing   loop // of quotas with other servers
	explains  bool

	handler  http.Handler
	admin    http.Handler
	draining atomic.Bool

	changing sync.Mutex          // held by whoever replaces app
	app      atomic.Pointer[app] // the configuration and backend being served
}

// New makes a Server. Nothing listens yet. Ctx bounds the opening alone.
func New(ctx context.Context, o Options) (*Server, error) {
	s := &Server{
		baseURL:     cmp.Or(o.BaseURL, DefaultBaseURL),
		log:         cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		now:         o.Now,
		env:         o.Env,
		show:        o.Show,
		state:       o.State,
		development: o.Development,
		explains:    o.Explains,
		shadows:     gateway.NewShadows(),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.env == nil {
		s.env = os.LookupEnv
	}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open opens what lives as long as the server, then what o configures.
func (s *Server) open(ctx context.Context, o Options) error {
	c := o.Config
	base, err := url.Parse(s.baseURL)
	if err != nil {
		return fmt.Errorf("read base URL: %w", err)
	}
	s.host, s.account = strings.ToLower(base.Hostname()), c.Account
	s.network = datasource.NewNetwork(awsSigner{c.AWS, s.env, s.now}.sign)
	s.region = cmp.Or(c.Region, signingRegion(o.Backend), "us-east-1")
	s.catalog = catalog.New(catalog.Options{Account: c.Account}) // for simulated regions, which know the system's profiles
	if err := s.openStore(ctx, c, o.State); err != nil {
		return err
	}
	if s.upstream, err = s.openUpstream(ctx, c); err != nil {
		return err
	}
	s.catalog = catalog.New(catalog.Options{
		Account: c.Account, Applications: s.store.Recent(), Remote: s.upstream.remote, Equivalents: equivalents(c),
	})
	if err := s.openTelemetry(ctx, c, o.Version); err != nil {
		return err
	}
	if err := s.openSpending(ctx, c, o.State); err != nil {
		return err
	}
	s.meter = meter.New(meter.Config{Pricer: prices{s.catalog}, Budgets: s.budgets, Ledger: s.ledger, Sinks: []meter.Sink{s.ledger, s.metrics}, Log: s.log, Now: s.now})
	if s.keys, err = openKeys(o.State, s.development, keyLife(o.Backend), s.now); err != nil {
		return fmt.Errorf("open keys: %w", err)
	}
	if err := s.openIdentities(ctx, o); err != nil {
		return err
	}
	if err := s.Reconfigure(ctx, c, o.Backend); err != nil {
		return err
	}
	if !s.explains {
		s.following.begin(s.followKeys)
	}
	if s.store.IsShared() {
		s.sharing.begin(s.shareQuotas)
	}
	s.handler, s.admin = s.routes(), s.adminRoutes()
	return nil
}

// openStore opens the database that c names, else one in the state folder.
func (s *Server) openStore(ctx context.Context, c *config.Config, state string) error {
	master, err := s.masterKey(c)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	dsn := ""
	switch {
	case s.explains: // in memory
	case c.Store != "":
		if dsn, err = c.Store.Read(s.env); err != nil {
			return fmt.Errorf("%w: store: %w", ErrConfig, err)
		}
	case state != "":
		dsn = "sqlite:" + filepath.Join(state, "fairway.db")
	}
	s.store, err = store.Open(ctx, dsn, store.Options{MasterKey: master, Log: s.log, Now: s.now})
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	return nil
}

// openTelemetry opens metrics and traces.
func (s *Server) openTelemetry(ctx context.Context, c *config.Config, version string) error {
	refused := func() { s.metrics.Overload() }
	s.room = newRoom(int64(c.Limits.Calls), int64(c.Limits.Held), refused)
	s.queries = newRoom(int64(c.Limits.Calls), int64(c.Limits.Held), refused)
	var models []inference.ModelID
	for _, m := range s.catalog.Models() {
		models = append(models, m.ID)
	}
	s.metrics = telemetry.NewMetrics(telemetry.MetricsOptions{
		Version: version, Regions: catalog.Regions(), Models: models,
		InFlight: s.room.calls.Load, HeldBytes: s.room.held.Load,
		Targets: s.targets, Skipped: s.shadows.Skipped,
		Ledger: s.ledgerState, Budgets: s.budgetStates,
	})
	var err error
	s.tracing, err = telemetry.NewTracing(ctx, telemetry.TracingOptions{
		Endpoint: string(c.Telemetry.OTLP), Sample: float64(c.Telemetry.Sample),
		ServiceName: c.Telemetry.ServiceName, Version: version, Log: s.log,
	})
	if err != nil {
		return fmt.Errorf("%w: telemetry: %w", ErrConfig, err)
	}
	return nil
}

// Reconfigure serves c and b from the next request on. A request that has begun
// ends with what it began with. On an error nothing changes. What a server opens
// once must be in c as it was: see [Kept].
func (s *Server) Reconfigure(ctx context.Context, c *config.Config, b *backend.Backend) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	prices, err := s.readPrices(c)
	if err != nil {
		return err
	}
	budgets, err := s.budgetSettings(c)
	if err != nil {
		return err
	}
	next, err := s.assemble(ctx, c, b)
	if err != nil {
		return err
	}
	for _, r := range []*room{s.room, s.queries} {
		r.limit(int64(c.Limits.Calls), int64(c.Limits.Held))
	}
	s.catalog.SetPrices(prices)
	s.configureIdentities(c, b)
	s.budgets.Reconfigured(budgets)
	s.app.Store(next)
	s.probe(next.router, c)
	return nil
}

// Reload serves b, by the same configuration, from the next request on.
func (s *Server) Reload(b *backend.Backend) error {
	return s.Reconfigure(context.Background(), s.app.Load().config, b)
}

// ServeHTTP answers a request at any door.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Close ends what the server runs.
func (s *Server) Close() error {
	var failed error
	s.following.end()
	s.sharing.end()
	s.shadows.Close()
	s.probing.end()
	if s.tracing != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		failed = s.tracing.Shutdown(ctx)
	}
	if s.upstream != nil {
		failed = errors.Join(failed, s.upstream.close())
	}
	failed = errors.Join(failed, s.closeIdentities(), s.closeSpending())
	if s.store != nil {
		failed = errors.Join(failed, s.store.Close())
	}
	return failed
}

// SignIn gives a GraphQL request the credential of a mode, in development: the API
// key, the test user's token, or the developer's signature. Other modes have none here.
func (s *Server) SignIn(ctx context.Context, r *http.Request, mode backend.Mode) error {
	switch mode {
	case backend.APIKey:
		r.Header.Set("X-Api-Key", s.keys.APIKey)
		return nil
	case backend.UserPool:
		token, err := s.Token(ctx)
		r.Header.Set("Authorization", token)
		return err
	case backend.IAM:
		return s.sign(r)
	}
	return fmt.Errorf("sign in: there are no callers of mode %s here", mode)
}

// sign signs a GraphQL request as the developer.
func (s *Server) sign(r *http.Request) error {
	body, err := r.GetBody()
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	defer body.Close()
	raw, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	sigv4.Sign(r, raw, sigv4.Credentials{AccessKeyID: s.keys.AccessKeyID, SecretAccessKey: s.keys.SecretAccessKey}, string(s.region), "appsync", s.now())
	return nil
}

// Token is an access token of the test user, in development.
func (s *Server) Token(ctx context.Context) (string, error) {
	tokens, err := s.userPool.SignIn(ctx, s.tester.Username, s.tester.Password)
	if err != nil {
		return "", fmt.Errorf("sign in: %w", err)
	}
	return tokens.Access, nil
}

// Outputs is what clients need to know of the server.
func (s *Server) Outputs() outputs.Fairway {
	served := s.app.Load()
	out := outputs.Fairway{
		Endpoint: s.baseURL,
		GraphQL:  outputs.GraphQL{URL: s.baseURL + "/graphql"},
		Region:   string(s.region),
		UserPool: elsewhere(served.config),
		User:     outputs.User{Username: s.tester.Username, Password: s.tester.Password},
	}
	if s.userPool != nil {
		out.UserPool = outputs.UserPool{Endpoint: s.baseURL, ID: s.userPool.ID(), ClientID: s.userPool.ClientID(), IdentityPoolID: s.userPool.IdentityPoolID()}
	}
	if s.development {
		out.AWS = outputs.AWSKey{AccessKeyID: s.keys.AccessKeyID, SecretAccessKey: s.keys.SecretAccessKey}
		out.BearerKey = s.keys.BearerKey
	}
	if served.hasKeyMode {
		out.GraphQL.APIKey = s.keys.APIKey
	}
	return out
}

// observe counts attempts, and logs failed ones with their cause, which no caller sees.
func (s *Server) observe(t inference.Target, a inference.Attempt, failure *inference.Error) {
	s.metrics.Attempt(t, a)
	if failure == nil || failure.Kind == inference.Canceled {
		return
	}
	s.log.Debug("attempt failed", "region", string(t.Region), "model", t.Model, "account", t.Account, "kind", string(a.Kind), "status", a.Status, "latency_ms", a.MS, "error", failure)
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
