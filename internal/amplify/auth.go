package amplify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"fairway/backend"
)

// Lives as Amplify sets them where a project says nothing.
const (
	apiKeyDays    = 7
	authorizerTTL = time.Minute
)

// attributes maps Amplify's names of standard attributes to Cognito's, where
// they are not the same (@aws-amplify/auth-construct).
var attributes = map[string]string{
	"familyName": "family_name", "fullname": "name", "givenName": "given_name",
	"lastUpdateTime": "updated_at", "middleName": "middle_name", "phoneNumber": "phone_number",
	"preferredUsername": "preferred_username", "profilePage": "profile",
	"profilePicture": "picture", "timezone": "zoneinfo",
}

// recoveries maps the values of accountRecovery to Cognito's names of where a code
// for a new password goes, the preferred one first (aws-cdk-lib/aws-cognito,
// AccountRecovery).
var recoveries = map[string][]string{
	"EMAIL_AND_PHONE_WITHOUT_MFA": {"verified_email", "verified_phone_number"},
	"PHONE_WITHOUT_MFA_AND_EMAIL": {"verified_phone_number", "verified_email"},
	"EMAIL_ONLY":                  {"verified_email"},
	"PHONE_ONLY_WITHOUT_MFA":      {"verified_phone_number"},
	"PHONE_AND_EMAIL":             {"verified_phone_number", "verified_email"},
	"NONE":                        {"admin_only"},
}

// onlyDeployed is the remedy for what has no effect here.
const onlyDeployed = "nothing here; it takes effect when the folder is deployed to AWS"

// userPool is the settings of the user pool, nil when defineBackend got none.
func userPool(r recording, found *findings) *backend.Auth {
	if len(r.Auth) > 1 {
		found.fail("duplicate-auth", r.Auth[1].At, "keep one of the two",
			"defineAuth: a project has one user pool, and there is already one at %s", r.Auth[0].At)
	}
	if len(r.Auth) == 0 || !r.Auth[0].Used {
		return nil
	}
	d := r.Auth[0]
	checkPlace("Auth", d.At, found)
	auth := &backend.Auth{
		Email: d.Email != nil, Phone: d.Phone != nil, Username: d.Username,
		Groups:       nonEmpty(d.Groups),
		Recovery:     recoveries[d.Recovery],
		PasswordAuth: allowsPasswords(d.Client.ExplicitAuthFlows),
		AdminOnly:    d.UserPool.AdminCreateUserConfig.AllowAdminCreateUserOnly,
		AllowGuests:  d.IdentityPool.AllowUnauthenticatedIdentities,
		At:           d.At.String(),
	}
	setNames(auth, d)
	setMessages(auth, d, found)
	setMFA(auth, d)
	setPassword(auth, d, found)
	setLives(auth, d.Client)
	for _, name := range d.Unsupported {
		fix := onlyDeployed
		if name == "senders.email" {
			fix = "set smtp.server and smtp.from for mail that is sent from here"
		}
		found.warn("unsupported-construct", d.At, fix, "defineAuth %s is recorded but has no effect here", name)
	}
	return auth
}

// setNames sets what users sign in by, and their attributes.
func setNames(auth *backend.Auth, d authRecord) {
	if auth.Email {
		auth.RequiredAttributes = append(auth.RequiredAttributes, "email")
		auth.VerificationTypes = append(auth.VerificationTypes, "email")
	}
	if auth.Phone {
		auth.RequiredAttributes = append(auth.RequiredAttributes, "phone_number")
		auth.VerificationTypes = append(auth.VerificationTypes, "phone_number")
	}
	for _, a := range d.Attributes {
		name := cmp.Or(attributes[a.Name], a.Name)
		auth.Attributes = append(auth.Attributes, backend.Attribute{
			Name: name, Type: a.Type, Required: a.Required, Mutable: a.Mutable, Min: a.Min, Max: a.Max,
		})
		if a.Required && !slices.Contains(auth.RequiredAttributes, name) {
			auth.RequiredAttributes = append(auth.RequiredAttributes, name)
		}
	}
}

// codeMark is where Cognito puts a code into a text.
const codeMark = "{####}"

// setMessages sets the texts that codes are sent with. One that does without the
// code Amplify refuses, in these words (@aws-amplify/auth-construct).
func setMessages(auth *backend.Auth, d authRecord, found *findings) {
	const fix = "call the function that it is given where the code goes"
	if d.Email != nil {
		auth.Verification = backend.Text{Subject: d.Email.Subject, Body: d.Email.Body}
		switch {
		case d.Email.Link:
			auth.Verification.Body = ""
			found.warn("unsupported-construct", d.At, "nothing: a code is mailed in place of the link",
				"defineAuth loginWith.email.verificationEmailStyle LINK is recorded but has no effect here")
		case d.Email.Body != "" && !strings.Contains(d.Email.Body, codeMark):
			found.fail("invalid-verification-message", d.At, fix,
				"defineAuth: Invalid email settings. Property 'verificationEmailBody' must utilize the 'code' parameter at least once as a placeholder for the verification code.")
		}
	}
	if d.Phone != nil {
		auth.SMS = d.Phone.Message
		if auth.SMS != "" && !strings.Contains(auth.SMS, codeMark) {
			found.fail("invalid-verification-message", d.At, fix,
				"defineAuth: Invalid phone settings. Property 'verificationMessage' must utilize the 'code' parameter at least once as a placeholder for the verification code.")
		}
	}
}

func setMFA(auth *backend.Auth, d authRecord) {
	auth.MFA = "NONE"
	switch d.Multifactor.Mode {
	case "OPTIONAL":
		auth.MFA = "OPTIONAL"
	case "REQUIRED":
		auth.MFA = "ON"
	default:
		return
	}
	if d.Multifactor.SMS {
		auth.MFAMethods = append(auth.MFAMethods, "SMS")
	}
	if d.Multifactor.TOTP {
		auth.MFAMethods = append(auth.MFAMethods, "TOTP")
	}
}

// Bounds of a password's least length (Amazon Cognito API Reference,
// PasswordPolicyType).
const (
	minPasswordLength = 6
	maxPasswordLength = 99
)

// setPassword sets the password policy, where it is not the default.
func setPassword(auth *backend.Auth, d authRecord, found *findings) {
	p := d.UserPool.Policies.PasswordPolicy
	policy := backend.PasswordPolicy{
		MinLength: int(p.MinimumLength), Lower: p.RequireLowercase, Upper: p.RequireUppercase, Numbers: p.RequireNumbers, Symbols: p.RequireSymbols,
	}
	if policy.MinLength == 0 {
		policy.MinLength = backend.DefaultPasswordPolicy().MinLength
	}
	if policy.MinLength < minPasswordLength || policy.MinLength > maxPasswordLength {
		found.fail("invalid-password-policy", d.At, "give it a minimumLength from 6 to 99",
			"password policy: its minimumLength is %v", p.MinimumLength)
	}
	if p.TemporaryPasswordValidityDays != 0 {
		found.warn("unsupported-construct", d.At, onlyDeployed, "password policy: temporaryPasswordValidityDays is recorded but has no effect here")
	}
	if policy != backend.DefaultPasswordPolicy() {
		auth.Password = policy
	}
}

// setLives sets how long tokens are good for. Without units Cognito takes hours, and
// days for refresh tokens.
func setLives(auth *backend.Auth, c clientRecord) {
	auth.AccessLife = life(c.AccessTokenValidity, c.TokenValidityUnits.AccessToken, time.Hour)
	auth.IDLife = life(c.IDTokenValidity, c.TokenValidityUnits.IDToken, time.Hour)
	auth.RefreshLife = life(c.RefreshTokenValidity, c.TokenValidityUnits.RefreshToken, 24*time.Hour)
}

// maxLife is the longest that anything lasts in Cognito and AppSync.
const maxLife = 10 * 365 * 24 * time.Hour

func life(n float64, unit string, otherwise time.Duration) time.Duration {
	units := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}
	return time.Duration(max(0, min(n*float64(cmp.Or(units[unit], otherwise)), float64(maxLife))))
}

// allowsPasswords reports whether a client with the flows may send passwords.
func allowsPasswords(flows []string) bool {
	return slices.Contains(flows, "ALLOW_USER_PASSWORD_AUTH") || slices.Contains(flows, "USER_PASSWORD_AUTH")
}

// modes maps Amplify's names of authorization modes to AppSync's.
var modes = map[string]backend.Mode{
	"apiKey": backend.APIKey, "userPool": backend.UserPool, "oidc": backend.OIDC,
	"lambda": backend.Lambda, "iam": backend.IAM, "identityPool": backend.IAM,
}

// authorization is the API's modes. IAM is always one of them: Amplify turns it
// on for its own console.
func authorization(d dataRecord, hasAuth bool, found *findings) backend.Authorization {
	var configured []backend.Mode // in AppSync's order
	if d.Authorization.APIKey != nil {
		configured = append(configured, backend.APIKey)
	}
	if d.Authorization.Lambda != nil {
		configured = append(configured, backend.Lambda)
	}
	if d.Authorization.OIDC != nil {
		configured = append(configured, backend.OIDC)
	}
	a := backend.Authorization{Default: defaultMode(d, configured, hasAuth, found)}
	if hasAuth {
		configured = append(configured, backend.UserPool)
	}
	for _, mode := range append(configured, backend.IAM) {
		if mode != a.Default {
			a.Additional = append(a.Additional, mode)
		}
	}
	if a.Allows(backend.APIKey) {
		days := float64(apiKeyDays)
		if key := d.Authorization.APIKey; key != nil && key.ExpiresInDays != nil {
			days = *key.ExpiresInDays
		}
		a.APIKeyExpiry = time.Duration(days * float64(24*time.Hour))
	}
	if o := d.Authorization.OIDC; o != nil {
		a.OIDC = &backend.OIDCProvider{
			Name: o.Name, Issuer: o.Issuer, ClientID: o.ClientID,
			AuthTTL: life(o.FromAuthInSeconds, "seconds", 0), IatTTL: life(o.FromIssueInSeconds, "seconds", 0),
		}
	}
	if l := d.Authorization.Lambda; l != nil {
		a.AuthorizerTTL = authorizerTTL
		if l.TimeToLiveInSeconds != nil {
			a.AuthorizerTTL = life(*l.TimeToLiveInSeconds, "seconds", 0)
		}
	}
	return a
}

// defaultMode is computeDefaultAuthorizationMode of @aws-amplify/backend-data:
// the mode given, else the one that is plain from what else is configured.
func defaultMode(d dataRecord, configured []backend.Mode, hasAuth bool, found *findings) backend.Mode {
	given := d.Authorization.Default
	mode, known := modes[given]
	switch {
	case known && mode == backend.UserPool && !hasAuth:
		found.fail("missing-auth", d.At, "define auth with defineAuth and pass it to defineBackend",
			"defineData: the default authorization mode is %s, but the backend has no auth", given)
		return mode
	case known:
		return mode
	case given != "":
		found.fail("unknown-authorization-mode", d.At, "use apiKey, userPool, iam, identityPool, oidc or lambda",
			"defineData: there is no authorization mode %q", given)
		return backend.APIKey
	case len(configured) == 0 && hasAuth:
		return backend.UserPool
	case len(configured) == 0:
		return backend.APIKey
	case len(configured) == 1 && !hasAuth:
		return configured[0]
	}
	found.fail("missing-default-authorization-mode", d.At, "set authorizationModes.defaultAuthorizationMode",
		"defineData: A defaultAuthorizationMode is required if multiple authorization modes are configured")
	return configured[0]
}
