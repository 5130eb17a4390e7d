package sts

import (
	"context"
	"encoding/xml"
	"slices"

	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/address"
)

type webIdentityResult struct {
	XMLName                     xml.Name `xml:"AssumeRoleWithWebIdentityResult"`
	Credentials                 credentials
	SubjectFromWebIdentityToken string
	AssumedRoleUser             assumedRoleUser
	PackedPolicySize            int
	Provider                    string
	Audience                    string
}

// assumeRoleWithWebIdentity makes a session of a role for a user of one of its
// issuers. The request has no signature: the token is who asks.
func (c *call) assumeRoleWithWebIdentity() (any, error) {
	if !c.unsigned.Allow(address.Client(c.request.RemoteAddr), c.Now()) {
		return nil, front.Refuse(throttling, "Rate exceeded")
	}
	a, err := c.assumption()
	if err != nil {
		return nil, err
	}
	token, err := c.form.text("WebIdentityToken", maxToken)
	if err != nil {
		return nil, err
	}
	user, err := c.verify(c.request.Context(), token)
	if err != nil {
		return nil, err
	}
	if !a.known || !slices.Contains(a.role.WebIdentity, user.Issuer) {
		return nil, front.Refuse(accessDenied, "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if !a.mayTag() {
		return nil, front.Refuse(accessDenied, "Not authorized to perform sts:TagSession")
	}
	if err := a.checkDuration(); err != nil {
		return nil, err
	}
	made, err := c.Issue(a.session(user.Caller, c.Now(), webIdentityKeys(user)))
	if err != nil {
		return nil, err
	}
	return webIdentityResult{
		Credentials:                 credentialsOf(made),
		SubjectFromWebIdentityToken: user.Caller.ID,
		AssumedRoleUser:             a.user(),
		Provider:                    user.Issuer,
		Audience:                    audience(user),
	}, nil
}

// verify tells whom a token speaks for. What is not the token's fault stays what it is.
func (f *Front) verify(ctx context.Context, token string) (inference.Identity, error) {
	if f.Verify == nil {
		return inference.Identity{}, front.Refuse(invalidIdentityToken, "No OpenIDConnect provider found in your account for this token")
	}
	user, err := f.Verify(ctx, token)
	if err == nil {
		return user, nil
	}
	switch inference.AsError(err).Kind {
	case inference.ExpiredToken:
		return user, front.Refuse(expiredIdentityToken, "Token expired: the web identity token is not current any more")
	case inference.Validation:
		return user, front.Refuse(invalidIdentityToken, "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	case inference.UnrecognizedClient:
		return user, front.Refuse(invalidIdentityToken, "Couldn't retrieve verification key from your identity provider, or the token is not for this audience")
	}
	return user, err
}

// webIdentityKeys are the condition keys of a session that a token stands behind:
// "ISSUER:sub" and "ISSUER:aud", the issuer without its scheme (IAM User Guide,
// "Available keys for AWS OIDC federation").
func webIdentityKeys(user inference.Identity) map[string][]string {
	issuer := address.WithoutScheme(user.Issuer)
	keys := map[string][]string{issuer + ":sub": {user.Caller.ID}}
	if a := audience(user); a != "" {
		keys[issuer+":aud"] = []string{a}
	}
	return keys
}

// audience is whom the token is for: its aud, the first of several, or the client of a
// user pool's access token.
func audience(user inference.Identity) string {
	switch aud := user.Claims["aud"].(type) {
	case string:
		return aud
	case []any:
		if len(aud) > 0 {
			first, _ := aud[0].(string)
			return first
		}
	}
	client, _ := user.Claims["client_id"].(string)
	return client
}
