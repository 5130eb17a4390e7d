// Package modelserver is a server that runs models and answers with server-sent
// events: what the upstreams of such servers have in common. They keep what is
// their dialect's: bodies, headers, and the events' decoder.
//
//	Call --Post-----> the body of an answer that is no stream
//	Call --Collect--> Pieces --Collector--> dialect.Answer
//	Call --Stream---> Pieces --Writer-----> Events
package modelserver

import (
	"cmp"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fairway/internal/inference"
	"fairway/internal/wire/address"
)

// Config is what a Server needs. Only Client may be left out.
type Config struct {
	URL    string       // with or without the final /v1
	Keyed  bool         // calls have a key with them: it leaves this machine over TLS only
	Client *http.Client // nil is one of the Server's own; redirects are never followed

	// AnswerTimeout is how long an answer that is no stream may take; 0 is five
	// minutes.
	AnswerTimeout time.Duration

	Op string // what was being done, for errors: "invoke Messages"

	// Refusal is what the body of an error answer says in the server's dialect: an
	// empty kind leaves it to the HTTP status, an empty message says nothing.
	Refusal func(body []byte) (inference.Kind, string)
}

// Server is safe for concurrent use.
type Server struct {
	client  http.Client
	base    string // up to /v1
	op      string
	timeout time.Duration // of an answer that is no stream
	refusal func(body []byte) (inference.Kind, string)
}

var (
	errURL = errors.New("open model server: the URL must be that of a server alone, such as http://127.0.0.1:11434/v1")
	errKey = errors.New("open model server: a key over http could be read on the way: use https")
)

// Open makes a Server and calls nothing. The error is a URL that is none of a
// server, or one that a key must not go to.
func Open(c Config) (*Server, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(c.URL, "?#") {
		return nil, errURL
	}
	if c.Keyed && u.Scheme == "http" && !address.IsLoopback(u.Hostname()) {
		return nil, errKey
	}
	s := &Server{
		base:    strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/v1") + "/v1",
		op:      c.Op,
		timeout: cmp.Or(c.AnswerTimeout, 5*time.Minute),
		refusal: c.Refusal,
	}
	if c.Client != nil {
		s.client = *c.Client
	} else {
		s.client.Transport = newTransport()
	}
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s, nil
}

// newTransport keeps a connection for each of many calls at once, to one server.
func newTransport() *http.Transport {
	dialer := &net.Dialer{
		Timeout:         10 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 45 * time.Second, Interval: 15 * time.Second, Count: 3},
	}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 256,
	}
}

// Close gives up the connections that no call is using.
func (s *Server) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
