package graphql

import (
	"fairway/backend"
	"fairway/internal/inference"
)

// authTypes is util.authType() by mode (@aws-appsync/utils 2.1.1; the Lambda text
// is from memory).
var authTypes = map[backend.Mode]string{
	backend.APIKey:   "API Key Authorization",
	backend.UserPool: "User Pool Authorization",
	backend.IAM:      "IAM Authorization",
	backend.OIDC:     "Open ID Connect Authorization",
	backend.Lambda:   "Lambda Authorization",
}

// identityMap is ctx.identity of who, in the shape of its mode
// (@aws-appsync/utils 2.1.1, Identity). It shares nothing with other calls, for a
// resolver may write into it.
func identityMap(who *inference.Identity) map[string]any {
	switch backend.Mode(who.Mode) {
	case backend.UserPool:
		var groups any
		if who.Groups != nil {
			groups = texts(who.Groups)
		}
		return map[string]any{
			"sub":                 who.Caller.ID,
			"username":            who.Caller.Name,
			"issuer":              who.Issuer,
			"groups":              groups,
			"claims":              clone(who.Claims),
			"sourceIp":            texts([]string{who.SourceIP}),
			"defaultAuthStrategy": "ALLOW",
		}
	case backend.OIDC:
		return map[string]any{"sub": who.Caller.ID, "issuer": who.Issuer, "claims": clone(who.Claims)}
	case backend.IAM:
		m := map[string]any{"sourceIp": texts([]string{who.SourceIP})}
		for _, key := range []string{
			"username", "accountId", "userArn", "cognitoIdentityPoolId", "cognitoIdentityId", "cognitoIdentityAuthType", "cognitoIdentityAuthProvider",
		} {
			m[key] = clone(who.Claims[key])
		}
		return m
	case backend.Lambda:
		return map[string]any{"resolverContext": clone(who.Claims)}
	default:
		return nil
	}
}

func texts(ss []string) []any {
	list := make([]any, len(ss))
	for i, s := range ss {
		list[i] = s
	}
	return list
}

// clone copies maps and lists all the way down.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return nil
		}
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[key] = clone(value)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, value := range v {
			list[i] = clone(value)
		}
		return list
	default:
		return v
	}
}
