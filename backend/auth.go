package backend

import (
	"cmp"
	"strings"
	"time"
)

// APIID is the id of the one GraphQL API in ARNs that policies name its fields by:
// arn:aws:appsync:REGION:ACCOUNT:apis/local/types/Query/fields/askBedrock.
const APIID = "local"

// Mode is an authorization mode by AppSync's name.
type Mode string

// The authorization modes.
const (
	APIKey   Mode = "API_KEY"
	UserPool Mode = "AMAZON_COGNITO_USER_POOLS"
	IAM      Mode = "AWS_IAM"
	OIDC     Mode = "OPENID_CONNECT"
	Lambda   Mode = "AWS_LAMBDA"
)

// Authorization is how callers of the API identify themselves.
type Authorization struct {
	Default      Mode
	Additional   []Mode        // in AppSync's order, without the default
	APIKeyExpiry time.Duration // life of a new API key, 0 without API keys

	OIDC          *OIDCProvider // nil without the mode OIDC
	AuthorizerTTL time.Duration // of an answer of Lambda's function that does not say; 0 asks each time
}

// OIDCProvider is whose tokens the mode OIDC takes.
type OIDCProvider struct {
	Name     string
	Issuer   string        // its URL, exactly the tokens' iss
	ClientID string        // regular expression of the clients that tokens are for; empty is any
	AuthTTL  time.Duration // a token is good for after its auth_time, 0 as long as it says
	IatTTL   time.Duration // likewise after its iat
}

// Allows reports whether m is one of the API's modes.
func (a Authorization) Allows(m Mode) bool {
	if a.Default == m {
		return true
	}
	for _, have := range a.Additional {
		if have == m {
			return true
		}
	}
	return false
}

// Names of the principals that callers with credentials of the identity pool are:
// those who signed in, and guests. The statements put on the roles of
// backend.auth.resources are theirs.
const (
	AuthenticatedRole = "authenticatedUserIamRole"
	GuestRole         = "unauthenticatedUserIamRole"
)

// GroupRole is the name of the principal that users of a group are instead of
// AuthenticatedRole. Of several groups the first in Auth.Groups counts.
func GroupRole(group string) string { return group + "GroupRole" }

// Auth is the settings of the user pool and of the identity pool beside it.
type Auth struct {
	Email, Phone, Username bool           // sign-in names accepted
	RequiredAttributes     []string       // standard attributes in outputs form, "email"
	Attributes             []Attribute    // that defineAuth names, in its order
	VerificationTypes      []string       // "email", "phone_number"
	Groups                 []string       // the first one has precedence 0, which is the highest
	MFA                    string         // "NONE", "OPTIONAL" or "ON"
	MFAMethods             []string       // "TOTP", "SMS"
	Recovery               []string       // where a code for a new password goes, the preferred one first: "verified_email", "verified_phone_number", or "admin_only"; none is what is verified
	Password               PasswordPolicy // zero is the default

	Verification Text   // mail with a code for a new address; empty parts are Amplify's own
	SMS          string // likewise for a phone

	PasswordAuth bool // the client may send passwords: ALLOW_USER_PASSWORD_AUTH
	AdminOnly    bool // users do not add themselves
	AllowGuests  bool // the identity pool has credentials for who did not sign in

	AccessLife, IDLife, RefreshLife time.Duration // of tokens; 0 is Cognito's own: 1h, 1h, 30 days

	At string
}

// Attribute is an attribute of users.
type Attribute struct {
	Name     string // by Cognito's name, "family_name", "custom:team"
	Type     string // "String", "Number", "DateTime" or "Boolean"
	Required bool
	Mutable  bool     // users may change it after sign-up
	Min, Max *float64 // of a custom Number its value, of a custom String its characters; nil is no bound
}

// RecoveryAttributes is the attributes that a code for a new password goes to, the
// preferred one first: nil where nothing is said, empty where it goes to nobody.
func (a *Auth) RecoveryAttributes() []string {
	if a.Recovery == nil {
		return nil
	}
	names := []string{}
	for _, mechanism := range a.Recovery {
		if name, ok := strings.CutPrefix(mechanism, "verified_"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Text is a message with a code; {####} stands where the code goes.
type Text struct {
	Subject, Body string
}

// PasswordPolicy is what a password must have.
type PasswordPolicy struct {
	MinLength                      int  // characters
	Lower, Upper, Numbers, Symbols bool // at least one of each
}

// DefaultPasswordPolicy is Cognito's own.
func DefaultPasswordPolicy() PasswordPolicy {
	return PasswordPolicy{MinLength: 8, Lower: true, Upper: true, Numbers: true, Symbols: true}
}

// PasswordPolicy is a.Password, or the default where that says nothing.
func (a *Auth) PasswordPolicy() PasswordPolicy {
	if a.Password == (PasswordPolicy{}) {
		return DefaultPasswordPolicy()
	}
	return a.Password
}

// What Amplify has Cognito send codes with (@aws-amplify/auth-construct).
const (
	verificationSubject = "Verify your new account"
	verificationText    = "The verification code to your new account is {####}"
)

// VerificationText is a.Verification with what is empty as Amplify has it.
func (a *Auth) VerificationText() Text {
	return Text{Subject: cmp.Or(a.Verification.Subject, verificationSubject), Body: cmp.Or(a.Verification.Body, verificationText)}
}

// SMSText is a.SMS, or Amplify's own.
func (a *Auth) SMSText() string { return cmp.Or(a.SMS, verificationText) }
