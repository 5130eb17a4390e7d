package route

import (
	"path"
	"slices"
	"strings"
)

// Route is how calls go that a principal makes of what it names, an id or ARN of a
// model or profile: as the first rule that matches says. Equal routes have equal
// addresses.
func (r *Router) Route(principal, named string) *Route {
	if len(r.rules) == 0 {
		return &r.route
	}
	id := named[strings.LastIndexByte(named, '/')+1:]
	for i := range r.rules {
		if rule := &r.rules[i]; among(rule.Principals, principal) && matches(rule.Models, id) {
			return &rule.Route
		}
	}
	return &r.route
}

// among reports whether s is listed; an empty list lists all.
func among[T comparable](list []T, s T) bool { return len(list) == 0 || slices.Contains(list, s) }

// matches reports whether a pattern matches id; no pattern matches all. Patterns are
// path.Match's, a bad one matches nothing.
func matches(patterns []string, id string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, id)
		return ok && err == nil
	})
}

// Bound is the names of what a call may not leave: of its route's residency and of its
// principal's, none for a call that is bound by neither.
func (r *Router) Bound(c *Call) []string {
	names, own := c.Route.Residency.Names, r.residency[c.Principal]
	if own == nil || len(own.Names) == 0 {
		return slices.Clone(names)
	}
	bound := slices.Concat(names, own.Names)
	slices.Sort(bound)
	return slices.Compact(bound)
}

// KeptOut reports, of a call whose plan is empty, whether residency is why: without it
// there were targets to use.
func (r *Router) KeptOut(c *Call) bool {
	free := *c.Route
	free.Residency = Residency{}
	return len(r.draw(slateKey{grant: c.Grant, route: &free}).candidates) > 0
}
