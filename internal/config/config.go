// Package config is the settings of a server: one struct, filled from four
// sources of which the later wins:
//
//	defaults < file < environment < flags
//
// A setting is known everywhere by its path in the file. The setting
// breaker.open_for is
//
//	breaker:
//	  open_for: 5s
//
// in fairway.yaml and FAIRWAY_BREAKER_OPEN_FOR in the environment. Every source
// hands over text, and one parser turns text into values, so that a value is
// written the same way wherever it comes from: lists as "a,b" and maps as
// "a=1,b=2" where there is only a line to write them on. A list or a map
// replaces the one of the source before.
//
// Routes, quotas, accounts, equivalents, issuers, teams, budgets, principals and
// service control policies are longer than a line: they are written in the file alone. What one of them says has a
// path all the same, principals[0].arn.
package config

import (
	"time"

	"fairway/internal/inference"
)

// Config is every setting. Its yaml tags are the paths.
type Config struct {
	Listen  string  `yaml:"listen"`   // host:port
	BaseURL URL     `yaml:"base_url"` // where clients reach the server; empty is the address it listens on
	TLS     TLS     `yaml:"tls"`
	Admin   Admin   `yaml:"admin"`
	Backend Path    `yaml:"backend"`    // folder with an amplify/ folder in it that serve answers for; empty for Bedrock clients alone
	Model   Model   `yaml:"model"`      // what answers
	Regions Regions `yaml:"regions"`    // whether regions are simulated around what answers
	Store   Store   `yaml:"store"`      // where what is made at run time is kept
	Master  Secret  `yaml:"master_key"` // 32 bytes that sealed secrets are sealed with

	Account string           `yaml:"account"` // twelve digits, where ARNs need one
	Region  inference.Region `yaml:"region"`  // default source region; empty is the folder's first Bedrock data source's, else us-east-1
	Grant   GrantMode        `yaml:"grant"`   // what one denied destination does to a call
	Pinning Pinning          `yaml:"pinning"` // whether a target may be used that could run outside of the grant

	Routing // of calls that no route matches, and what a route leaves out

	KeepCache           Duration `yaml:"keep_cache"`            // worth waiting to have a thousand tokens of a prompt in the region's cache
	MaxAttempts         int      `yaml:"max_attempts"`          // of one call; 0 is every permitted target once
	AttemptTimeout      Duration `yaml:"attempt_timeout"`       // of one attempt, to its first sign of life
	StallTimeout        Duration `yaml:"stall_timeout"`         // of one attempt, from one sign of life to the next, up to its first content
	FirstContentTimeout Duration `yaml:"first_content_timeout"` // of one attempt, to its first content; 0 is none
	ChunkTimeout        Duration `yaml:"chunk_timeout"`         // of a stream, from one event to the next, after its first content
	AnswerTimeout       Duration `yaml:"answer_timeout"`        // of a real region, for a unary answer
	CallTimeout         Duration `yaml:"call_timeout"`          // of a model call with its answer, all attempts together; 0 is none
	RequestTimeout      Duration `yaml:"request_timeout"`       // of a GraphQL request
	WriteTimeout        Duration `yaml:"write_timeout"`         // of one frame, or one piece of a whole answer, to a client
	DrainTimeout        Duration `yaml:"drain_timeout"`         // of what runs when the server is told to stop

	Retry     Retry     `yaml:"retry"`
	Hedge     Hedge     `yaml:"hedge"`
	Breaker   Breaker   `yaml:"breaker"`
	Probe     Probe     `yaml:"probe"`
	Bedrock   Bedrock   `yaml:"bedrock"`
	OpenAI    OpenAI    `yaml:"openai"`
	Anthropic Anthropic `yaml:"anthropic"`
	Simulate  Simulate  `yaml:"simulate"`
	Limits    Limits    `yaml:"limits"`
	Prices    Path      `yaml:"prices"` // file of prices over the built-in ones, empty for none
	Ledger    Ledger    `yaml:"ledger"`
	Leases    Leases    `yaml:"leases"`
	Log       Log       `yaml:"log"`
	Telemetry Telemetry `yaml:"telemetry"`
	CORS      CORS      `yaml:"cors"`
	AWS       AWS       `yaml:"aws"`

	GraphQL      GraphQL      `yaml:"graphql"`
	UserPool     UserPool     `yaml:"user_pool"`
	IdentityPool IdentityPool `yaml:"identity_pool"`
	SMTP         SMTP         `yaml:"smtp"`

	Routes                 []Route     `yaml:"routes"`   // the first that matches is a call's
	Quotas                 []Quota     `yaml:"quotas"`   // the first that matches is a target's
	Accounts               []Account   `yaml:"accounts"` // of AWS, for model bedrock; none is the account of the credential chain
	Issuers                []Issuer    `yaml:"issuers"`  // of tokens that say who a caller is
	Teams                  []Team      `yaml:"teams"`    // the first that matches is a caller's
	Budgets                []Budget    `yaml:"budgets"`
	Principals             []Principal `yaml:"principals"`
	ServiceControlPolicies []Document  `yaml:"service_control_policies"` // over every principal; nil is none
}

// TLS is the certificate that the server shows, and its key: PEM files, both or
// neither.
type TLS struct {
	Cert Path `yaml:"cert"`
	Key  Path `yaml:"key"`
}

// Admin is the listener of the admin API and the metrics.
type Admin struct {
	Listen string `yaml:"listen"` // host:port, empty for none
	Token  Secret `yaml:"token"`  // bearer token that it asks for, empty for none
}

// Breaker is when a target is taken out of use.
type Breaker struct {
	Failures   int      `yaml:"failures"`     // in a row
	OpenFor    Duration `yaml:"open_for"`     // the first time; longer while it keeps failing
	MaxOpenFor Duration `yaml:"max_open_for"` // at the longest, or OpenFor where that is longer
}

// Bedrock is how real regions are called.
type Bedrock struct {
	Endpoint         URL                      `yaml:"endpoint"`         // in place of AWS's own; {region} stands for the region
	Endpoints        map[inference.Region]URL `yaml:"endpoints"`        // of single regions, in place of Endpoint
	ControlEndpoint  URL                      `yaml:"control_endpoint"` // the same two for the control plane
	ControlEndpoints map[inference.Region]URL `yaml:"control_endpoints"`
	BearerKey        Secret                   `yaml:"bearer_key"` // a Bedrock API key, in place of signatures
	ConnectTimeout   Duration                 `yaml:"connect_timeout"`
	KeepAlive        Duration                 `yaml:"keep_alive"` // between probes of a silent connection; a NAT gateway forgets one after 350s
	Equivalents      []Equivalent             `yaml:"equivalents"`
}

// OpenAI is the server of model openai=URL.
type OpenAI struct {
	Key    Secret            `yaml:"key"`    // empty for a server that asks for none
	Models map[string]string `yaml:"models"` // pattern of model ids to the server's model
}

// Anthropic is the server of model anthropic.
type Anthropic struct {
	URL    URL               `yaml:"url"`
	Key    Secret            `yaml:"key"`
	Models map[string]string `yaml:"models"` // pattern of model ids to the server's model
}

// Simulate is how simulated regions behave.
type Simulate struct {
	Speed     Speed                      `yaml:"speed"` // times real time
	Seed      uint64                     `yaml:"seed"`
	Responses Path                       `yaml:"responses"` // file of scripted answers, empty for none
	Quota     SimulatedQuota             `yaml:"quota"`
	Faults    map[inference.Region]Fault `yaml:"faults"` // from the start

	// HiddenRouting makes a region do as AWS's does with a profile: it picks the
	// destination itself and does not say which.
	HiddenRouting bool `yaml:"hidden_routing"`
}

// SimulatedQuota is what each simulated region grants each model.
type SimulatedQuota struct {
	TokensPerMinute   int `yaml:"tokens_per_minute"`   // 0 is what Bedrock grants the model
	RequestsPerMinute int `yaml:"requests_per_minute"` // 0 is no limit, as Bedrock has it since 2026
}

// Limits bound what one request, and what all of them, may take.
type Limits struct {
	GraphQLBody Size `yaml:"graphql_body"` // of one request
	BedrockBody Size `yaml:"bedrock_body"` // of one request
	Calls       int  `yaml:"calls"`        // in flight
	Held        Size `yaml:"held"`         // of all requests that are kept for failover
}

// Log is what is logged, and how.
type Log struct {
	Level   LogLevel  `yaml:"level"`
	Format  LogFormat `yaml:"format"`
	Content bool      `yaml:"content"` // prompts and answers too; leave off where they are anyone's but yours
}

// Telemetry is where traces go. Metrics are on the admin listener.
type Telemetry struct {
	OTLP        URL    `yaml:"otlp"`   // OTLP over HTTP, such as http://127.0.0.1:4318; empty for no traces
	Sample      Ratio  `yaml:"sample"` // of the calls that come without a trace
	ServiceName string `yaml:"service_name"`
}

// CORS is who may call from a browser; in dev pages on this machine may too.
type CORS struct {
	Origins []string `yaml:"origins"` // scheme://host[:port]
}

// AWS is what requests to signed data sources other than Bedrock are signed with.
type AWS struct {
	AccessKeyID     Secret `yaml:"access_key_id"`
	SecretAccessKey Secret `yaml:"secret_access_key"`
	SessionToken    Secret `yaml:"session_token"` // of temporary credentials, else nothing is there
}

// Default is the configuration where nothing else is said.
func Default() *Config {
	return &Config{
		Listen:              "127.0.0.1:20002",
		Admin:               Admin{Listen: "127.0.0.1:20003"},
		Model:               Simulated,
		Regions:             AutoRegions,
		Account:             "123456789012",
		Grant:               Narrow,
		Pinning:             PinStrict,
		Routing:             Routing{OnCut: OnCut(inference.FailOnCut)},
		KeepCache:           Duration(50 * time.Millisecond),
		AttemptTimeout:      Duration(12 * time.Second),
		StallTimeout:        Duration(20 * time.Second),
		FirstContentTimeout: Duration(5 * time.Minute), // signs of life keep no call for ever
		ChunkTimeout:        Duration(time.Minute),
		AnswerTimeout:       Duration(5 * time.Minute),
		CallTimeout:         Duration(time.Hour),
		RequestTimeout:      Duration(30 * time.Second), // AppSync's limit
		WriteTimeout:        Duration(30 * time.Second),
		DrainTimeout:        Duration(20 * time.Second),
		Retry:               Retry{Budget: 0.2, Reserve: 10, Wait: Duration(2 * time.Second)},
		Hedge:               Hedge{Budget: 0.05, Least: Duration(100 * time.Millisecond)},
		Breaker:             Breaker{Failures: 3, OpenFor: Duration(5 * time.Second), MaxOpenFor: Duration(2 * time.Minute)},
		Probe:               Probe{Budget: Dollars(inference.Dollar / 100)},
		Bedrock:             Bedrock{ConnectTimeout: Duration(3 * time.Second), KeepAlive: Duration(45 * time.Second)},
		Anthropic:           Anthropic{URL: "https://api.anthropic.com"},
		Simulate:            Simulate{Speed: 1, Seed: 1},
		Limits:              Limits{GraphQLBody: 1 << 20, BedrockBody: 25_000_000, Calls: 10_000, Held: 512 << 20}, // Bedrock's own limit
		GraphQL:             GraphQL{AuthorizerTTL: Duration(5 * time.Minute)},                                     // AppSync's default
		UserPool:            UserPool{SignUp: true, Lockout: Lockout{Failures: 5, For: Duration(time.Second), MaxFor: Duration(15 * time.Minute)}},
		IdentityPool:        IdentityPool{Guests: true},
		SMTP:                SMTP{TLS: StartTLS, Timeout: Duration(10 * time.Second)},
		Ledger: Ledger{
			Durability: Intent, Unknown: ChargeReserved, Journal: 64 << 20, WhenFull: RefuseCalls,
			Patience: Duration(2 * time.Second), Keep: Duration(90 * 24 * time.Hour),
		},
		Leases:    Leases{Block: 0.05, Away: AllowAway},
		AWS:       AWS{"env:AWS_ACCESS_KEY_ID", "env:AWS_SECRET_ACCESS_KEY", "env:AWS_SESSION_TOKEN"},
		Log:       Log{Level: "info", Format: LogText},
		Telemetry: Telemetry{Sample: 1, ServiceName: "fairway"},
	}
}
