package schema

import (
	"slices"
	"strings"
)

// rule is one authorization rule as `allow` records it.
type rule struct {
	Strategy      string   `json:"strategy"` // "public", "private", "owner", "groups", "custom" or "resource"
	Provider      string   `json:"provider"`
	Operations    []string `json:"operations"`
	Field         string   `json:"field"` // holds the owner or the groups
	Multi         bool     `json:"multi"` // Field is a list
	Groups        []string `json:"groups"`
	IdentityClaim string   `json:"identityClaim"`
	GroupClaim    string   `json:"groupClaim"`
}

// schemaRules leaves out rules that admit functions, which are no rules for callers.
func schemaRules(rules []rule) []rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return r.Strategy == "resource" })
}

// authDirective is the @auth directive of the rules, empty without rules.
func authDirective(rules []rule) string {
	var printed []string
	for _, r := range rules {
		if r.Strategy == "" {
			return ""
		}
		printed = append(printed, "{"+strings.Join(r.parts(), ", ")+"}")
	}
	if len(printed) == 0 {
		return ""
	}
	return "@auth(rules: [" + strings.Join(printed, ",\n  ") + "])"
}

func (r rule) parts() []string {
	parts := []string{"allow: " + r.Strategy}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+": "+value)
		}
	}
	add("provider", r.Provider)
	if r.Operations != nil {
		add("operations", "["+strings.Join(r.Operations, ", ")+"]")
	}
	if r.Field != "" && r.Strategy == "groups" {
		add("groupsField", quote(r.Field))
	} else if r.Field != "" {
		add("ownerField", quote(r.Field))
	}
	if r.Groups != nil {
		add("groups", quoteList(r.Groups))
	}
	if r.IdentityClaim != "" {
		add("identityClaim", quote(r.IdentityClaim))
	}
	if r.GroupClaim != "" {
		add("groupClaim", quote(r.GroupClaim))
	}
	return parts
}

// quote writes a name as the builder does: between quotes, unescaped.
func quote(s string) string { return `"` + s + `"` }

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = quote(name)
	}
	return out
}

func quoteList(names []string) string { return "[" + strings.Join(quoted(names), ", ") + "]" }

// nativeDirectives are AppSync's directives for the rules: plain ones in the order
// of the rules, then one a mode for groups, unless the mode is admitted as a whole.
func nativeDirectives(rules []rule) ([]string, *Error) {
	var plain, modes []string
	groups := map[string][]string{}
	for _, r := range rules {
		mode, err := r.native()
		if err != nil {
			return nil, err
		}
		switch {
		case r.Groups == nil:
			plain = appendNew(plain, mode)
		default:
			modes = appendNew(modes, mode)
			groups[mode] = appendNew(groups[mode], r.Groups...)
		}
	}
	directives := plain
	for _, mode := range modes {
		if !slices.Contains(plain, mode) {
			directives = append(directives, mode+"(cognito_groups: "+quoteList(groups[mode])+")")
		}
	}
	return directives, nil
}

func (r rule) native() (string, *Error) {
	p := r.providers()
	if p == 0 || r.Strategy == "owner" {
		return "", &Error{Message: "Unsupported auth strategy for custom handlers: " + r.Strategy}
	}
	if r.Strategy == "groups" && p != providerUserPools {
		return "", &Error{Message: "Unsupported provider for custom handlers: " + r.Provider}
	}
	return p.directives()[0], nil
}

// checkCustomHandler refuses what AppSync cannot express for a JS resolver.
func checkCustomHandler(rules []rule) *Error {
	for _, r := range rules {
		if r.Groups != nil && r.Provider == "oidc" {
			return &Error{Message: "OIDC group auth is not supported with a.handler.custom"}
		}
		if r.Provider == "identityPool" || r.Provider == "iam" {
			return &Error{Message: "identityPool-based auth (allow.guest() and allow.authenticated('identityPool')) is not supported with a.handler.custom"}
		}
	}
	return nil
}

func appendNew(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// providers is a set of the ways a caller may be known.
type providers uint8

// The providers, in the order in which Amplify writes their directives.
const (
	providerAPIKey providers = 1 << iota
	providerIAM
	providerOIDC
	providerUserPools
	providerFunction
)

// directives are AppSync's, one a provider.
func (p providers) directives() []string {
	var out []string
	for i, name := range []string{"@aws_api_key", "@aws_iam", "@aws_oidc", "@aws_cognito_user_pools", "@aws_lambda"} {
		if p&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// providers is what the rule admits, by its strategy's default where it names none.
func (r rule) providers() providers {
	switch r.Provider {
	case "apiKey":
		return providerAPIKey
	case "identityPool", "iam":
		return providerIAM
	case "oidc":
		return providerOIDC
	case "userPools":
		return providerUserPools
	case "function":
		return providerFunction
	}
	switch r.Strategy {
	case "public":
		return providerAPIKey
	case "private", "owner", "groups":
		return providerUserPools
	case "custom":
		return providerFunction
	}
	return 0
}

// permits reports whether the rule admits a model operation ("get", "create", ...).
func (r rule) permits(operation string) bool {
	if r.Operations == nil || slices.Contains(r.Operations, operation) {
		return true
	}
	reading := slices.Contains([]string{"get", "list", "listen"}, operation)
	return reading && slices.Contains(r.Operations, "read")
}

// admitted is what any of the rules admits for the operation; the empty operation stands for any.
func admitted(rules []rule, operation string) providers {
	var all providers
	for _, r := range rules {
		if operation == "" || r.permits(operation) {
			all |= r.providers()
		}
	}
	return all
}
