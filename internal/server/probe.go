package server

import (
	"context"
	"time"

	"fairway/internal/config"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/route"
	"fairway/internal/wire/uuid"
)

// prober is the principal of probes in records. No caller can have the name: IAM has
// no space in it.
var prober = inference.Principal{Name: "fairway probe"}

// probe makes the probes of c in place of those before.
func (s *Server) probe(router *route.Router, c *config.Config) {
	if c.Probe.Every == 0 {
		s.probing.end()
		return
	}
	s.probing.begin(func(ctx context.Context) {
		router.Probe(ctx, route.Probes{
			Every:  time.Duration(c.Probe.Every),
			Budget: inference.Money(c.Probe.Budget),
			Cost:   s.probeCost,
			Build:  smallest,
			Made:   func(made route.Probed) { s.meter.Settle(ctx, recordOf(made, s.now())) },
		})
	})
}

// probeBody asks for one token.
const probeBody = `{"messages":[{"role":"user","content":[{"text":"ping"}]}],"inferenceConfig":{"maxTokens":1}}`

// smallest is the smallest call that a target answers, nil for one that writes no text.
func smallest(t inference.Target) *inference.Request {
	if !invocation.Writes(inference.ModelID(t.Model)) {
		return nil
	}
	return &inference.Request{
		ID: uuid.New(), Operation: inference.Converse, Model: t.Model, SourceRegion: t.Region,
		Principal: prober, Body: []byte(probeBody),
	}
}

// probeCost is more than a probe costs: its prompt has fewer than a hundred tokens. One
// without a price is taken for dear.
func (s *Server) probeCost(t inference.Target) inference.Money {
	price, ok := s.catalog.Price(t.Model, s.now())
	if !ok {
		return inference.Dollar / 1000
	}
	return price.Cost(inference.Usage{InputTokens: 100, OutputTokens: 1})
}

// recordOf is the record of a probe that ended at now.
func recordOf(p route.Probed, now time.Time) *inference.Record {
	record := &inference.Record{
		ID: p.Request.ID, Time: now.Add(-time.Duration(p.Attempt.MS) * time.Millisecond), Operation: p.Request.Operation,
		Principal: prober.Name, Model: inference.ModelID(p.Target.Model), SourceRegion: p.Target.Region,
		Attempts: []inference.Attempt{p.Attempt}, Usage: p.Usage, Simulated: p.Target.Simulated,
	}
	if p.Failure != nil {
		record.Error = &inference.Failure{Status: p.Failure.Kind.Status(), Type: p.Failure.Kind, Message: p.Failure.Message, Foreign: p.Failure.Foreign}
	}
	return record
}
