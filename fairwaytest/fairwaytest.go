// Package fairwaytest gives a Go test an Amazon Bedrock of its own: simulated
// regions behind a real HTTP endpoint, for the AWS SDK or any other client.
package fairwaytest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"fairway"
	"fairway/backend"
)

// Server is a running Bedrock. It ends with the test.
type Server struct {
	URL     string // endpoint, "http://127.0.0.1:PORT"
	Gateway *fairway.Gateway

	t      testing.TB
	client *client
}

// Option changes what NewServer starts.
type Option func(*fairway.Config)

// Down makes simulated regions refuse connections from the start.
func Down(regions ...string) Option {
	return func(c *fairway.Config) { c.Down = append(c.Down, regions...) }
}

// Region is the source region of clients; the default is us-east-1.
func Region(region string) Option { return func(c *fairway.Config) { c.Region = region } }

// Strict refuses a call when one destination of its profile is denied, as AWS does.
func Strict() Option { return func(c *fairway.Config) { c.Strict = true } }

// Responses is a file of scripted answers. Each entry of the YAML list answers the
// messages that it matches; the first that does wins.
//
//   - match: carrots # in any case; /.../ is a regular expression
//     text: Glazed carrots.
//   - match: rice
//     error: {kind: ThrottlingException, message: "Too many tokens, please wait before trying again."}
func Responses(file string) Option { return func(c *fairway.Config) { c.Responses = file } }

// Backend serves a GraphQL API too, at URL + "/graphql".
func Backend(b *backend.Backend) Option { return func(c *fairway.Config) { c.Backend = b } }

// RealTime makes simulated regions take the time that regions take; without it
// they answer at once.
func RealTime() Option { return func(c *fairway.Config) { c.Instant = false } }

// NewServer starts a Bedrock that lives as long as the test.
func NewServer(t testing.TB, options ...Option) *Server {
	t.Helper()
	config := fairway.Config{Instant: true}
	for _, option := range options {
		option(&config)
	}
	gateway, err := fairway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gateway)
	s := &Server{URL: server.URL, Gateway: gateway, t: t, client: newClient()}
	t.Cleanup(func() {
		s.client.transport.CloseIdleConnections()
		server.Close()
		if err := gateway.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Fault gives a simulated region a fault from now on: "down", "hang", "slow",
// "throttle", "5xx", "cut", or "up" to take it away. A name that is none ends the
// test.
func (s *Server) Fault(region, fault string) {
	s.t.Helper()
	if err := s.Gateway.Fault(region, fault); err != nil {
		s.t.Fatal(err)
	}
}

// Client is for plain requests; it ends with the test.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.client.transport} }

// Config is for the clients of the AWS SDK: the endpoint, a region, and an access
// key that may call everything.
func (s *Server) Config() aws.Config {
	have := s.Gateway.Credentials()
	return aws.Config{
		Region:       have.Region,
		BaseEndpoint: aws.String(s.URL),
		HTTPClient:   s.client,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: have.AccessKeyID, SecretAccessKey: have.SecretAccessKey, Source: "fairwaytest"}, nil
		}),
	}
}
