package sim

import (
	"strconv"
	"strings"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
)

// What Bedrock says, by ../shared/facts/bedrock.md 1.6 and models.json. [V] was
// read in a source, [M] is the writer's memory: right in kind, perhaps not to
// the letter. This table and the two voices below are the one place to correct.
const (
	tooManyTokens   = "Too many tokens, please wait before trying again."                                                     // [V]
	tooManyRequests = "Too many requests, please wait before trying again."                                                   // [V]
	unableToProcess = "Bedrock is unable to process your request."                                                            // [V]
	unknownModel    = "The provided model identifier is invalid."                                                             // [V]
	inputTooLong    = "Input is too long for requested model."                                                                // [V], for the body's size [M]
	malformed       = "Malformed input request, please reformat your input and try again."                                    // [M]
	rolesAlternate  = `messages: roles must alternate between "user" and "assistant", but found multiple "%s" roles in a row` // [V]
	noStreaming     = "The model is unsupported for streaming."                                                               // [V]
	noCounting      = "The provided model doesn't support counting tokens."                                                   // [M]
	oneInput        = "The input field must have exactly one of invokeModel and converse."                                    // ours
	noGuardrail     = "the call names a guardrail and simulated regions have none: leave it out"                              // ours
	noPrefill       = "This model does not support assistant message prefill. The conversation must end with a user message." // [V]
	lastRole        = "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"         // [M] on Bedrock; Mistral's own API [V]

	aboveModelLimit = "The maximum tokens you requested exceeds the model limit of %d" + // [V]
		" . Try again with a maximum tokens value that is lower than %d." // [M]
	aboveWindow = "input length and `max_tokens` exceed context limit: %d + %d > %d, " + // [M]
		"decrease input length or `max_tokens` and try again"

	firstIsUser       = `messages: first message must use the "user" role`                                                                                        // [M]
	systemRole        = "messages: Unexpected role \"system\". The Messages API accepts a top-level `system` parameter, not \"system\" as an input message role." // [M]
	emptyText         = "messages: text content blocks must be non-empty"                                                                                         // [M]
	trailingSpace     = "messages: final assistant content cannot end with trailing whitespace"                                                                   // [M]
	twoSamplers       = "`temperature` and `top_p` cannot both be specified for this model. Please use only one."                                                 // [M]
	blankStopSequence = "stop_sequences: each stop sequence must contain non-whitespace"                                                                          // [M]
	resultWithoutUse  = "messages.%d.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. " +                                                  // [M]
		"Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
	useWithoutResult = "messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. " + // [M]
		"Each `tool_use` block must have a corresponding `tool_result` block in the next message."

	noAdaptive           = "adaptive thinking is not supported on this model"                                             // [M]
	budgetAboveMaxTokens = "`max_tokens` must be greater than `thinking.budget_tokens`."                                  // [M]
	thinkingTemperature  = "`temperature` may only be set to 1 when thinking is enabled."                                 // [M]
	thinkingForcedTool   = "Thinking may not be enabled when tool_choice forces tool use."                                // [M]
	thinkingPrefill      = "messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. " + // [M]
		"When `thinking` is enabled, a final `assistant` message must start with a thinking block."
)

// Generations of Claude (100 times major plus minor) from which a rule holds.
const (
	firstNative     = 307 // answers in Anthropic's own words, merges turns of one role [M]
	firstThinking   = 307 // extended thinking
	firstPastWindow = 405 // max_tokens may reach past the context window [M]
	firstAdaptive   = 406 // adaptive thinking [M]
)

// oneSampler is the models that take temperature or top_p, not both [V].
var oneSampler = []inference.ModelID{
	"anthropic.claude-sonnet-4-5-20250929-v1:0",
	"anthropic.claude-haiku-4-5-20251001-v1:0",
}

// finding is one thing that is wrong with a body, in the words of both
// generations. Where one is empty the other serves both.
type finding struct {
	path   string // "messages.0.role", empty for the body itself
	schema string // what a JSON Schema validator says of the value at path
	native string // Anthropic's sentence, path included
}

// voice is how a model's generation words what is wrong with a body.
type voice bool

const (
	schemaVoice voice = false // Claude 3.5 and before
	nativeVoice voice = true
)

func voiceOf(model inference.ModelID) voice {
	major, minor := anthropic.Generation(string(model))
	return major*100+minor >= firstNative
}

// say is the message for what was found: all violations of the schema in one
// sentence, or else the first finding in Anthropic's words.
func (v voice) say(found ...finding) string {
	var violations strings.Builder
	for _, f := range found {
		if f.schema != "" && (v == schemaVoice || f.native == "") {
			violations.WriteString("#" + pointer(f.path) + ": " + f.schema)
		}
	}
	if violations.Len() > 0 {
		return "Malformed input request: " + violations.String() + ", please reformat your input and try again."
	}
	return found[0].native
}

// pointer is a path as the schema validator writes it: "/messages/0/role".
func pointer(path string) string {
	if path == "" {
		return ""
	}
	return "/" + strings.ReplaceAll(path, ".", "/")
}

func missing(path, key string) finding {
	full := key
	if path != "" {
		full = path + "." + key
	}
	return finding{path: path, schema: "required key [" + key + "] not found", native: full + ": Field required"}
}

func extraneous(key string) finding {
	key = clip(key, maxItemRunes)
	return finding{schema: "extraneous key [" + key + "] is not permitted", native: key + ": Extra inputs are not permitted"}
}

func below(path string, value, limit float64) finding {
	return finding{
		path:   path,
		schema: number(value) + " is not greater or equal to " + number(limit),
		native: path + ": Input should be greater than or equal to " + number(limit),
	}
}

func above(path string, value, limit float64) finding {
	return finding{
		path:   path,
		schema: number(value) + " is not less or equal to " + number(limit),
		native: path + ": Input should be less than or equal to " + number(limit),
	}
}

// badTag is a value whose "type" is none of those the format knows.
func badTag(path, tag, known string) finding {
	return finding{
		path:   path + ".type",
		schema: clip(tag, maxItemRunes) + " is not a valid enum value",
		native: path + ": Input tag '" + clip(tag, maxItemRunes) + "' found using 'type' does not match any of the expected tags: " + known,
	}
}

// jsonNames are the JSON types in the words of the schema validator and of Anthropic.
var jsonNames = map[anthropic.Type]struct{ schema, native string }{
	anthropic.Object:  {"JSONObject", "dictionary"},
	anthropic.Array:   {"JSONArray", "list"},
	anthropic.String:  {"String", "string"},
	anthropic.Integer: {"Integer", "integer"},
	anthropic.Number:  {"Number", "number"},
	anthropic.Boolean: {"Boolean", "boolean"},
	anthropic.Null:    {"Null", "null"},
}

func typeFinding(e *anthropic.TypeError) finding {
	path := strings.Join(e.Path, ".")
	prefix := path
	if path != "" {
		prefix += ": "
	}
	return finding{
		path:   path,
		schema: "expected type: " + jsonNames[e.Want].schema + ", found: " + jsonNames[e.Found].schema,
		native: prefix + "Input should be a valid " + jsonNames[e.Want].native,
	}
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
