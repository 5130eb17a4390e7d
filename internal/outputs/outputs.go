// Package outputs makes and keeps the files that a running backend leaves for its
// clients: amplify_outputs.json, as the Amplify toolchain writes it;
// fairway_client.json, which is the same for aws-amplify and points it at the local
// endpoints of the user pool and the identity pool as well; and
// fairway_outputs.json, which the command line and other tools read.
package outputs

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"fairway/backend"
)

// The file names, in the outputs folder.
const (
	AmplifyFile = "amplify_outputs.json"
	ClientFile  = "fairway_client.json"
	FairwayFile = "fairway_outputs.json"
)

// Fairway is fairway_outputs.json: where a running server is and how to call it.
type Fairway struct {
	Endpoint  string   `json:"endpoint"` // "http://127.0.0.1:20002"
	GraphQL   GraphQL  `json:"graphql"`
	Region    string   `json:"region"` // signing region, the default source region
	AWS       AWSKey   `json:"aws"`    // access key of the principal "developer"
	BearerKey string   `json:"bearer_key"`
	UserPool  UserPool `json:"user_pool"`
	User      User     `json:"user"`
	Console   *string  `json:"console"` // null until there is one
}

// GraphQL is the AppSync-compatible endpoint.
type GraphQL struct {
	URL    string `json:"url"`
	APIKey string `json:"api_key"` // empty when the API has no key mode
}

// AWSKey is an access key that the server's SigV4 verification knows.
type AWSKey struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// UserPool is the embedded user pool, and the identity pool beside it.
type UserPool struct {
	Endpoint       string `json:"endpoint"` // of both
	ID             string `json:"user_pool_id"`
	ClientID       string `json:"client_id"`
	IdentityPoolID string `json:"identity_pool_id,omitempty"` // "ap-southeast-1:" and a UUID
}

// User is the confirmed test user.
type User struct {
	Username string `json:"username"` // its email address
	Password string `json:"password"`
}

// amplifyFile is amplify_outputs.json in the key order of the real toolchain.
type amplifyFile struct {
	Auth    *authSection `json:"auth,omitempty"`
	Data    dataSection  `json:"data"`
	Version string       `json:"version"`
}

type authSection struct {
	UserPoolID         string          `json:"user_pool_id"`
	Region             string          `json:"aws_region"`
	ClientID           string          `json:"user_pool_client_id"`
	IdentityPoolID     string          `json:"identity_pool_id,omitempty"`
	MFAMethods         []string        `json:"mfa_methods"`
	RequiredAttributes []string        `json:"standard_required_attributes"`
	UsernameAttributes []string        `json:"username_attributes"`
	VerificationTypes  []string        `json:"user_verification_types"`
	Groups             []groupSettings `json:"groups"`
	MFA                string          `json:"mfa_configuration"`
	PasswordPolicy     passwordPolicy  `json:"password_policy"`
	Unauthenticated    bool            `json:"unauthenticated_identities_enabled"`
}

type groupSettings map[string]struct {
	Precedence int `json:"precedence"`
}

type passwordPolicy struct {
	MinLength        int  `json:"min_length"`
	RequireLowercase bool `json:"require_lowercase"`
	RequireNumbers   bool `json:"require_numbers"`
	RequireSymbols   bool `json:"require_symbols"`
	RequireUppercase bool `json:"require_uppercase"`
}

type dataSection struct {
	URL                string         `json:"url"`
	Region             string         `json:"aws_region"`
	APIKey             string         `json:"api_key,omitempty"`
	Default            backend.Mode   `json:"default_authorization_type"`
	Additional         []backend.Mode `json:"authorization_types"`
	ModelIntrospection introspection  `json:"model_introspection,omitempty"`
}

// introspection is a backend's, of which only the sections are in no order.
type introspection map[string]any

// sections are those of an introspection, in the order of the real toolchain.
var sections = []string{
	"version", "models", "enums", "nonModels", "queries", "mutations", "subscriptions", "generations", "conversations", "inputs",
}

// MarshalJSON writes the sections that are known in their order, then the others.
func (i introspection) MarshalJSON() ([]byte, error) {
	var o object
	known := slices.DeleteFunc(slices.Clone(sections), func(name string) bool { _, ok := i[name]; return !ok })
	for _, name := range slices.Sorted(maps.Keys(i)) {
		if !slices.Contains(known, name) {
			known = append(known, name)
		}
	}
	for _, name := range known {
		if err := o.set(name, i[name]); err != nil {
			return nil, err
		}
	}
	return json.Marshal(o)
}

// Amplify makes amplify_outputs.json for b as f serves it. With an identity_pool_id
// the client asks the identity pool for credentials before each request of a user
// who signed in, so there is one only where f has it.
func Amplify(b *backend.Backend, f Fairway) ([]byte, error) {
	file := amplifyFile{
		Data: dataSection{
			URL:                f.GraphQL.URL,
			Region:             f.Region,
			APIKey:             f.GraphQL.APIKey,
			Default:            b.Authorization.Default,
			Additional:         orEmpty(b.Authorization.Additional),
			ModelIntrospection: b.Introspection,
		},
		Version: "1.5",
	}
	if b.Auth != nil {
		file.Auth = auth(b.Auth, f)
	}
	return merge(file, b.Outputs)
}

func auth(a *backend.Auth, f Fairway) *authSection {
	groups := []groupSettings{}
	for i, g := range a.Groups {
		groups = append(groups, groupSettings{g: {Precedence: i}})
	}
	p := a.PasswordPolicy()
	return &authSection{
		UserPoolID:         f.UserPool.ID,
		Region:             f.Region,
		ClientID:           f.UserPool.ClientID,
		IdentityPoolID:     f.UserPool.IdentityPoolID,
		MFAMethods:         orEmpty(a.MFAMethods),
		RequiredAttributes: orEmpty(a.RequiredAttributes),
		UsernameAttributes: usernames(a),
		VerificationTypes:  orEmpty(a.VerificationTypes),
		Groups:             groups,
		MFA:                mfa(a.MFA),
		PasswordPolicy: passwordPolicy{
			MinLength: p.MinLength, RequireLowercase: p.Lower, RequireNumbers: p.Numbers,
			RequireSymbols: p.Symbols, RequireUppercase: p.Upper,
		},
		Unauthenticated: a.AllowGuests,
	}
}

// mfa is the word of amplify_outputs.json for what Cognito calls ON.
func mfa(configuration string) string {
	switch configuration {
	case "ON":
		return "REQUIRED"
	case "OPTIONAL":
		return "OPTIONAL"
	}
	return "NONE"
}

func usernames(a *backend.Auth) []string {
	names := []string{}
	if a.Email {
		names = append(names, "email")
	}
	if a.Phone {
		names = append(names, "phone_number")
	}
	if a.Username {
		names = append(names, "username")
	}
	return names
}

// merge writes file with the top-level keys of backend.addOutput after its own;
// a key that both have is merged one level deep, the added values winning.
func merge(file amplifyFile, added map[string]any) ([]byte, error) {
	raw, err := json.Marshal(file)
	if err != nil || len(added) == 0 {
		return indent(raw), err
	}
	var own object
	if err := json.Unmarshal(raw, &own); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(added)) {
		if err := own.add(key, added[key]); err != nil {
			return nil, err
		}
	}
	raw, err = json.Marshal(own)
	return indent(raw), err
}

func indent(raw []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, raw, "", "  ") != nil {
		return raw
	}
	out.WriteByte('\n')
	return out.Bytes()
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
