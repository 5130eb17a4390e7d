package outputs

import (
	"encoding/json"
	"fmt"
	"slices"

	"fairway/backend"
)

// Client makes fairway_client.json of an amplify_outputs.json: what aws-amplify makes
// of that itself, a ResourcesConfig, and with it the endpoints of f's pools, for
// which amplify_outputs.json has no place (parseAmplifyOutputs of @aws-amplify/core
// 6.19.2). Of what backend.addOutput adds, aws-amplify sees what it adds to auth, data,
// storage and custom.events; all of custom, and what has another name, stays as it is.
func Client(amplify []byte, f Fairway) ([]byte, error) {
	var file amplifyOutputs
	var rest object
	if err := json.Unmarshal(amplify, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", AmplifyFile, err)
	}
	if err := json.Unmarshal(amplify, &rest); err != nil {
		return nil, fmt.Errorf("read %s: %w", AmplifyFile, err)
	}
	raw, err := json.Marshal(file.config(f.UserPool))
	if err != nil {
		return nil, err
	}
	var out object
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, err
	}
	for _, m := range rest {
		if !slices.Contains([]string{"version", "auth", "data", "storage"}, m.name) {
			out = append(out, m)
		}
	}
	raw, err = json.Marshal(out)
	return indent(raw), err
}

// amplifyOutputs is amplify_outputs.json as far as aws-amplify reads it here. What
// is only handed on may have any form.
type amplifyOutputs struct {
	Auth    *authOutputs    `json:"auth"`
	Data    *apiOutputs     `json:"data"`
	Storage *storageOutputs `json:"storage"`
	Custom  *struct {
		Events *apiOutputs `json:"events"`
	} `json:"custom"`
}

type authOutputs struct {
	UserPoolID     string          `json:"user_pool_id"`
	ClientID       json.RawMessage `json:"user_pool_client_id"`
	Groups         json.RawMessage `json:"groups"`
	IdentityPoolID json.RawMessage `json:"identity_pool_id"`
	PasswordPolicy *passwordPolicy `json:"password_policy"`
	MFA            string          `json:"mfa_configuration"`
	MFAMethods     []string        `json:"mfa_methods"`
	Guests         bool            `json:"unauthenticated_identities_enabled"`
	Usernames      []string        `json:"username_attributes"`
	Required       []string        `json:"standard_required_attributes"`
}

// resourcesConfig is aws-amplify's, as far as it is made here.
type resourcesConfig struct {
	Auth    *authConfig    `json:"Auth,omitempty"`
	API     *apiConfig     `json:"API,omitempty"`
	Storage *storageConfig `json:"Storage,omitempty"`
}

type authConfig struct {
	Cognito cognitoConfig `json:"Cognito"`
}

type storageConfig struct {
	S3 s3Config `json:"S3"`
}

func (o amplifyOutputs) config(pool UserPool) (c resourcesConfig) {
	if o.Auth != nil {
		c.Auth = &authConfig{o.Auth.cognito(pool)}
	}
	api := apiConfig{GraphQL: o.Data.config()}
	if o.Custom != nil {
		api.Events = o.Custom.Events.config()
	}
	if api != (apiConfig{}) {
		c.API = &api
	}
	if o.Storage != nil {
		c.Storage = &storageConfig{o.Storage.config()}
	}
	return c
}

// cognitoConfig is Auth.Cognito of a ResourcesConfig, in the order of aws-amplify.
type cognitoConfig struct {
	UserPoolID           string          `json:"userPoolId"`
	ClientID             json.RawMessage `json:"userPoolClientId,omitempty"`
	UserPoolEndpoint     string          `json:"userPoolEndpoint,omitempty"`
	Groups               json.RawMessage `json:"groups,omitempty"`
	IdentityPoolID       json.RawMessage `json:"identityPoolId,omitempty"`
	IdentityPoolEndpoint string          `json:"identityPoolEndpoint,omitempty"`
	PasswordFormat       *passwordFormat `json:"passwordFormat,omitempty"`
	MFA                  *mfaConfig      `json:"mfa,omitempty"`
	AllowGuestAccess     bool            `json:"allowGuestAccess,omitempty"`
	LoginWith            loginWith       `json:"loginWith"`
	UserAttributes       userAttributes  `json:"userAttributes"`
}

type passwordFormat struct {
	RequireLowercase         bool `json:"requireLowercase"`
	RequireNumbers           bool `json:"requireNumbers"`
	RequireUppercase         bool `json:"requireUppercase"`
	RequireSpecialCharacters bool `json:"requireSpecialCharacters"`
	MinLength                int  `json:"minLength"`
}

type mfaConfig struct {
	Status      string `json:"status"` // "on", "optional" or "off"
	SMSEnabled  bool   `json:"smsEnabled"`
	TOTPEnabled bool   `json:"totpEnabled"`
}

type loginWith struct {
	Email    bool `json:"email"`
	Phone    bool `json:"phone"`
	Username bool `json:"username"`
}

type userAttributes map[string]struct {
	Required bool `json:"required"`
}

// cognito is the configuration of the pools. The endpoints are those of pool, unless
// the project put another in its place.
func (a *authOutputs) cognito(pool UserPool) cognitoConfig {
	c := cognitoConfig{
		UserPoolID:       a.UserPoolID,
		ClientID:         a.ClientID,
		Groups:           a.Groups,
		IdentityPoolID:   a.IdentityPoolID,
		AllowGuestAccess: a.Guests,
		LoginWith: loginWith{
			Email:    slices.Contains(a.Usernames, "email"),
			Phone:    slices.Contains(a.Usernames, "phone_number"),
			Username: slices.Contains(a.Usernames, "username"),
		},
		UserAttributes: userAttributes{},
	}
	if a.UserPoolID == pool.ID {
		c.UserPoolEndpoint = pool.Endpoint
		if a.IdentityPoolID != nil {
			c.IdentityPoolEndpoint = pool.Endpoint
		}
	}
	if p := a.PasswordPolicy; p != nil {
		c.PasswordFormat = &passwordFormat{p.RequireLowercase, p.RequireNumbers, p.RequireUppercase, p.RequireSymbols, p.MinLength}
	}
	if a.MFA != "" {
		status := map[string]string{"OPTIONAL": "optional", "REQUIRED": "on"}[a.MFA]
		if status == "" {
			status = "off"
		}
		c.MFA = &mfaConfig{status, slices.Contains(a.MFAMethods, "SMS"), slices.Contains(a.MFAMethods, "TOTP")}
	}
	for _, name := range a.Required {
		c.UserAttributes[name] = struct {
			Required bool `json:"required"`
		}{true}
	}
	return c
}

// apiOutputs are data, and custom.events.
type apiOutputs struct {
	URL                json.RawMessage `json:"url"`
	Default            backend.Mode    `json:"default_authorization_type"`
	Region             json.RawMessage `json:"aws_region"`
	APIKey             json.RawMessage `json:"api_key"`
	ModelIntrospection json.RawMessage `json:"model_introspection"`
}

// apiConfig is API of a ResourcesConfig.
type apiConfig struct {
	GraphQL *endpointConfig `json:"GraphQL,omitempty"`
	Events  *endpointConfig `json:"Events,omitempty"`
}

type endpointConfig struct {
	Endpoint           json.RawMessage `json:"endpoint,omitempty"`
	DefaultAuthMode    string          `json:"defaultAuthMode,omitempty"`
	Region             json.RawMessage `json:"region,omitempty"`
	APIKey             json.RawMessage `json:"apiKey,omitempty"`
	ModelIntrospection json.RawMessage `json:"modelIntrospection,omitempty"`
}

// config is nil for nil.
func (a *apiOutputs) config() *endpointConfig {
	if a == nil {
		return nil
	}
	modes := map[backend.Mode]string{
		backend.UserPool: "userPool", backend.APIKey: "apiKey", backend.IAM: "iam", backend.Lambda: "lambda", backend.OIDC: "oidc",
	}
	return &endpointConfig{a.URL, modes[a.Default], a.Region, a.APIKey, a.ModelIntrospection}
}

type storageOutputs struct {
	Bucket  json.RawMessage `json:"bucket_name"`
	Region  json.RawMessage `json:"aws_region"`
	Buckets []struct {
		Name   string          `json:"name"`
		Bucket json.RawMessage `json:"bucket_name"`
		Region json.RawMessage `json:"aws_region"`
		Paths  json.RawMessage `json:"paths"`
	} `json:"buckets"`
}

// s3Config is Storage.S3 of a ResourcesConfig.
type s3Config struct {
	Bucket  json.RawMessage         `json:"bucket,omitempty"`
	Region  json.RawMessage         `json:"region,omitempty"`
	Buckets map[string]bucketConfig `json:"buckets,omitempty"`
}

type bucketConfig struct {
	Bucket json.RawMessage `json:"bucketName,omitempty"`
	Region json.RawMessage `json:"region,omitempty"`
	Paths  json.RawMessage `json:"paths,omitempty"`
}

func (s *storageOutputs) config() s3Config {
	c := s3Config{Bucket: s.Bucket, Region: s.Region}
	for _, b := range s.Buckets {
		if c.Buckets == nil {
			c.Buckets = map[string]bucketConfig{}
		}
		c.Buckets[b.Name] = bucketConfig{b.Bucket, b.Region, b.Paths}
	}
	return c
}
