package server

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/dialect"
	"fairway/internal/inference"
	"fairway/internal/route"
	"fairway/internal/tokens"
	"fairway/internal/upstream/anthropic"
	"fairway/internal/upstream/bedrock"
	"fairway/internal/upstream/openai"
	"fairway/internal/upstream/sim"
)

// upstream is what attempts call, by the settings model and regions.
type upstream struct {
	route.Upstream
	world   *sim.World     // the simulated regions; nil where regions are real
	silence time.Duration  // of its regions before a unary answer, at most; 0 where they show life
	targets route.Targets  // nil is the model in each destination
	remote  catalog.Remote // the control plane behind it; nil is none
	warm    func(ctx context.Context, regions []inference.Region)
	close   func() error
}

// openUpstream opens what c says answers. An error is ErrConfig.
func (s *Server) openUpstream(ctx context.Context, c *config.Config) (*upstream, error) {
	u, err := s.newUpstream(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%w: model %s: %w", ErrConfig, c.Model, err)
	}
	return u, nil
}

func (s *Server) newUpstream(ctx context.Context, c *config.Config) (*upstream, error) {
	url, isOpenAI := c.Model.OpenAI()
	switch {
	case isOpenAI:
		server, err := openai.New(openai.Config{
			URL:           url,
			Key:           s.secret(c.OpenAI.Key),
			Model:         named(c.OpenAI.Models, func(id inference.ModelID) string { return string(id) }),
			Tokens:        func(id inference.ModelID, c *dialect.Conversation) int { return tokens.FamilyOf(id).Conversation(c) },
			AnswerTimeout: time.Duration(c.AnswerTimeout),
		})
		if err != nil {
			return nil, err
		}
		if c.Simulates() {
			u, err := s.simulated(c, writer{server})
			if err == nil {
				u.close = server.Close
			}
			return u, err
		}
		return &upstream{Upstream: server, targets: oneServer{}, close: server.Close}, nil
	case c.Model == config.AnthropicAPI:
		server, err := anthropic.New(anthropic.Config{
			URL:           string(c.Anthropic.URL),
			Key:           s.secret(c.Anthropic.Key),
			Models:        named(c.Anthropic.Models, nil),
			AnswerTimeout: time.Duration(c.AnswerTimeout),
		})
		if err != nil {
			return nil, err
		}
		return &upstream{Upstream: server, targets: oneServer{}, close: server.Close}, nil
	case c.Model == config.BedrockModel:
		return s.realRegions(ctx, c)
	}
	return s.simulated(c, nil)
}

// simulated is the simulated regions, with source in place of the text that c
// names.
func (s *Server) simulated(c *config.Config, source sim.TextSource) (*upstream, error) {
	world, err := newWorld(c, s.catalog, source, s.now)
	if err != nil {
		return nil, err
	}
	u := &upstream{Upstream: world, world: world, close: nothing}
	if c.Simulate.HiddenRouting {
		u.targets = hidden{}
	}
	return u, nil
}

// realRegions is Amazon Bedrock.
func (s *Server) realRegions(ctx context.Context, c *config.Config) (*upstream, error) {
	accounts := make([]bedrock.Account, len(c.Accounts))
	targets := catalog.Targets{}
	for i, a := range c.Accounts {
		accounts[i] = bedrock.Account{ID: a.ID, Role: string(a.Role), Regions: a.Regions}
		if a.ExternalID != "" {
			secret, err := a.ExternalID.Read(s.env)
			if err != nil {
				return nil, err
			}
			accounts[i].ExternalID = secret
		}
		targets.Accounts = append(targets.Accounts, catalog.Account{ID: a.ID, Regions: a.Regions})
	}
	b := bedrock.Config{
		Endpoint:         string(c.Bedrock.Endpoint),
		Endpoints:        addresses(c.Bedrock.Endpoints),
		ControlEndpoint:  string(c.Bedrock.ControlEndpoint),
		ControlEndpoints: addresses(c.Bedrock.ControlEndpoints),
		Accounts:         accounts,
		ConnectTimeout:   time.Duration(c.Bedrock.ConnectTimeout),
		KeepAlive:        time.Duration(c.Bedrock.KeepAlive),
		Log:              s.log,
	}
	if c.Bedrock.BearerKey != "" {
		if _, err := c.Bedrock.BearerKey.Read(s.env); err != nil {
			return nil, err
		}
		b.BearerKey = s.secret(c.Bedrock.BearerKey)
	}
	regions, err := bedrock.New(ctx, b)
	if err != nil {
		return nil, err
	}
	return &upstream{
		Upstream: regions, targets: targets, remote: regions,
		silence: time.Duration(c.AnswerTimeout),
		warm:    regions.Warm,
		close:   regions.Close,
	}, nil
}

// equivalents are what stands for guardrails and regional resources elsewhere.
func equivalents(c *config.Config) catalog.Equivalents {
	all := catalog.Equivalents{}
	for _, e := range c.Bedrock.Equivalents {
		all[e.Resource] = e.Regions
	}
	return all
}

func addresses(urls map[inference.Region]config.URL) map[inference.Region]string {
	out := make(map[inference.Region]string, len(urls))
	for region, url := range urls {
		out[region] = string(url)
	}
	return out
}

// secretGood is how long a secret that was read is used before it is read again.
const secretGood = 10 * time.Second

// secret reads a reference again and again, so that a key may be changed behind
// it; what cannot be read is empty.
func (s *Server) secret(ref config.Secret) func() string {
	if ref == "" {
		return nil
	}
	var mu sync.Mutex
	var value string
	var until time.Time
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		now := s.now()
		if now.Before(until) {
			return value
		}
		var err error
		if value, err = ref.Read(s.env); err != nil {
			s.log.Warn("secret cannot be read", "reference", string(ref), "error", err)
		}
		until = now.Add(secretGood)
		return value
	}
}

// named is a server's name of a model, by patterns of model ids; the longest that
// matches wins.
func named(patterns map[string]string, otherwise func(inference.ModelID) string) func(inference.ModelID) string {
	if len(patterns) == 0 {
		return otherwise
	}
	return func(id inference.ModelID) string {
		best, name := "", ""
		for pattern, to := range patterns {
			if ok, _ := path.Match(pattern, string(id)); ok && len(pattern) > len(best) {
				best, name = pattern, to
			}
		}
		if name == "" && otherwise != nil {
			return otherwise(id)
		}
		return cmp.Or(name, string(id))
	}
}

// writer is a model server as the text source of simulated regions.
type writer struct{ server *openai.Upstream }

// Reply is what the server's model answers.
func (w writer) Reply(ctx context.Context, model inference.ModelID, c *dialect.Conversation) (sim.Reply, error) {
	answer, err := w.server.Reply(ctx, model, c)
	if err != nil {
		return nil, err
	}
	return answer.Content, nil
}

// oneServer is the one target there is where a single server stands for all
// regions: it enters where the caller does.
type oneServer struct{}

// Enter is the target of the source region, or of the first destination where the
// source region is none.
func (oneServer) Enter(p *inference.Profile, region inference.Region, i int) (inference.Target, bool) {
	at := p.SourceRegion
	if !slices.Contains(p.Destinations, at) && len(p.Destinations) > 0 {
		at = p.Destinations[0]
	}
	return inference.Target{Region: region, Model: string(p.Model)}, i == 0 && region == at
}

// Own is none: no profile is known to the server.
func (oneServer) Own(*inference.Profile, int) (inference.Target, bool) {
	return inference.Target{}, false
}

// hidden are the targets of simulated regions that stand in for AWS: a profile is
// called in its source region, which picks the destination and does not say which.
type hidden struct{}

// Enter is the model in a region, for a bare model.
func (hidden) Enter(p *inference.Profile, region inference.Region, i int) (inference.Target, bool) {
	return inference.Target{Region: region, Model: string(p.Model), Simulated: true}, i == 0 && p.ID == ""
}

// Own is the profile in its source region.
func (hidden) Own(p *inference.Profile, i int) (inference.Target, bool) {
	return inference.Target{
		Region: p.SourceRegion, Model: cmp.Or(p.CopiedFrom, string(p.ID)), RunSet: p.Destinations, Simulated: true,
	}, i == 0 && p.ID != ""
}

func nothing() error { return nil }
