package config

import "errors"

// ServeProblems is what keeps a server from being opened to others with a
// configuration that is fine in itself, each with its origin, one a line: nobody
// could call it, or anybody.
func ServeProblems(c *Config, o Origins) error {
	var found findings
	keys := c.hasKeys()
	found.check(keys || c.Backend != "" || c.Store != "", "principals", "nobody could call: want a principal with a key, or a backend or store that has callers")
	found.check(keys || isLoopback(c.Listen), "listen", "want a principal with a key before others than this machine are let in at %s", c.Listen)
	found.check(c.Admin.Listen == "" || c.Admin.Token != "" || isLoopback(c.Admin.Listen), "admin.listen", "want an admin.token before others than this machine are let in at %s", c.Admin.Listen)
	if c.Backend == "" { // whose data sources are principals too
		c.validateRoutePrincipals(&found)
	}
	var problems []error
	for _, f := range found {
		problems = append(problems, f.at(o))
	}
	return errors.Join(problems...)
}

// hasKeys reports whether anyone could prove who they are.
func (c *Config) hasKeys() bool {
	for _, p := range c.Principals {
		if len(p.AccessKeys)+len(p.BearerKeys) > 0 {
			return true
		}
	}
	return false
}
