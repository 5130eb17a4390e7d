package identitypool

import (
	"context"
	"fmt"
	"slices"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/wire/address"
)

// maxToken is how long the token of a login may be, in bytes (Smithy shape
// IdentityProviderToken).
const maxToken = 50_000

// login is a user whom an issuer vouches for.
type login struct {
	provider string // the issuer without its scheme, which is the key in Logins
	identity inference.Identity
}

// login verifies the one login of a request. It is false for a guest, who shows none.
func (p *Pool) login(ctx context.Context, logins map[string]string) (login, bool, error) {
	if len(logins) > 1 {
		return login{}, false, refuse(InvalidParameter, "only one login is taken at a time: leave out the others")
	}
	for provider, token := range logins {
		identity, err := p.verify(ctx, provider, token)
		return login{provider, identity}, err == nil, err
	}
	return login{}, false, nil
}

// verify holds a token against the provider that it is said to be of. A provider that
// is not of the settings is refused before anything is asked of its token.
func (p *Pool) verify(ctx context.Context, provider, token string) (inference.Identity, error) {
	issuers := p.settings.Load().Issuers
	if !slices.ContainsFunc(issuers, func(i string) bool { return address.WithoutScheme(i) == provider }) {
		return inference.Identity{}, refuse(NotAuthorized, "Token is not from a supported provider of this identity pool.")
	}
	if token == "" || len(token) > maxToken {
		return inference.Identity{}, refuse(InvalidParameter, fmt.Sprintf(
			"1 validation error detected: Value at 'logins' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to %d, Member must have length greater than or equal to 1]", maxToken))
	}
	identity, err := p.options.Verify(ctx, token)
	switch {
	case err != nil:
		return inference.Identity{}, tokenError(err)
	case !isIDToken(identity):
		return inference.Identity{}, refuse(NotAuthorized, "Invalid login token. Not a valid OpenId Connect identity token.")
	case !slices.Contains(issuers, identity.Issuer) || address.WithoutScheme(identity.Issuer) != provider:
		return inference.Identity{}, refuse(NotAuthorized, "Invalid login token. Issuer doesn't match providerName")
	case identity.Caller.ID == "":
		return inference.Identity{}, refuse(NotAuthorized, "Invalid login token. Token has no subject")
	}
	return identity, nil
}

// isIDToken reports whether an identity is of an id token. A user pool says so in
// token_use, which other issuers do not know.
func isIDToken(i inference.Identity) bool {
	use, said := i.Claims["token_use"]
	return use == "id" || !said && i.Mode != string(backend.UserPool)
}

// tokenError is the service's answer to a token that does not verify; what is not the
// token's fault stays what it is.
func tokenError(err error) error {
	message := ""
	switch inference.AsError(err).Kind {
	case inference.Validation:
		message = "Invalid login token. Not a valid OpenId Connect identity token."
	case inference.ExpiredToken:
		message = "Invalid login token. Token expired."
	case inference.UnrecognizedClient:
		message = "Invalid login token. Token signature invalid."
	default:
		return err
	}
	return &Error{NotAuthorized, message, err}
}
