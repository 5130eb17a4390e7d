package userpool

import "time"

// Settings are how a pool treats its users: what defineAuth says, completed by the
// configuration. The zero Settings are Cognito's defaults.
type Settings struct {
	SignInBy   []string // attributes that name a user, "email", "phone_number"; none is the user name
	AutoVerify []string // attributes that get a code at sign-up, "email", "phone_number"
	Required   []string // attributes that a user must give, by Cognito's names
	Recovery   []string // attributes that a code for a new password goes to, the preferred one first; empty is none, nil e-mail before phone
	Groups     []string // by rising precedence

	Attributes []AttributeSchema // those declared: each that is custom, and standard ones of which something is said

	Password     PasswordPolicy
	PasswordAuth bool // the client may send passwords: USER_PASSWORD_AUTH
	AdminOnly    bool // nobody signs up, users are added

	MFA        MFA
	MFAMethods []string // "TOTP", "SMS"

	Verification Text // sent with a code to a new or changed address
	SMS          Text // likewise to a phone; Subject is not used

	AccessLife       time.Duration // of access tokens; default 1h
	IDLife           time.Duration // of id tokens; default 1h
	RefreshLife      time.Duration // of sessions; default 30 days
	KeepRefreshToken bool          // a refresh token is not replaced when it is used

	Lockout Lockout
}

// AttributeSchema is what a pool says of an attribute of its users.
type AttributeSchema struct {
	Name     string        // by Cognito's name, "family_name", "custom:team"
	Type     AttributeType // of custom ones; default String
	Mutable  bool          // users change it
	Min, Max *float64      // of a Number's value, of the characters of a String; nil is no bound
}

// AttributeType is an AttributeDataType of Cognito.
type AttributeType string

// The values of AttributeType.
const (
	String   AttributeType = "String"
	Number   AttributeType = "Number"
	DateTime AttributeType = "DateTime"
	Boolean  AttributeType = "Boolean"
)

// PasswordPolicy is what a password must have.
type PasswordPolicy struct {
	MinLength                   int // default 8
	Lower, Upper, Digit, Symbol bool
}

// MFA is whether users have a second factor.
type MFA string

// The values of MFA. The zero MFA is MFAOff.
const (
	MFAOff      MFA = "OFF"
	MFAOptional MFA = "OPTIONAL"
	MFARequired MFA = "ON"
)

// Text is a message that carries a code, with {####} where it goes; empty is
// Cognito's own.
type Text struct {
	Subject, Body string
}

// Lockout is what wrong passwords and codes lead to: after Failures of them in a row
// a user is locked out for For, and for twice as long each time it happens again, up
// to MaxFor.
type Lockout struct {
	Failures int           // default 5
	For      time.Duration // default 1s, as Cognito has it
	MaxFor   time.Duration // default 15m
}
