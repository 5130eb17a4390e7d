package auth

import (
	"net"
	"net/http"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
)

// AppSync's texts for callers it turns away.
const (
	msgNoHeader      = "Valid authorization header not provided."
	msgNotAuthorized = "You are not authorized to make this call."
	msgTokenExpired  = "Token has expired."
	msgTokenGarbled  = "Unable to parse JWT token."
	msgIAM           = "identify caller: requests signed with SigV4 are not served by this API: send x-api-key or a user pool token"
)

// GraphQL identifies who sends a GraphQL request. A nil field is a mode that the
// API does not have.
type GraphQL struct {
	APIKeys *APIKeys
	Tokens  *Tokens
}

// Identify finds the caller by AppSync's precedence: a SigV4 signature, then a
// token in Authorization, then x-api-key. Whether the API and the field admit
// the identity's mode is the caller's to check. Errors: MissingAuth when the
// request carries nothing, UnrecognizedClient, ExpiredToken, and Validation for
// a token that cannot be read.
func (g GraphQL) Identify(r *http.Request) (inference.Identity, error) {
	identity, err := g.identify(r)
	if err != nil {
		return inference.Identity{}, err
	}
	identity.SourceIP = sourceIP(r.RemoteAddr)
	return identity, nil
}

func (g GraphQL) identify(r *http.Request) (inference.Identity, error) {
	authorization := r.Header.Get("Authorization")
	apiKey := r.Header.Get("X-Api-Key")
	switch {
	case strings.HasPrefix(authorization, "AWS4-"):
		return inference.Identity{}, refuse(inference.UnrecognizedClient, msgIAM)
	case authorization != "":
		if g.Tokens == nil {
			return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
		}
		return g.Tokens.Verify(r.Context(), bareToken(authorization))
	case apiKey != "":
		if g.APIKeys == nil || !g.APIKeys.Valid(apiKey) {
			return inference.Identity{}, refuse(inference.UnrecognizedClient, msgNotAuthorized)
		}
		return inference.Identity{Mode: string(backend.APIKey)}, nil
	default:
		return inference.Identity{}, refuse(inference.MissingAuth, msgNoHeader)
	}
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

func sourceIP(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}
