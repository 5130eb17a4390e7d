package auth

import (
	"net/http"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/wire/address"
	"fairway/internal/wire/arn"
)

// The service's texts for a signature that is good for something else.
const (
	msgWrongService = "Credential should be scoped to correct service: 'appsync'."
	msgWrongRegion  = "Credential should be scoped to a valid region."
)

// signed identifies who signed a request to the API.
func (g GraphQL) signed(r *http.Request, body []byte) (inference.Identity, error) {
	if g.Signatures == nil || !g.Modes.Allows(backend.IAM) {
		return inference.Identity{}, refuse(inference.AccessDenied, msgNotAuthorized)
	}
	credential, err := g.Signatures.Authenticate(r, func() ([]byte, error) { return body, nil })
	switch {
	case err != nil:
		return inference.Identity{}, err
	case credential.Service != "appsync":
		return inference.Identity{}, refuse(inference.InvalidSignature, msgWrongService)
	case credential.Region != g.Region:
		return inference.Identity{}, refuse(inference.InvalidSignature, msgWrongRegion)
	}
	name := sessionName(credential)
	identity := inference.Identity{
		Mode:       string(backend.IAM),
		Caller:     credential.Caller,
		Principal:  credential.Principal.Name,
		Claims:     iamClaims(credential, name),
		Credential: &credential,
		Circumstances: inference.Circumstances{
			SourceIP: address.Host(r.RemoteAddr), Secure: r.TLS != nil, UserAgent: r.UserAgent(), Session: credential.Session,
		},
	}
	if identity.Caller.ID == "" && identity.Caller.Name == "" {
		identity.Caller.Name = name
	}
	return identity, nil
}

// sessionName is the username of AppSync's IAM identity: the role's id and the name of
// its session, or the user's id. Names stand here for ids.
func sessionName(c inference.Credential) string {
	if c.Session == nil || c.Session.Name == "" {
		return c.Principal.Name
	}
	return c.Principal.Name + ":" + c.Session.Name
}

// iamClaims are what ctx.identity holds for AWS_IAM (@aws-appsync/utils 2.1.1,
// AppSyncIdentityIAM): of an identity pool's credentials also whose they are. The
// condition keys of its roles say that.
func iamClaims(c inference.Credential, name string) map[string]any {
	account := ""
	if a, err := arn.Parse(string(c.Principal.ARN)); err == nil {
		account = a.Account
	}
	claims := map[string]any{"accountId": account, "userArn": string(c.Principal.ARN), "username": name}
	if c.Session == nil {
		return claims
	}
	const prefix = "cognito-identity.amazonaws.com:"
	for claim, key := range map[string]string{"cognitoIdentityPoolId": "aud", "cognitoIdentityId": "sub"} {
		if values := c.Session.Keys[prefix+key]; len(values) > 0 {
			claims[claim] = values[0]
		}
	}
	if amr := c.Session.Keys[prefix+"amr"]; len(amr) > 0 {
		claims["cognitoIdentityAuthType"] = amr[0]
		if len(amr) > 1 {
			claims["cognitoIdentityAuthProvider"] = `"` + strings.Join(amr[1:], `","`) + `"`
		}
	}
	return claims
}
