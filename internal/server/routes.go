package server

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"fairway/internal/front/anthropic"
	"fairway/internal/front/bedrock/control"
	"fairway/internal/front/cognito"
	"fairway/internal/front/openai"
	"fairway/internal/front/sts"
	"fairway/internal/telemetry"
)

// routes is the HTTP surface behind its guard. Only paths that are as the mux would
// clean them go through it, and none of the model doors: a profile's ARN has
// slashes that belong to one segment.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", s.serveGraphQL)
	if s.userPool != nil {
		mux.Handle("GET /{pool}/.well-known/", s.userPool)
	}
	mux.HandleFunc("POST /{$}", s.serveIdentity)
	s.probes(mux)
	if s.development {
		s.administer(mux, local)
	}
	mux.HandleFunc("/", s.serveModel)

	doors := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPlain(r.URL) && !isModelPath(r.URL.EscapedPath()) {
			mux.ServeHTTP(w, r)
			return
		}
		s.serveModel(w, r)
	})
	return &guard{next: s.traced(doors), hosts: []string{s.host}, origins: s.origins, local: s.development}
}

// isPlain reports whether the mux takes a path as it was sent. Only the admin API has
// names in its paths that may hold anything.
func isPlain(u *url.URL) bool {
	escaped := u.EscapedPath()
	return path.Clean(escaped) == escaped && (u.RawPath == "" || strings.HasPrefix(escaped, "/api/"))
}

func isModelPath(path string) bool {
	return strings.HasPrefix(path, "/model/") || strings.HasPrefix(path, "/region/") ||
		control.Serves(path) || anthropic.Serves(path) || openai.Serves(path)
}

// serveModel serves the doors of model clients. Bedrock's also answers every path
// that is nobody's, in the service's form.
func (s *Server) serveModel(w http.ResponseWriter, r *http.Request) {
	app := s.app.Load()
	switch path := r.URL.EscapedPath(); {
	case anthropic.Serves(path):
		app.anthropic.ServeHTTP(w, r)
	case openai.Serves(path):
		app.openai.ServeHTTP(w, r)
	case control.Serves(path):
		app.control.ServeHTTP(w, r)
	default:
		app.bedrock.ServeHTTP(w, r)
	}
}

// serveIdentity serves the services whose operations are not told apart by path: the
// pools and STS.
func (s *Server) serveIdentity(w http.ResponseWriter, r *http.Request) {
	switch app := s.app.Load(); {
	case cognito.Serves(r) && s.cognito != nil:
		s.cognito.ServeHTTP(w, r)
	case sts.Serves(r):
		app.sts.ServeHTTP(w, r)
	default:
		app.bedrock.ServeHTTP(w, r)
	}
}

func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	front := s.app.Load().graphql
	if front == nil {
		writeError(w, http.StatusNotFound, "serve graphql: this server has no backend")
		return
	}
	front.ServeHTTP(w, r)
}

// traced takes up the trace that a request belongs to.
func (s *Server) traced(next http.Handler) http.Handler {
	if s.tracing.Tracer() == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(telemetry.Incoming(r.Context(), r.Header)))
	})
}

// origins are the pages that may call, as configured now.
func (s *Server) origins() []string { return s.app.Load().config.CORS.Origins }
