package config

import (
	"errors"
	"fmt"
	"slices"
)

// ServeProblems is what keeps a server from being opened to others with a
// configuration that is fine in itself, each with its origin, one a line: nobody
// could call it, or anybody, or nobody could sign up.
func ServeProblems(c *Config, o Origins) error {
	var found findings
	callers := c.hasCallers()
	found.check(callers || c.Backend != "" || c.Store != "", "principals", "nobody could call: want a principal with a key, an issuer, or a backend or store that has callers")
	found.check(callers || isLoopback(c.Listen), "listen", "want a principal with a key before others than this machine are let in at %s", c.Listen)
	found.check(c.Admin.Listen == "" || c.Admin.Token != "" || isLoopback(c.Admin.Listen), "admin.listen", "want an admin.token before others than this machine are let in at %s", c.Admin.Listen)
	c.validateServedPool(&found)
	if c.Backend == "" { // whose roles are principals too
		c.validateNames(&found, nil)
	}
	return found.join(o)
}

// validateServedPool finds what the user pool lacks to be opened to others.
func (c *Config) validateServedPool(found *findings) {
	if !c.UserPool.Enabled {
		return
	}
	found.beside("user_pool.enabled", c.Master != "", "master_key", "want a master_key, which seals the keys that the user pool signs with")
	mailed := c.SMTP.Server != "" || c.UserPool.LogCodes
	found.beside("user_pool.enabled", mailed || !c.UserPool.SignUp, "smtp.server", "nobody who signs up would get a code: want an smtp.server, user_pool.log_codes, or user_pool.sign_up: false")
}

// UnknownPrincipals is which principals c names that there are not, neither its own
// nor among also, each with its origin, one a line.
func UnknownPrincipals(c *Config, o Origins, also ...string) error {
	var found findings
	c.validateNames(&found, also)
	return found.join(o)
}

// validateNames finds names of principals that there are not.
func (c *Config) validateNames(found *findings, also []string) {
	known := slices.Clone(also)
	for _, p := range c.Principals {
		known = append(known, p.Name)
	}
	for _, n := range c.named() {
		found.check(slices.Contains(known, n.name), n.path, "want the name of one of the principals, got %q", n.name)
	}
}

// named are all principals that something names.
func (c *Config) named() []named {
	all := append(c.UserPool.named(), c.IdentityPool.named()...)
	for i, r := range c.Routes {
		for _, name := range r.Principals {
			all = append(all, named{fmt.Sprintf("routes[%d].principals", i), name})
		}
	}
	for i := range c.Issuers {
		all = append(all, c.Issuers[i].named(fmt.Sprintf("issuers[%d]", i))...)
	}
	for i, p := range c.Principals {
		for _, name := range p.AssumedBy {
			all = append(all, named{fmt.Sprintf("principals[%d].assumed_by", i), name})
		}
	}
	return all
}

// hasCallers reports whether anyone could prove who they are.
func (c *Config) hasCallers() bool {
	hasKey := func(p Principal) bool { return len(p.AccessKeys)+len(p.BearerKeys) > 0 }
	return len(c.Issuers) > 0 || c.UserPool.Enabled || slices.ContainsFunc(c.Principals, hasKey)
}

// join is the findings as one error, nil for none.
func (found findings) join(o Origins) error {
	var problems []error
	for _, f := range found {
		problems = append(problems, f.at(o))
	}
	return errors.Join(problems...)
}
