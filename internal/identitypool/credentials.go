package identitypool

import (
	"context"
	"fmt"
	"time"

	"fairway/internal/inference"
)

// credentialsLife is how long credentials last, the service's own.
const credentialsLife = time.Hour

// sessionName is that of every session, as the service has it.
const sessionName = "CognitoIdentityCredentials"

// conditionKeys is what the condition keys of a session begin with.
const conditionKeys = "cognito-identity.amazonaws.com:"

// GetCredentialsInput is the service's GetCredentialsForIdentityInput.
type GetCredentialsInput struct {
	IdentityID    string
	Logins        map[string]string // as of GetIDInput
	CustomRoleARN string            // refused
}

// GetCredentialsOutput is the service's GetCredentialsForIdentityResponse. The identity
// is the login's own, which a guest's becomes by showing one.
type GetCredentialsOutput struct {
	IdentityID  string `json:"IdentityId"`
	Credentials Credentials
}

// Credentials are the service's.
type Credentials struct {
	AccessKeyID  string `json:"AccessKeyId"`
	SecretKey    string
	SessionToken string
	Expiration   float64 // seconds since 1970
}

// GetCredentialsForIdentity gives credentials that last an hour: to a login for its own
// identity or a guest's, without a login for a guest's. Errors: InvalidParameter,
// NotAuthorized, InvalidConfiguration, and those of Issue.
func (p *Pool) GetCredentialsForIdentity(ctx context.Context, in GetCredentialsInput) (GetCredentialsOutput, error) {
	if in.CustomRoleARN != "" {
		return GetCredentialsOutput{}, refuse(InvalidParameter, "CustomRoleArn is not taken: the settings of the identity pool say who its identities are")
	}
	if !identityForm.MatchString(in.IdentityID) {
		return GetCredentialsOutput{}, malformed("identityId")
	}
	l, ok, err := p.login(ctx, in.Logins)
	if err != nil {
		return GetCredentialsOutput{}, err
	}
	if !ok {
		return p.guestCredentials(in.IdentityID)
	}
	return p.loginCredentials(in.IdentityID, l)
}

func (p *Pool) guestCredentials(identity string) (GetCredentialsOutput, error) {
	s := p.settings.Load()
	switch {
	case !s.AllowGuests:
		return GetCredentialsOutput{}, refuse(NotAuthorized, msgNoGuests)
	case !p.isGuest(identity):
		return GetCredentialsOutput{}, refuse(NotAuthorized, "Access to Identity '"+identity+"' is forbidden.")
	}
	return p.issue(s.Guest, identity, inference.Caller{ID: identity}, "unauthenticated")
}

// loginCredentials takes a guest's identity beside the login's own: aws-amplify goes on
// with the one it had before its user signed in, and reads the new one from the answer.
func (p *Pool) loginCredentials(identity string, l login) (GetCredentialsOutput, error) {
	own := p.ofLogin(l.identity.Issuer, l.identity.Caller.ID)
	if identity != own && !p.isGuest(identity) {
		return GetCredentialsOutput{}, refuse(NotAuthorized,
			"Logins don't match. Please include at least one valid login for this identity or identity pool.")
	}
	return p.issue(p.settings.Load().principal(l.identity.Groups), own, l.identity.Caller,
		"authenticated", l.provider, l.provider+":CognitoSignIn:"+l.identity.Caller.ID)
}

// principal is who a signed-in user of the groups is.
func (s *Settings) principal(groups []string) string {
	for _, g := range groups {
		if name, ok := s.ByGroup[g]; ok {
			return name
		}
	}
	return s.Authenticated
}

// issue makes a session of the principal. Its condition keys are those of the service
// (IAM User Guide, "Available keys for Amazon Cognito").
func (p *Pool) issue(principal, identity string, caller inference.Caller, methods ...string) (GetCredentialsOutput, error) {
	if principal == "" {
		return GetCredentialsOutput{}, refuse(InvalidConfiguration, "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
	}
	now := p.options.Now()
	made, err := p.options.Issue(inference.TemporarySession{
		Principal: principal,
		ARN:       inference.ARN("arn:aws:sts::" + p.options.Account + ":assumed-role/" + principal + "/" + sessionName),
		Caller:    caller,
		Expires:   now.Add(credentialsLife),
		Session: inference.Session{Name: sessionName, Issued: now, Keys: map[string][]string{
			conditionKeys + "aud": {p.options.ID},
			conditionKeys + "sub": {identity},
			conditionKeys + "amr": methods,
		}},
	})
	if err != nil {
		return GetCredentialsOutput{}, fmt.Errorf("issue credentials: %w", err)
	}
	return GetCredentialsOutput{
		IdentityID: identity,
		Credentials: Credentials{
			AccessKeyID:  made.AccessKeyID,
			SecretKey:    made.SecretAccessKey,
			SessionToken: made.SessionToken,
			Expiration:   float64(made.Expires.UnixMilli()) / 1000,
		},
	}, nil
}
