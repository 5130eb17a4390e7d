package server

import (
	"context"
	"fmt"
	"os"
	"time"

	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/tokens"
	"fairway/internal/upstream/sim"
)

// newWorld is the simulated regions that c describes. Text is their source of
// text; nil is what c names.
func newWorld(c *config.Config, models *catalog.Catalog, text sim.TextSource, now func() time.Time) (*sim.World, error) {
	if text == nil {
		var err error
		if text, err = textSource(c); err != nil {
			return nil, err
		}
	}
	speed := float64(c.Simulate.Speed)
	if c.Simulate.Speed == config.Instant {
		speed = sim.Instant
	}
	settings := sim.Config{
		Models: models.Model,
		Tokens: func(id inference.ModelID) sim.Tokenizer { return tokens.FamilyOf(id) },
		Text:   text,
		Speed:  speed,
		Seed:   c.Simulate.Seed,
		Quota:  sim.Quota(c.Simulate.Quota),
		Now:    now,
	}
	if c.Simulate.HiddenRouting {
		settings.Profiles = func(named string, source inference.Region) (inference.ModelID, []inference.Region, bool) {
			p, err := models.Lookup(context.Background(), named, source) // system-defined: nobody is asked
			return p.Model, p.Destinations, err == nil
		}
	}
	w := sim.New(settings)
	for region, name := range c.Simulate.Faults {
		if !catalog.IsRegion(region) {
			return nil, fmt.Errorf("simulate.faults: no region is called %q: use one such as ap-southeast-1", region)
		}
		fault, err := sim.ParseFault(string(name))
		if err != nil {
			return nil, err
		}
		w.Set(region, fault)
	}
	return w, nil
}

// textSource is the scripted answers that c names, nil where it names none.
func textSource(c *config.Config) (sim.TextSource, error) {
	if c.Simulate.Responses == "" {
		return nil, nil
	}
	name := string(c.Simulate.Responses)
	file, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: responses: %w", ErrConfig, err)
	}
	text, err := sim.ParseResponses(name, file)
	if err != nil {
		return nil, fmt.Errorf("%w: responses: %s", ErrConfig, inference.AsError(err).Message)
	}
	return text, nil
}
