// Package capacity answers before the first call what calls will cost and which quotas
// they need: how many tokens a prompt is for each model, what that costs, what it costs
// in a year, and how many regions and accounts a peak takes.
//
//	prompt.go   a text or a request body -> a conversation
//	count.go    the same as CountTokens has it
//	choose.go   which models are asked about
//	quote.go    one call of one model: tokens with their interval, cost, the most it may cost
//	year.go     twelve months of such calls
//	demand.go   what a minute at the peak takes of a quota
//	plan.go     how many regions and accounts that is
//	trial.go    the same in the routing simulator
//
// Nothing here calls a model. Prices are the catalog's, with their date and source;
// estimates are package tokens'.
package capacity
