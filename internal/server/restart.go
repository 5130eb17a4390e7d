package server

import "fairway/internal/config"

// Kept is next with the settings that a server opens once as they were when it
// opened: it can be served without a restart.
func Kept(opened, next *config.Config) *config.Config {
	kept := *next
	kept.Listen, kept.BaseURL, kept.TLS, kept.DrainTimeout = opened.Listen, opened.BaseURL, opened.TLS, opened.DrainTimeout
	kept.Admin.Listen = opened.Admin.Listen
	kept.Backend, kept.Store, kept.Master = opened.Backend, opened.Store, opened.Master
	kept.Account, kept.Region = opened.Account, opened.Region
	kept.Model, kept.Regions, kept.Accounts, kept.AnswerTimeout = opened.Model, opened.Regions, opened.Accounts, opened.AnswerTimeout
	kept.Bedrock, kept.OpenAI, kept.Anthropic, kept.Simulate = opened.Bedrock, opened.OpenAI, opened.Anthropic, opened.Simulate
	kept.Ledger, kept.Breaker, kept.AWS, kept.Telemetry = opened.Ledger, opened.Breaker, opened.AWS, opened.Telemetry
	kept.UserPool.Enabled, kept.UserPool.LogCodes, kept.SMTP = opened.UserPool.Enabled, opened.UserPool.LogCodes, opened.SMTP
	kept.Log.Level, kept.Log.Format = opened.Log.Level, opened.Log.Format
	return &kept
}
