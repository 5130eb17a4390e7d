package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
)

// reachable are the profiles, or without any the models, that the folder in dir lets its
// data sources call, as patterns, and the region that they sign for.
func (f *runFlags) reachable(ctx context.Context, s Surroundings, dir string) (patterns []string, source inference.Region, err error) {
	w, err := f.open(s, dir)
	if err != nil {
		return nil, "", err
	}
	w.log = logger(s, quiet(w.config.Log))
	b, err := w.load(ctx)
	if err != nil {
		return nil, "", failed(err)
	}
	for _, d := range b.DataSources {
		source = cmp.Or(source, inference.Region(d.SigningRegion))
	}
	if patterns = allowed(b, ":inference-profile/"); len(patterns) == 0 {
		patterns = allowed(b, "::foundation-model/")
	}
	if len(patterns) == 0 {
		return nil, "", failed(errors.New("the folder allows no inference profile and no model: name some with --model"))
	}
	return patterns, source, nil
}

// allowed are the patterns in Allow statements of resources of a kind, each once.
func allowed(b *backend.Backend, kind string) (patterns []string) {
	for _, p := range b.Principals {
		for _, statement := range p.Statements {
			for _, resource := range statement.Resources {
				_, id, ok := strings.Cut(resource, kind)
				if ok && statement.Effect == "Allow" && !slices.Contains(patterns, id) {
					patterns = append(patterns, id)
				}
			}
		}
	}
	return patterns
}
