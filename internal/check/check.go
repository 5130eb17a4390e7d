// Package check finds what would fail at run time, here or on AWS, before it
// does: it asks the stages that decide ahead of a call the questions that a call
// would ask, and runs each resolver once against an error to see what becomes
// of it.
package check

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairway/backend"
	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/resolver"
)

// Options are the settings that a finding depends on.
type Options struct {
	Account string // what <UserID> stands for; default catalog.DefaultAccount
	Strict  bool   // a call that AWS refuses is refused here too
	Now     time.Time
}

// Run lists what there is to know about b, by file and line: what was found when
// it was loaded, and what calling it would meet. It resolves nothing over the
// network and calls no model.
func Run(ctx context.Context, b *backend.Backend, o Options) []backend.Finding {
	c := &checker{
		ctx:       ctx,
		backend:   b,
		catalog:   catalog.New(catalog.Options{Account: o.Account}),
		now:       o.Now,
		resolvers: map[string]*resolver.Resolver{},
		found:     slices.Clone(b.Findings),
	}
	c.placeholders()
	c.statementOrder()
	c.engines()
	c.compile()
	if c.authorize(o) {
		for _, call := range c.calls() {
			c.call(call)
		}
	}
	c.swallowed()
	slices.SortStableFunc(c.found, func(a, b backend.Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.CompactFunc(c.found, func(a, b backend.Finding) bool { return a == b })
}

// checker is one Run under way.
type checker struct {
	ctx       context.Context
	backend   *backend.Backend
	catalog   *catalog.Catalog
	policy    *policy.Engine
	now       time.Time
	resolvers map[string]*resolver.Resolver // by entry; those that compile
	found     []backend.Finding
}

// add adds a finding at a position such as "amplify/backend.ts:30".
func (c *checker) add(severity backend.Severity, code, at, message, fix string) {
	f := backend.Finding{Severity: severity, Code: code, File: at, Message: message, Fix: fix}
	if i := strings.LastIndexByte(at, ':'); i >= 0 {
		if line, err := strconv.Atoi(at[i+1:]); err == nil {
			f.File, f.Line = at[:i], line
		}
	}
	c.found = append(c.found, f)
}

// placeholders warns of ARNs that still have <UserID> for an account.
func (c *checker) placeholders() {
	for _, p := range c.backend.Principals {
		for _, s := range p.Statements {
			for i, resource := range s.Resources {
				fields := strings.SplitN(resource, ":", 6)
				if len(fields) < 6 || !policy.IsPlaceholder(fields[4]) {
					continue
				}
				at := s.At
				if i < len(s.ResourceAt) && s.ResourceAt[i] != "" {
					at = s.ResourceAt[i]
				}
				c.add(backend.SeverityWarning, "placeholder-account", at,
					"the account of "+resource+" is a placeholder: here it stands for the configured account, on AWS it matches nothing and the call is refused",
					"replace "+fields[4]+" by your AWS account ID")
			}
		}
	}
}

// statementOrder warns that a list of regions is an order here only.
func (c *checker) statementOrder() {
	for _, p := range c.backend.Principals {
		var regions []string
		at := ""
		for _, s := range p.Statements {
			if s.Effect == "Deny" {
				continue
			}
			for _, resource := range s.Resources {
				fields := strings.SplitN(resource, ":", 6)
				if len(fields) == 6 && strings.HasPrefix(fields[5], "foundation-model/") && fields[3] != "" &&
					!strings.ContainsAny(fields[3], "*?") && !slices.Contains(regions, fields[3]) {
					regions = append(regions, fields[3])
					at = cmp.Or(at, s.At)
				}
			}
		}
		if len(regions) > 1 {
			c.add(backend.SeverityWarning, "statement-order", at,
				"the statements of "+p.Name+" name regions in an order: fairway tries "+strings.Join(regions, ", ")+
					" in that order; AWS ignores statement order and chooses by itself", "")
		}
	}
}

// engines lists the operations that have no engine yet.
func (c *checker) engines() {
	for _, op := range c.backend.Operations {
		if op.Unsupported != "" {
			c.add(backend.SeverityWarning, "no-engine", op.At,
				op.Type+"."+op.Field+" is "+op.Unsupported+", which has no engine here yet: calling it answers an error", "")
		}
	}
}

// compile compiles the resolver files and adds what the runtime refuses.
func (c *checker) compile() {
	for f := range c.functions() {
		if f.Code == "" || c.resolvers[f.Entry] != nil {
			continue
		}
		r, err := resolver.Compile(f.Entry, f.Code, resolver.Options{Timeout: time.Second})
		if e, ok := errors.AsType[*resolver.CompileError](err); ok {
			c.found = append(c.found, e.Findings...)
			continue
		}
		if err == nil {
			c.resolvers[f.Entry] = r
		}
	}
}

// authorize compiles the policies; it reports false when there are none to ask.
func (c *checker) authorize(o Options) bool {
	mode := policy.Narrow
	if o.Strict {
		mode = policy.Strict
	}
	var principals []policy.Principal
	for _, ds := range c.backend.DataSources {
		p := policy.Principal{Principal: inference.Principal{Name: ds.Name}}
		for _, have := range c.backend.Principals {
			if have.Name == ds.Principal {
				p.Statements = have.Statements
			}
		}
		principals = append(principals, p)
	}
	engine, err := policy.New(policy.Options{Mode: mode, Account: cmp.Or(o.Account, catalog.DefaultAccount)}, principals...)
	if err != nil {
		c.add(backend.SeverityError, "invalid-statement", "", inference.AsError(err).Message, "")
		return false
	}
	c.policy = engine
	return true
}

// bedrockRegion is the region of a Bedrock runtime endpoint, empty for others.
func bedrockRegion(endpoint string) inference.Region {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	rest, ok := strings.CutPrefix(u.Hostname(), "bedrock-runtime.")
	region, isAWS := strings.CutSuffix(rest, ".amazonaws.com")
	if !ok || !isAWS {
		return ""
	}
	return inference.Region(region)
}
