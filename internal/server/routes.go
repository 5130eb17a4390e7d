package server

import (
	"net/http"
	"strings"
)

// routes is the HTTP surface behind its guard. Paths of Bedrock do not go
// through the mux, which would clean and decode them: a profile's ARN has
// slashes that belong to one segment.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", s.serveGraphQL)
	mux.Handle("GET /{pool}/.well-known/", s.pool)
	mux.HandleFunc("GET /api/regions", local(s.getRegions))
	mux.HandleFunc("PUT /api/regions/{region}", local(s.putRegion))
	mux.HandleFunc("GET /healthz", serving)
	mux.HandleFunc("GET /readyz", serving)
	mux.HandleFunc("/", s.serveBedrock)

	doors := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := r.URL.EscapedPath(); strings.HasPrefix(path, "/model/") || strings.HasPrefix(path, "/region/") {
			s.serveBedrock(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	return &guard{next: doors, hosts: []string{s.host}, origins: s.config.CORS.Origins}
}

// serveBedrock also answers every path that is nobody's, in the service's form.
func (s *Server) serveBedrock(w http.ResponseWriter, r *http.Request) {
	s.app.Load().bedrock.ServeHTTP(w, r)
}

func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	front := s.app.Load().graphql
	if front == nil {
		writeError(w, http.StatusNotFound, "serve graphql: this server has no backend")
		return
	}
	front.ServeHTTP(w, r)
}

// serving answers the probes: a server that answers at all is ready.
func serving(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}
