package amplify

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
)

// directiveModes maps the directives of custom operations to the mode each needs.
var directiveModes = map[string]backend.Mode{
	"aws_api_key": backend.APIKey, "aws_cognito_user_pools": backend.UserPool,
	"aws_oidc": backend.OIDC, "aws_lambda": backend.Lambda, "aws_iam": backend.IAM,
}

// strategyModes and providerModes do so for a rule of @auth: the provider
// decides where there is one.
var (
	strategyModes = map[string]backend.Mode{
		"private": backend.UserPool, "owner": backend.UserPool, "groups": backend.UserPool,
		"public": backend.APIKey, "custom": backend.Lambda,
	}
	providerModes = map[string]backend.Mode{
		"apiKey": backend.APIKey, "userPools": backend.UserPool, "oidc": backend.OIDC,
		"identityPool": backend.IAM, "iam": backend.IAM, "function": backend.Lambda,
	}
)

// missing says of each mode what a rule lacks without it, and the remedy. IAM
// is never missing.
var missing = map[backend.Mode]struct{ code, message, fix string }{
	backend.UserPool: {
		"missing-auth",
		"allow.authenticated() and rules for groups or owners need a user pool, and the backend has no auth",
		"define auth with defineAuth and pass it to defineBackend",
	},
	backend.APIKey: {
		"unconfigured-authorization-mode",
		"allow.publicApiKey() needs the mode apiKey, which is not configured",
		"set authorizationModes.apiKeyAuthorizationMode",
	},
	backend.OIDC: {
		"unconfigured-authorization-mode",
		"a rule with the provider oidc needs the mode oidc, which is not configured",
		"set authorizationModes.oidcAuthorizationMode",
	},
	backend.Lambda: {
		"unconfigured-authorization-mode",
		"allow.custom() needs the mode lambda, which is not configured",
		"set authorizationModes.lambdaAuthorizationMode",
	},
}

// checkModes finds the rules whose mode the API does not have. Amplify does not
// look; AppSync refuses the schema at deployment. A model's rules are placed at
// data, the call of defineData.
func checkModes(b *backend.Backend, document *ast.SchemaDocument, data position, found *findings) {
	check := func(subject string, at position, directives ast.DirectiveList) {
		for _, mode := range modesOf(directives) {
			if lack, ok := missing[mode]; ok && !b.Authorization.Allows(mode) {
				found.fail(lack.code, at, lack.fix, "%s: %s", subject, lack.message)
			}
		}
	}
	for _, definition := range document.Definitions {
		if isModel(definition) {
			check(definition.Name, data, definition.Directives)
		}
	}
	for _, op := range b.Operations {
		definition := document.Definitions.ForName(op.Type)
		if definition == nil {
			continue // a model's operation, which the builder's schema does not spell out
		}
		if field := definition.Fields.ForName(op.Field); field != nil {
			check(op.Type+"."+op.Field, parsePosition(op.At), field.Directives)
		}
	}
}

// modesOf lists the modes that the directives need, each once.
func modesOf(directives ast.DirectiveList) []backend.Mode {
	var needed []backend.Mode
	for _, d := range directives {
		if mode, ok := directiveModes[d.Name]; ok {
			needed = append(needed, mode)
		}
		if rules := d.Arguments.ForName("rules"); d.Name == "auth" && rules != nil {
			for _, rule := range rules.Value.Children {
				needed = append(needed, ruleMode(rule.Value))
			}
		}
	}
	slices.Sort(needed)
	return slices.Compact(needed)
}

// ruleMode is the mode that one rule of @auth, {allow: ..., provider: ...}, needs.
func ruleMode(rule *ast.Value) backend.Mode {
	if provider := rule.Children.ForName("provider"); provider != nil {
		return providerModes[provider.Raw]
	}
	return strategyModes[rule.Children.ForName("allow").Raw]
}
