package server

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fairway/internal/catalog"
	"fairway/internal/explain"
	"fairway/internal/front/admin"
	"fairway/internal/inference"
	"fairway/internal/keyring"
	"fairway/internal/policy"
	"fairway/internal/route"
	"fairway/internal/telemetry"
	"fairway/internal/upstream/sim"
)

// regionsStatus is what GET /api/regions answers.
type regionsStatus struct {
	Simulated bool                `json:"simulated"`
	Regions   []sim.RegionStatus  `json:"regions"` // simulated regions that were called or given a fault
	Targets   []route.TargetState `json:"targets"` // targets that were tried, with their breakers
}

// Admin is the handler of the admin listener: the admin API, the metrics and the
// probes, behind the token that the configuration names.
func (s *Server) Admin() http.Handler { return s.admin }

func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	s.probes(mux)
	s.administer(mux, s.authorized)
	return &guard{next: mux, hosts: []string{s.host}, origins: s.origins, local: s.development}
}

// administer adds the admin API and the metrics, each behind a check of who asks.
func (s *Server) administer(mux *http.ServeMux, known func(http.HandlerFunc) http.HandlerFunc) {
	check := func(next http.HandlerFunc) http.HandlerFunc { return s.operator(known(next)) }
	mux.HandleFunc("GET /api/regions", check(s.getRegions))
	mux.HandleFunc("PUT /api/regions/{region}", check(s.putRegion))
	admin.Config{
		Keys: &keyring.Ring{
			Store: s.store, Changed: s.takeUpKeys, Now: s.now,
			Principal: func(name string) bool { _, ok := s.app.Load().policy.Principal(name); return ok },
			Budgets:   func() []string { return budgetsOf(s.app.Load().config) },
		},
		Pool: s.userPool, Log: s.log, Explain: s.Explain,
		Usage: s.store, Budgets: s.BudgetStates, Now: s.now,
		Principal:   func(name string) (inference.Principal, bool) { return s.app.Load().policy.Principal(name) },
		Corrections: s.estimator.Corrections, Calibrations: s.store,
	}.Register(mux, check)
	mux.HandleFunc("GET /api/ledger", check(s.getLedger))
	mux.HandleFunc("GET /metrics", check(s.metrics.Handler().ServeHTTP))
}

// authorized lets those in who know the admin token; where none is configured,
// this machine only.
func (s *Server) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ref := s.app.Load().config.Admin.Token
		if ref == "" {
			local(next)(w, r)
			return
		}
		token, err := ref.Read(s.env)
		given, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if err != nil || !isBearer || subtle.ConstantTimeCompare([]byte(given), []byte(token)) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeError(w, http.StatusUnauthorized, "admin: send the admin token as a bearer token")
			return
		}
		next(w, r)
	}
}

// Explain says why a call is allowed or denied. An empty source is the server's own
// region. Errors are explain's.
func (s *Server) Explain(ctx context.Context, principal, action, named string, source inference.Region) (*explain.Explanation, error) {
	engine := s.app.Load().policy
	if _, ok := engine.Principal(principal); !ok {
		return nil, &inference.Error{
			Kind: inference.ResourceNotFound, Op: "explain",
			Message: fmt.Sprintf("no principal is called %q: there are %s", principal, strings.Join(engine.Principals(), ", ")),
		}
	}
	q := explain.Question{
		Question: policy.Question{Principal: principal, Action: action, Now: s.now()},
		Named:    named, SourceRegion: cmp.Or(source, s.region),
	}
	return explain.Explain(ctx, engine, s.catalog, q)
}

// probes adds the probes: a server that answers at all is alive; it is ready while
// it takes new calls and its store answers.
func (s *Server) probes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
		defer cancel()
		switch {
		case s.draining.Load():
			writeText(w, http.StatusServiceUnavailable, "draining\n")
		case s.store.Ping(ctx) != nil:
			writeText(w, http.StatusServiceUnavailable, "the store does not answer\n")
		default:
			writeText(w, http.StatusOK, "ok\n")
		}
	})
}

// readyWithin is how long the store may take to answer a probe.
const readyWithin = 2 * time.Second

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client may be gone
}

func (s *Server) getRegions(w http.ResponseWriter, _ *http.Request) {
	status := regionsStatus{
		Simulated: s.upstream.world != nil,
		Regions:   []sim.RegionStatus{},
		Targets:   s.app.Load().router.States(s.now()),
	}
	if s.upstream.world != nil {
		status.Regions = s.upstream.world.Status()
	}
	writeJSON(w, http.StatusOK, status)
}

func (s *Server) getLedger(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.ledger.Status())
}

// targets are those that were tried, for the metrics.
func (s *Server) targets() []telemetry.Target {
	app := s.app.Load()
	if app == nil {
		return nil
	}
	states := app.router.States(s.now())
	targets := make([]telemetry.Target, len(states))
	for i, t := range states {
		targets[i] = telemetry.Target{
			Region: t.Region, Model: t.Model, State: string(t.State),
			TokensPerMinute: int(t.TokensPerMinute), RequestsPerMinute: int(t.RequestsPerMinute),
		}
	}
	return targets
}

// putRegion gives a simulated region a fault: {"fault": "down"}.
func (s *Server) putRegion(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Fault string `json:"fault"`
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&body); err != nil {
		writeError(w, http.StatusBadRequest, `set fault: the body is not {"fault": "down"}`)
		return
	}
	if err := s.SetFault(inference.Region(r.PathValue("region")), body.Fault); err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	s.getRegions(w, r)
}

// SetFault gives a simulated region a fault by name; "up" takes it away. The
// router is not told: it learns of a fault by calling.
func (s *Server) SetFault(region inference.Region, fault string) error {
	if !catalog.IsRegion(region) {
		return fmt.Errorf("set fault: no region is called %q: use one such as ap-southeast-1", region)
	}
	if s.upstream.world == nil {
		return fmt.Errorf("set fault: the regions of this server are real: only simulated ones take faults")
	}
	f, err := sim.ParseFault(fault)
	if err != nil {
		return fmt.Errorf("set fault: %s", inference.AsError(err).Message)
	}
	s.upstream.world.Set(region, f)
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client may be gone
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"message": message})
}
