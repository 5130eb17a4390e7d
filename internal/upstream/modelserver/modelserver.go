// Package modelserver is a server that runs models and answers with server-sent
// events: what the upstreams of such servers have in common. They keep what is
// their dialect's: bodies, headers, and the events' decoder.
//
//	Call --Post-----> the body of an answer that is no stream
//	Call --Collect--> Pieces --Collector--> dialect.Answer
//	Call --Stream---> Pieces --Writer-----> Events
package modelserver

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"fairway/internal/inference"
)

// Config is what a Server needs. Only Client may be left out.
type Config struct {
	URL    string       // with or without the final /v1
	Client *http.Client // nil is one of the Server's own; redirects are never followed
	Op     string       // what was being done, for errors: "invoke Messages"

	// Refusal is what the body of an error answer says in the server's dialect: an
	// empty kind leaves it to the HTTP status, an empty message says nothing.
	Refusal func(body []byte) (inference.Kind, string)
}

// Server is safe for concurrent use.
type Server struct {
	client  http.Client
	base    string // up to /v1
	op      string
	refusal func(body []byte) (inference.Kind, string)
}

var errURL = errors.New("open model server: the URL must be that of a server alone, such as http://127.0.0.1:11434/v1")

// Open makes a Server and calls nothing. The error is a URL that is none of a
// server.
func Open(c Config) (*Server, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(c.URL, "?#") {
		return nil, errURL
	}
	s := &Server{
		base:    strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/v1") + "/v1",
		op:      c.Op,
		refusal: c.Refusal,
	}
	if c.Client != nil {
		s.client = *c.Client
	}
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s, nil
}
