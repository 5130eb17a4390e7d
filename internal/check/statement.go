package check

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/policy"
)

// arnParts are the parts of an ARN: arn, partition, service, region, account and
// resource.
const arnParts = 6

// placeholders warns of ARNs that still have <UserID> for an account.
func (c *checker) placeholders() {
	for _, p := range c.backend.Principals {
		for _, s := range p.Statements {
			for i, resource := range s.Resources {
				arn := strings.SplitN(resource, ":", arnParts)
				if len(arn) < arnParts || !policy.IsPlaceholder(arn[4]) {
					continue
				}
				at := s.At
				if i < len(s.ResourceAt) && s.ResourceAt[i] != "" {
					at = s.ResourceAt[i]
				}
				c.add(backend.SeverityWarning, "placeholder-account", at,
					"the account of "+resource+" is a placeholder: here it stands for the configured account, on AWS it matches nothing",
					"replace "+arn[4]+" by your AWS account ID")
			}
		}
	}
}

// statementOrder warns that regions named one by one for a model are an order
// here only.
func (c *checker) statementOrder() {
	for _, p := range c.backend.Principals {
		for _, o := range orders(p.Statements) {
			if len(o.regions) > 1 {
				c.add(backend.SeverityWarning, "statement-order", o.at,
					"the statements of "+p.Name+" name regions of "+o.model+" in an order: fairway tries "+strings.Join(o.regions, ", ")+
						" in that order; AWS ignores statement order and chooses by itself", "")
			}
		}
	}
}

// order is the regions that statements name for one model, as written.
type order struct {
	model   string // as the statements write it
	regions []string
	at      string // the first statement that names one
}

// orders lists the orders in the statements that allow.
func orders(statements []backend.Statement) []order {
	var all []order
	for _, s := range statements {
		if s.Effect != "Allow" {
			continue
		}
		for _, resource := range s.Resources {
			model, region, ok := namedRegion(resource)
			if !ok {
				continue
			}
			i := slices.IndexFunc(all, func(o order) bool { return o.model == model })
			if i < 0 {
				i, all = len(all), append(all, order{model: model, at: s.At})
			}
			if !slices.Contains(all[i].regions, region) {
				all[i].regions = append(all[i].regions, region)
			}
		}
	}
	return all
}

// namedRegion is the model of a foundation model's ARN and its region, where
// that is no pattern.
func namedRegion(resource string) (model, region string, ok bool) {
	arn := strings.SplitN(resource, ":", arnParts)
	if len(arn) < arnParts || arn[3] == "" || strings.ContainsAny(arn[3], "*?") {
		return "", "", false
	}
	model, ok = strings.CutPrefix(arn[5], "foundation-model/")
	return model, arn[3], ok
}

// policies compiles the statements, and adds those that IAM would not take.
func (c *checker) policies() {
	sound := true
	principals := map[string]policy.Principal{}
	for _, p := range c.backend.Principals {
		for i, s := range p.Statements {
			if problem := c.malformed(s); problem != "" {
				sound = false
				c.invalid(s.At, "statement "+strconv.Itoa(i+1)+" of "+p.Name+" is not one that IAM takes: "+problem)
			}
		}
		if _, taken := principals[p.Name]; taken {
			sound = false
			c.invalid("", "two principals are called "+p.Name)
		}
		principals[p.Name] = policy.Principal{Principal: inference.ServiceRole(c.Account, p.Name), Statements: p.Statements}
	}
	if !sound {
		return
	}
	for _, ds := range c.backend.DataSources {
		if _, ok := principals[ds.Principal]; !ok { // a role without statements may do nothing
			principals[ds.Principal] = policy.Principal{Principal: inference.ServiceRole(c.Account, ds.Principal)}
		}
	}
	engine, err := policy.New(policy.Options{Account: c.Account}, slices.Collect(maps.Values(principals))...)
	if err != nil {
		c.invalid("", inference.AsError(err).Message)
		return
	}
	c.policy = engine
}

// malformed is what policy says against a statement by itself, empty when nothing.
func (c *checker) malformed(s backend.Statement) string {
	s.At = "statement"
	_, err := policy.Compile(policy.Principal{Statements: []backend.Statement{s}}, c.Account)
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(inference.AsError(err).Message, s.At+": ")
}

// invalid adds an invalid-statement, unless loading has found one there.
func (c *checker) invalid(at, message string) {
	const code = "invalid-statement"
	if !c.loaded(code, at) {
		c.add(backend.SeverityError, code, at, message, "correct the statement")
	}
}
