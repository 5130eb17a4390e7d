package amplify

import (
	"slices"
	"time"

	"fairway/backend"
)

// Passwords and API keys as Amplify sets them where a project says nothing.
const (
	passwordMinLength = 8
	apiKeyDays        = 7
)

// attributes maps Amplify's names of standard attributes to Cognito's, where
// they are not the same (@aws-amplify/auth-construct).
var attributes = map[string]string{
	"familyName": "family_name", "fullname": "name", "givenName": "given_name",
	"lastUpdateTime": "updated_at", "middleName": "middle_name", "phoneNumber": "phone_number",
	"preferredUsername": "preferred_username", "profilePage": "profile",
	"profilePicture": "picture", "timezone": "zoneinfo",
}

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
		Email: d.Email, Phone: d.Phone, Username: d.Username,
		Groups:            nonEmpty(d.Groups),
		MFA:               "NONE",
		PasswordMinLength: passwordMinLength,
		At:                d.At.String(),
	}
	if d.Email {
		auth.RequiredAttributes = append(auth.RequiredAttributes, "email")
		auth.VerificationTypes = append(auth.VerificationTypes, "email")
	}
	if d.Phone {
		auth.RequiredAttributes = append(auth.RequiredAttributes, "phone_number")
		auth.VerificationTypes = append(auth.VerificationTypes, "phone_number")
	}
	for _, name := range d.Required {
		if cognito, ok := attributes[name]; ok {
			name = cognito
		}
		if !slices.Contains(auth.RequiredAttributes, name) {
			auth.RequiredAttributes = append(auth.RequiredAttributes, name)
		}
	}
	switch d.Multifactor.Mode {
	case "OPTIONAL":
		auth.MFA = "OPTIONAL"
	case "REQUIRED":
		auth.MFA = "ON"
	}
	if auth.MFA != "NONE" {
		if d.Multifactor.SMS {
			auth.MFAMethods = append(auth.MFAMethods, "SMS")
		}
		if d.Multifactor.TOTP {
			auth.MFAMethods = append(auth.MFAMethods, "TOTP")
		}
	}
	if d.ExternalProviders {
		found.warn("unsupported-construct", d.At, "sign in by email here",
			"defineAuth loginWith.externalProviders is recorded but has no effect here")
	}
	return auth
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
	if d.Authorization.Lambda {
		configured = append(configured, backend.Lambda)
	}
	if d.Authorization.OIDC {
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
