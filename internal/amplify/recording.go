package amplify

import (
	"encoding/json"
	"strings"
)

// recording is what the modules recorded, as modules/recording.js has it.
type recording struct {
	Backends    []struct{ At position }
	Data        []dataRecord
	Auth        []authRecord
	DataSources []dataSourceRecord
	Roles       []roleRecord
	Environment map[string]any
	Outputs     []outputRecord
	Unsupported []struct {
		Name string
		At   position
	}
}

// dataRecord is a call of defineData. Schema is the builder's record, null when
// the schema was not one of the builder's; Used tells whether the result went
// into defineBackend.
type dataRecord struct {
	At            position
	Used          bool
	Schema        json.RawMessage
	Authorization authorizationRecord
}

// authorizationRecord is defineData's authorizationModes.
type authorizationRecord struct {
	Default string
	APIKey  *struct{ ExpiresInDays *float64 }
	OIDC    *struct {
		Name, Issuer, ClientID                string
		FromAuthInSeconds, FromIssueInSeconds float64
	}
	Lambda *struct{ TimeToLiveInSeconds *float64 }
}

// authRecord is a call of defineAuth, and the overrides of what it makes.
type authRecord struct {
	At         position
	Used       bool
	Email      *emailRecord // nil when nobody signs in by it
	Phone      *struct{ Message string }
	Username   bool
	Attributes []struct {
		Name, Type        string // by Amplify's names, "phoneNumber", "custom:team"
		Required, Mutable bool
		Min, Max          *float64
	}
	Groups      []string
	Multifactor struct {
		Mode      string
		SMS, TOTP bool
	}
	Recovery     string   // "EMAIL_ONLY"
	Unsupported  []string // "senders.email"
	UserPool     userPoolRecord
	Client       clientRecord
	IdentityPool struct{ AllowUnauthenticatedIdentities bool }
}

type emailRecord struct {
	Link          bool
	Subject, Body string // empty is Cognito's own
}

// userPoolRecord is what can be overridden of AWS::Cognito::UserPool.
type userPoolRecord struct {
	Policies struct {
		PasswordPolicy struct {
			MinimumLength, TemporaryPasswordValidityDays                       float64
			RequireLowercase, RequireUppercase, RequireNumbers, RequireSymbols bool
		}
	}
	AdminCreateUserConfig struct{ AllowAdminCreateUserOnly bool }
}

// clientRecord is what can be overridden of AWS::Cognito::UserPoolClient.
type clientRecord struct {
	ExplicitAuthFlows                                          []string
	AccessTokenValidity, IDTokenValidity, RefreshTokenValidity float64
	TokenValidityUnits                                         struct{ AccessToken, IDToken, RefreshToken string }
}

// dataSourceRecord is a call of one of the add...DataSource methods.
type dataSourceRecord struct {
	roleRecord
	At             position
	ID             string
	Kind           string
	Endpoint       string
	SigningRegion  string
	SigningService string
}

// roleRecord is a role with what was attached to it.
type roleRecord struct {
	Name       string
	Statements []statementRecord
}

// statementRecord is a PolicyStatement.
type statementRecord struct {
	At           position
	SID          string
	Effect       string
	Actions      []string
	NotActions   []string
	Resources    []string
	ResourceAt   []position // the calls that added Resources
	NotResources []string
	Conditions   map[string]map[string]texts
}

// outputRecord is a call of backend.addOutput.
type outputRecord struct {
	At     position
	Values map[string]any
}

// texts is one JSON scalar or a list of them, as text.
type texts []string

// UnmarshalJSON takes a scalar for a list of one.
func (t *texts) UnmarshalJSON(data []byte) error {
	var many []json.RawMessage
	if json.Unmarshal(data, &many) != nil {
		many = []json.RawMessage{data}
	}
	*t = nil
	for _, one := range many {
		var s string
		if json.Unmarshal(one, &s) != nil {
			s = strings.TrimSpace(string(one)) // a number or boolean reads as written
		}
		*t = append(*t, s)
	}
	return nil
}
