package config

import (
	"fmt"
	"path"
	"slices"
)

// Budget is what some calls may spend together. It binds those that all of its lists
// match, and those whose key or principal names it.
type Budget struct {
	Name              string   `yaml:"name"`       // unique
	Principals        []string `yaml:"principals"` // path.Match patterns of names
	Keys              []string `yaml:"keys"`       // likewise, of API keys, access keys and bearer keys
	Users             []string `yaml:"users"`      // likewise, of signed-in users
	Teams             []string `yaml:"teams"`      // likewise, of the teams
	Models            []string `yaml:"models"`     // likewise, of model ids
	Per               Per      `yaml:"per"`        // whose each pot is; empty for one that all share
	DollarsPerDay     Dollars  `yaml:"dollars_per_day"`
	DollarsPerMonth   Dollars  `yaml:"dollars_per_month"`
	TokensPerMinute   int      `yaml:"tokens_per_minute"`
	RequestsPerMinute int      `yaml:"requests_per_minute"`
	Streams           int      `yaml:"streams"` // at a time
	Soft              Ratio    `yaml:"soft"`    // of a limit, from which on callers and operators are told; 0 is never
	Webhook           Webhook  `yaml:"webhook"` // that is told too
}

// Per is what each pot of a budget is for.
type Per string

// UnmarshalText reads one of the words, or none.
func (p *Per) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = ""
		return nil
	}
	return oneOf(p, text, "principal", "key", "user", "team", "model")
}

// Team is some callers by a name.
type Team struct {
	Name       string   `yaml:"name"`       // unique
	Principals []string `yaml:"principals"` // path.Match patterns of names, as all of these
	Keys       []string `yaml:"keys"`
	Users      []string `yaml:"users"`
	Groups     []string `yaml:"groups"` // of user pools and issuers
}

// usualSoft is the soft threshold of a budget that has none.
const usualSoft = 0.8

// completeBudgets gives each budget the threshold that it leaves out.
func (l *loader) completeBudgets() {
	for i := range l.config.Budgets {
		if l.origins[fmt.Sprintf("budgets[%d].soft", i)] == "" {
			l.config.Budgets[i].Soft = usualSoft
		}
	}
}

func (c *Config) validateSpending(found *findings) {
	names := map[string]bool{}
	for i, b := range c.Budgets {
		at := fmt.Sprintf("budgets[%d]", i)
		found.check(nameForm.MatchString(b.Name), at+".name", "want up to 64 letters, digits and any of _+=,.@-, got %q", b.Name)
		unique(found, names, b.Name, at+".name")
		found.words(b.Principals, at+".principals")
		found.words(b.Keys, at+".keys")
		found.words(b.Users, at+".users")
		found.words(b.Teams, at+".teams")
		found.words(b.Models, at+".models")
		found.count(b.TokensPerMinute, at+".tokens_per_minute")
		found.count(b.RequestsPerMinute, at+".requests_per_minute")
		found.count(b.Streams, at+".streams")
		limits := b.DollarsPerDay > 0 || b.DollarsPerMonth > 0 || b.TokensPerMinute > 0 || b.RequestsPerMinute > 0 || b.Streams > 0
		found.check(limits, at, "want one at least of dollars_per_day, dollars_per_month, tokens_per_minute, requests_per_minute and streams")
		for _, pattern := range b.Teams {
			known := slices.ContainsFunc(c.Teams, func(t Team) bool { ok, _ := path.Match(pattern, t.Name); return ok })
			found.check(known, at+".teams", "want a pattern of one of the teams, got %q", pattern)
		}
	}
	c.validateTeams(found)
	for i, p := range c.Principals {
		found.check(p.Budget == "" || names[p.Budget], fmt.Sprintf("principals[%d].budget", i), "want the name of one of the budgets, got %q", p.Budget)
	}
}

func (c *Config) validateTeams(found *findings) {
	names := map[string]bool{}
	for i, t := range c.Teams {
		at := fmt.Sprintf("teams[%d]", i)
		found.check(nameForm.MatchString(t.Name), at+".name", "want up to 64 letters, digits and any of _+=,.@-, got %q", t.Name)
		unique(found, names, t.Name, at+".name")
		found.words(t.Principals, at+".principals")
		found.words(t.Keys, at+".keys")
		found.words(t.Users, at+".users")
		found.words(t.Groups, at+".groups")
		found.check(len(t.Principals)+len(t.Keys)+len(t.Users)+len(t.Groups) > 0, at, "want principals, keys, users or groups that are of the team")
	}
}

func (found *findings) count(n int, at string) {
	found.check(n >= 0, at, "want 0 for none, or more, got %d", n)
}

// words finds patterns that match nothing.
func (found *findings) words(all []string, at string) {
	for _, pattern := range all {
		_, err := path.Match(pattern, "")
		found.check(pattern != "" && err == nil, at, `want a pattern of names such as "checkout-*", got %q`, pattern)
	}
}
