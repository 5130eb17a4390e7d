package capacity

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"fairway/internal/catalog"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// Choice says which models to quote. The zero Choice is some usual ones. Models whose end
// of life has come are chosen by their very name alone, and where they are usual.
type Choice struct {
	Patterns []string         // path.Match patterns of names as callers use them, or ARNs; empty: the usual
	All      bool             // every text model that can be called
	Source   inference.Region // where calls enter; empty: the first usual region, else any, from which all patterns match
}

// usual are the models of a Choice that names none: the one of Amplify's guide, and one
// or two of each large family.
var usual = [...]inference.ModelID{
	"anthropic.claude-sonnet-4-20250514-v1:0",
	"anthropic.claude-opus-5-5",
	"anthropic.claude-sonnet-5-5",
	"anthropic.claude-haiku-5-5",
	"amazon.nova-2-lite-v1:0",
	"amazon.nova-pro-v1:0",
	"amazon.nova-micro-v1:0",
	"openai.gpt-oss-120b-1:0",
	"meta.llama4-maverick-17b-instruct-v1:0",
	"mistral.mistral-large-3-675b-instruct",
	"deepseek.v3.2",
	"qwen.qwen3-next-80b-a3b",
}

// usualSources are where calls enter unless said otherwise: one for each geography that
// has profiles, and that of Amplify's guide for Asia.
var usualSources = [...]inference.Region{"us-east-1", "eu-west-1", "ap-southeast-1", "ap-northeast-1", "ap-southeast-2"}

// Choose is what the choice names, as it is called from one source region: each once, in
// catalog order but for patterns and the usual, which keep theirs.
func (d *Desk) Choose(ctx context.Context, choice Choice) ([]inference.Profile, error) {
	sources := []inference.Region{choice.Source}
	if choice.Source == "" {
		sources = append(usualSources[:], catalog.Regions()...)
	}
	var missing error
	for _, source := range sources {
		chosen, err := d.choose(ctx, choice, source)
		if err == nil {
			return chosen, nil
		}
		if missing == nil {
			missing = err
		}
	}
	return nil, missing
}

func (d *Desk) choose(ctx context.Context, choice Choice, source inference.Region) ([]inference.Profile, error) {
	if !catalog.IsRegion(source) {
		return nil, fmt.Errorf("unknown region %.40q: name one such as %s", source, usualSources[0])
	}
	callable := d.callable(ctx, source)
	var chosen []inference.Profile
	switch {
	case choice.All:
		chosen = slices.DeleteFunc(callable, func(p inference.Profile) bool { return d.ended(p) })
	case len(choice.Patterns) == 0:
		chosen = usualOf(callable)
	}
	for _, pattern := range choice.Patterns {
		matched, err := d.match(ctx, callable, pattern, source)
		if err != nil {
			return nil, err
		}
		for _, p := range matched {
			if !slices.ContainsFunc(chosen, func(c inference.Profile) bool { return c.Named() == p.Named() }) {
				chosen = append(chosen, p)
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no text model can be called in %s: name another source region", source)
	}
	return chosen, nil
}

// callable is every text model as it is called from source, bare ones first.
func (d *Desk) callable(ctx context.Context, source inference.Region) []inference.Profile {
	var all []inference.Profile
	for _, m := range d.Catalog.Models() {
		if p, err := d.Catalog.Lookup(ctx, string(m.ID), source); err == nil {
			all = append(all, p)
		}
	}
	all = append(all, d.Catalog.Profiles(source)...)
	return slices.DeleteFunc(all, func(p inference.Profile) bool { return !invocation.Writes(p.Model) })
}

// usualOf calls each of the usual models the way that keeps its price and data closest:
// by a profile of the source's own geography, else by its bare id, else globally.
func usualOf(callable []inference.Profile) (chosen []inference.Profile) {
	rank := func(p inference.Profile) int {
		switch {
		case p.Global:
			return 2
		case p.ID == "":
			return 1
		}
		return 0
	}
	for _, model := range usual {
		best := -1
		for i, p := range callable {
			if p.Model == model && (best < 0 || rank(p) < rank(callable[best])) {
				best = i
			}
		}
		if best >= 0 {
			chosen = append(chosen, callable[best])
		}
	}
	return chosen
}

// match is what a pattern names, which is one thing at least.
func (d *Desk) match(ctx context.Context, callable []inference.Profile, pattern string, source inference.Region) ([]inference.Profile, error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		p, err := d.Catalog.Lookup(ctx, pattern, source)
		if err != nil {
			return nil, fmt.Errorf("%.100q cannot be called in %s: name a profile or model that can, or another source region", pattern, source)
		}
		return []inference.Profile{p}, nil
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf(`%.100q is no pattern: want one such as "us.anthropic.*"`, pattern)
	}
	var matched []inference.Profile
	for _, p := range callable {
		if ok, _ := path.Match(pattern, p.Named()); ok && !d.ended(p) {
			matched = append(matched, p)
		}
	}
	if len(matched) == 0 {
		return nil, fmt.Errorf("no model that can be called in %s matches %.100q: name another pattern or source region", source, pattern)
	}
	return matched, nil
}

// ended reports whether a model's end of life has come.
func (d *Desk) ended(p inference.Profile) bool {
	m, _ := d.Catalog.Model(p.Model)
	return m.EndOfLife != "" && m.EndOfLife <= d.Now.UTC().Format(time.DateOnly)
}
