// Package fairway is the whole of Fairway as one http.Handler: an Amazon Bedrock
// endpoint, which Anthropic and OpenAI clients may call too, and an
// AppSync-compatible GraphQL API for a backend. All of them answer through
// cross-region inference profiles.
package fairway

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"

	"fairway/backend"
	"fairway/internal/amplify"
	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/server"
)

// Config says what a Gateway serves. The zero value is a Bedrock endpoint with
// simulated regions in real time.
type Config struct {
	Backend *backend.Backend // the GraphQL API; nil serves Bedrock alone
	Account string           // twelve digits, default 123456789012
	Region  string           // default source region; default the backend's first Bedrock data source, else us-east-1
	Strict  bool             // one denied destination refuses a call, as on AWS
	BaseURL string           // where the handler will be reached, default http://127.0.0.1:20002
	Log     *slog.Logger     // default: nowhere

	// Model is what answers: "sim" (the default), "openai=URL" for the text of
	// simulated regions, or "bedrock" for real ones, by the AWS SDK's own
	// credentials. What follows is about simulated regions.
	Model     string
	Responses string   // file of scripted answers
	Down      []string // regions that refuse connections from the start
	Speed     float64  // 1 is real time (the default), 10 ten times faster
	Instant   bool     // regions do not wait at all, nor does a call that has no region left
}

// Gateway serves a backend and Bedrock. It is an http.Handler, safe for
// concurrent use; Close it when done.
type Gateway struct{ server *server.Server }

// Credentials are what clients of a Gateway may present. They belong to the
// principal "developer", which may call everything, but for the API key.
type Credentials struct {
	AccessKeyID     string // SigV4, service "bedrock"
	SecretAccessKey string
	BearerKey       string // Authorization: Bearer
	APIKey          string // x-api-key of the GraphQL API; empty when it has no key mode
	Region          string // to sign for
}

// Load makes a backend of an Amplify Gen 2 project: files is the project root
// that holds amplify/. The error lists what must change, with file and line.
func Load(ctx context.Context, files fs.FS) (*backend.Backend, error) {
	return amplify.Load(ctx, files)
}

// New makes a Gateway.
func New(c Config) (*Gateway, error) {
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	s, err := server.New(context.Background(), server.Options{Config: settings, Backend: c.Backend, BaseURL: c.BaseURL, Log: c.Log, Development: true})
	if err != nil {
		return nil, err
	}
	for _, region := range c.Down {
		if err := s.SetFault(inference.Region(region), "down"); err != nil {
			s.Close()
			return nil, err
		}
	}
	return &Gateway{server: s}, nil
}

// settings are the defaults with what c says in their place.
func (c Config) settings() (*config.Config, error) {
	settings := config.Default()
	if c.Account != "" {
		settings.Account = c.Account
	}
	if c.Strict {
		settings.Grant = config.Strict
	}
	settings.Region = inference.Region(c.Region)
	settings.Simulate.Responses = config.Path(c.Responses)
	switch {
	case c.Instant:
		settings.Simulate.Speed, settings.Retry.Wait = config.Instant, 0
	case c.Speed != 0:
		settings.Simulate.Speed = config.Speed(c.Speed)
	}
	if c.Model != "" {
		if err := settings.Model.UnmarshalText([]byte(c.Model)); err != nil {
			return nil, fmt.Errorf("read config: model: %w", err)
		}
	}
	return settings, nil
}

// ServeHTTP answers a request at either door.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.server.ServeHTTP(w, r) }

// Fault gives a simulated region a fault while the gateway runs: "down", "hang",
// "slow", "throttle", "5xx", "cut", or "up" to take it away.
func (g *Gateway) Fault(region, fault string) error {
	return g.server.SetFault(inference.Region(region), fault)
}

// Credentials are the gateway's own.
func (g *Gateway) Credentials() Credentials {
	o := g.server.Outputs()
	return Credentials{
		AccessKeyID:     o.AWS.AccessKeyID,
		SecretAccessKey: o.AWS.SecretAccessKey,
		BearerKey:       o.BearerKey,
		APIKey:          o.GraphQL.APIKey,
		Region:          o.Region,
	}
}

// Token is an access token of the test user, for fields that signed-in users may
// call: the value of the Authorization header.
func (g *Gateway) Token(ctx context.Context) (string, error) { return g.server.Token(ctx) }

// Close ends what the gateway runs.
func (g *Gateway) Close() error { return g.server.Close() }
