package auth

import (
	"net/http"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/wire/address"
)

// AppSync's texts for callers it turns away.
const (
	msgNoHeader      = "Valid authorization header not provided."
	msgNotAuthorized = "You are not authorized to make this call."
	msgTokenExpired  = "Token has expired."
	msgTokenGarbled  = "Unable to parse JWT token."
)

// GraphQL identifies who sends a GraphQL request. Modes is required, and of the rest
// what a mode in it needs: without that the mode lets nobody in.
type GraphQL struct {
	Modes backend.Authorization

	APIKeys    *APIKeys
	Tokens     *Tokens          // of user pools and OIDC issuers
	Signatures *Signatures      // for AWS_IAM
	Region     inference.Region // that those are for
	Authorizer *Authorizer      // for AWS_LAMBDA
}

// Identify finds the caller by AppSync's precedence: a SigV4 signature, then a token
// in Authorization, then x-api-key. A token is the authorizer's where the API has one,
// but for those of an issuer that is ours (AppSync Developer Guide, "Circumventing
// SigV4 and OIDC token authorization limitations", from memory). body is the request's.
// Whether a field admits the identity's mode is the caller's to check. Errors:
// MissingAuth when the request carries nothing, UnrecognizedClient, ExpiredToken,
// Validation for a token that cannot be read, ServiceUnavailable while an issuer is
// away, and those of a signature.
func (g GraphQL) Identify(r *http.Request, body []byte) (inference.Identity, error) {
	identity, err := g.identify(r, body)
	if err != nil {
		return inference.Identity{}, err
	}
	identity.SourceIP = address.Host(r.RemoteAddr)
	return identity, nil
}

func (g GraphQL) identify(r *http.Request, body []byte) (inference.Identity, error) {
	authorization := r.Header.Get("Authorization")
	apiKey := r.Header.Get("X-Api-Key")
	switch {
	case len(r.Header["Authorization"]) > 1 || len(r.Header["X-Api-Key"]) > 1:
		return inference.Identity{}, refuse(inference.MissingAuth, msgNoHeader)
	case strings.HasPrefix(authorization, "AWS4-") && (g.Modes.Allows(backend.IAM) || !g.Modes.Allows(backend.Lambda)):
		return g.signed(r, body)
	case authorization != "":
		return g.token(r, authorization, body)
	case apiKey != "":
		return g.apiKey(apiKey)
	default:
		return inference.Identity{}, refuse(inference.MissingAuth, msgNoHeader)
	}
}

func (g GraphQL) token(r *http.Request, authorization string, body []byte) (inference.Identity, error) {
	token := bareToken(authorization)
	if g.Modes.Allows(backend.Lambda) && g.Authorizer != nil && !g.isOurs(token) {
		return g.Authorizer.identify(r, authorization, body)
	}
	if g.Tokens == nil {
		return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
	}
	identity, err := g.Tokens.Verify(r.Context(), token)
	if err != nil {
		return inference.Identity{}, err
	}
	return g.admit(identity)
}

// isOurs reports whether token is for a mode of the API other than AWS_LAMBDA.
func (g GraphQL) isOurs(token string) bool {
	signIn := g.Modes.Allows(backend.UserPool) || g.Modes.Allows(backend.OIDC)
	return signIn && g.Tokens != nil && g.Tokens.Knows(token)
}

func (g GraphQL) apiKey(key string) (inference.Identity, error) {
	if g.APIKeys == nil {
		return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
	}
	known, ok := g.APIKeys.Lookup(key)
	if !ok {
		return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
	}
	return g.admit(inference.Identity{
		Mode: string(backend.APIKey), Caller: inference.Caller{Key: known.Name, Budget: known.Budget}, Principal: known.Principal,
	})
}

// admit refuses who came by a mode that the API does not have.
func (g GraphQL) admit(identity inference.Identity) (inference.Identity, error) {
	if !g.Modes.Allows(backend.Mode(identity.Mode)) {
		return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
	}
	return identity, nil
}

// bareToken is the token of an Authorization header: Amplify's client sends it
// raw, other clients after "Bearer".
func bareToken(authorization string) string {
	scheme, token, ok := strings.Cut(authorization, " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return authorization
}
