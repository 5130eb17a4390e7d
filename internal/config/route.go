package config

import (
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"fairway/internal/inference"
)

// Route is how the calls of some principals to some models go. Once loaded it is
// whole: what the file leaves out of its Routing is as the settings have it.
type Route struct {
	Principals []string `yaml:"principals"` // names; none is all
	Models     []string `yaml:"models"`     // path.Match patterns of ids as callers name them; none is all
	Routing
	Hedge  bool   `yaml:"hedge"` // whether its calls may be hedged; default true
	Shadow Shadow `yaml:"shadow"`
}

// Shadow is a second target that a share of the calls is sent to for comparison.
type Shadow struct {
	Share  Ratio            `yaml:"share"`  // 0 is none
	Region inference.Region `yaml:"region"` // empty is wherever the model runs
	Model  string           `yaml:"model"`  // profile or model; empty is the one called
}

// Quota is what the service grants targets, each of them as much.
type Quota struct {
	Models            []string           `yaml:"models"` // path.Match patterns of ids as targets have them; none is all
	Regions           []inference.Region `yaml:"regions"`
	Accounts          []string           `yaml:"accounts"`
	TokensPerMinute   int                `yaml:"tokens_per_minute"`   // 0 is no limit
	RequestsPerMinute int                `yaml:"requests_per_minute"` // 0 is no limit
}

// inherit gives each route what it leaves out, with the origin that it has.
func (l *loader) inherit() {
	settings := members(reflect.ValueOf(l.config.Routing))
	for i := range l.config.Routes {
		route, prefix := &l.config.Routes[i], fmt.Sprintf("routes[%d].", i)
		for j, own := range members(reflect.ValueOf(&route.Routing).Elem()) {
			if _, written := l.origins[prefix+own.path]; !written {
				own.value.Set(settings[j].value)
				l.origins[prefix+own.path] = l.origins[own.path]
			}
		}
		if _, written := l.origins[prefix+"hedge"]; !written {
			route.Hedge = true
		}
	}
}

// validateRoutes finds what is wrong with what routes say. What they leave out is
// wrong where it is written.
func (c *Config) validateRoutes(found *findings) {
	for i := range c.Routes {
		r, at := &c.Routes[i], fmt.Sprintf("routes[%d]", i)
		for _, name := range r.Principals {
			found.principal(name, at+".principals")
		}
		found.patterns(r.Models, at+".models")
		validateRouting(found, &r.Routing, at+".")
		c.validateShadow(found, r, at+".shadow")
		last := i == len(c.Routes)-1
		found.check(last || len(r.Principals)+len(r.Models) > 0, fmt.Sprintf("routes[%d]", i+1), "want it before %s, which every call matches", at)
	}
}

// validateNamed finds routes that leave a principal which they name no region.
func (c *Config) validateNamed(found *findings) {
	bound := map[string]Residency{}
	for _, p := range c.Principals {
		bound[p.Name] = p.Residency
	}
	for i := range c.Routes {
		route := c.residency(&c.Routes[i])
		regions := route.Regions()
		for _, name := range c.Routes[i].Principals {
			own := bound[name]
			shared := func(r inference.Region) bool { return slices.Contains(regions, r) }
			left := len(own) == 0 || len(route) == 0 || slices.ContainsFunc(own.Regions(), shared)
			found.check(left, fmt.Sprintf("routes[%d].residency", i), "want a region of the residency of %s, %s: none of %s is", name, strings.Join(own, ", "), strings.Join(route, ", "))
		}
	}
}

// residency is that of a route, also where it leaves that out.
func (c *Config) residency(r *Route) Residency {
	if r.Residency == nil {
		return c.Residency
	}
	return r.Residency
}

func (c *Config) validateShadow(found *findings, r *Route, at string) {
	s := r.Shadow
	found.check(s.Share == 0 || s.Region != "" || s.Model != "", at, "want the region or the model to compare with")
	if s.Model != "" {
		found.named(s.Model, at+".model")
	}
	if s.Region == "" {
		return
	}
	found.region(s.Region, at+".region")
	residency := c.residency(r)
	within := len(residency) == 0 || slices.Contains(residency.Regions(), s.Region)
	found.check(within, at+".region", "want a region of the residency %s, got %q", strings.Join(residency, ", "), s.Region)
}

func (c *Config) validateQuotas(found *findings) {
	for i, q := range c.Quotas {
		at := fmt.Sprintf("quotas[%d]", i)
		found.patterns(q.Models, at+".models")
		for _, region := range q.Regions {
			found.region(region, at+".regions")
		}
		for _, id := range q.Accounts {
			known := slices.ContainsFunc(c.Accounts, func(a Account) bool { return a.ID == id })
			found.check(known, at+".accounts", "want the id of one of the accounts, got %q", id)
		}
		found.check(q.TokensPerMinute >= 0, at+".tokens_per_minute", "want 0 or more, got %d", q.TokensPerMinute)
		found.check(q.RequestsPerMinute >= 0, at+".requests_per_minute", "want 0 or more, got %d", q.RequestsPerMinute)
		last := i == len(c.Quotas)-1
		found.check(last || len(q.Models)+len(q.Regions)+len(q.Accounts) > 0, fmt.Sprintf("quotas[%d]", i+1), "want it before %s, which every target matches", at)
	}
}

func (found *findings) patterns(all []string, at string) {
	for _, pattern := range all {
		_, err := path.Match(pattern, "")
		found.check(pattern != "" && err == nil, at, `want a pattern of ids such as "*.anthropic.*", got %q`, pattern)
	}
}
