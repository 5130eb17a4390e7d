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
package config

import (
	"time"

	"fairway/internal/inference"
)

// Config is every setting. Its yaml tags are the paths.
type Config struct {
	Listen         string             `yaml:"listen"`          // host:port
	Account        string             `yaml:"account"`         // twelve digits, where ARNs need one
	Region         inference.Region   `yaml:"region"`          // default source region; empty is the folder's first Bedrock data source's, else us-east-1
	Grant          GrantMode          `yaml:"grant"`           // what one denied destination does to a call
	Order          []inference.Region `yaml:"order"`           // destinations tried first, where granted
	MaxAttempts    int                `yaml:"max_attempts"`    // of one call; 0 is every permitted target once
	AttemptTimeout Duration           `yaml:"attempt_timeout"` // of one attempt, to its first sign of life
	StallTimeout   Duration           `yaml:"stall_timeout"`   // of one attempt, from one sign of life to the next, up to its first content
	RequestTimeout Duration           `yaml:"request_timeout"` // of a GraphQL request
	Breaker        Breaker            `yaml:"breaker"`
	Simulate       Simulate           `yaml:"simulate"`
	Limits         Limits             `yaml:"limits"`
	Log            Log                `yaml:"log"`
	CORS           CORS               `yaml:"cors"`
	AWS            AWS                `yaml:"aws"`
}

// Breaker is when a target is taken out of use.
type Breaker struct {
	Failures int      `yaml:"failures"` // in a row
	OpenFor  Duration `yaml:"open_for"` // the first time; longer while it keeps failing
}

// Simulate is how simulated regions behave.
type Simulate struct {
	Speed     Speed                      `yaml:"speed"` // times real time
	Seed      uint64                     `yaml:"seed"`
	Responses Path                       `yaml:"responses"` // file of scripted answers, empty for none
	Quota     Quota                      `yaml:"quota"`
	Faults    map[inference.Region]Fault `yaml:"faults"` // from the start
}

// Quota is what each simulated region grants each model.
type Quota struct {
	TokensPerMinute   int `yaml:"tokens_per_minute"`   // 0 is what Bedrock grants the model
	RequestsPerMinute int `yaml:"requests_per_minute"` // 0 is no limit, as Bedrock has it since 2026
}

// Limits are the largest request bodies.
type Limits struct {
	GraphQLBody Size `yaml:"graphql_body"`
	BedrockBody Size `yaml:"bedrock_body"`
}

// Log is what is logged, and how.
type Log struct {
	Level   LogLevel  `yaml:"level"`
	Format  LogFormat `yaml:"format"`
	Content bool      `yaml:"content"` // prompts and answers too; leave off where they are anyone's but yours
}

// CORS is who may call from a browser, beside pages of the loopback interface.
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
		Listen:         "127.0.0.1:20002",
		Account:        "123456789012",
		Grant:          Narrow,
		AttemptTimeout: Duration(12 * time.Second),
		StallTimeout:   Duration(20 * time.Second),
		RequestTimeout: Duration(30 * time.Second), // AppSync's limit
		Breaker:        Breaker{Failures: 3, OpenFor: Duration(5 * time.Second)},
		Simulate:       Simulate{Speed: 1, Seed: 1},
		Limits:         Limits{GraphQLBody: 1 << 20, BedrockBody: 25_000_000}, // Bedrock's own limit
		AWS:            AWS{"env:AWS_ACCESS_KEY_ID", "env:AWS_SECRET_ACCESS_KEY", "env:AWS_SESSION_TOKEN"},
		Log:            Log{Level: "info", Format: LogText},
	}
}
