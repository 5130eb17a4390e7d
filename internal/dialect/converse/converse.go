// Package converse is the dialect of Converse and ConverseStream, in JSON.
//
// The shapes are those of the service's model (ContentBlock, ToolConfiguration,
// ...); facts bedrock.md 1.11 and 1.9. Members that a Conversation has no place
// for are refused by their path.
package converse

import (
	"encoding/json"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Dialect is Converse, as server and as client.
type Dialect struct{}

var (
	_ dialect.Server = Dialect{}
	_ dialect.Client = Dialect{}
)

// request is ConverseRequest.
type request struct {
	Messages                          []message          `json:"messages,omitempty"`
	System                            []contentBlock     `json:"system,omitempty"`
	InferenceConfig                   *inferenceConfig   `json:"inferenceConfig,omitempty"`
	ToolConfig                        *toolConfig        `json:"toolConfig,omitempty"`
	GuardrailConfig                   *guardrailConfig   `json:"guardrailConfig,omitempty"`
	AdditionalModelRequestFields      json.RawMessage    `json:"additionalModelRequestFields,omitempty"`
	AdditionalModelResponseFieldPaths []string           `json:"additionalModelResponseFieldPaths,omitempty"`
	PromptVariables                   map[string]text    `json:"promptVariables,omitempty"`
	RequestMetadata                   map[string]string  `json:"requestMetadata,omitempty"`
	PerformanceConfig                 *performanceConfig `json:"performanceConfig,omitempty"`
	ServiceTier                       *serviceTier       `json:"serviceTier,omitempty"`
	OutputConfig                      *outputConfig      `json:"outputConfig,omitempty"`
}

// text is PromptVariableValues, DocumentContentBlock, SearchResultContentBlock and
// CitationGeneratedContent, of which text is the one member.
type text struct {
	Text string `json:"text"`
}

type message struct {
	Role    dialect.Role   `json:"role"`
	Content []contentBlock `json:"content"`
}

type inferenceConfig struct {
	MaxTokens     *int     `json:"maxTokens,omitempty"`
	Temperature   *float64 `json:"temperature,omitempty"`
	TopP          *float64 `json:"topP,omitempty"`
	StopSequences []string `json:"stopSequences,omitempty"`
}

type guardrailConfig struct {
	GuardrailIdentifier  string `json:"guardrailIdentifier,omitempty"`
	GuardrailVersion     string `json:"guardrailVersion,omitempty"`
	Trace                string `json:"trace,omitempty"`
	StreamProcessingMode string `json:"streamProcessingMode,omitempty"`
}

type performanceConfig struct {
	Latency string `json:"latency,omitempty"`
}

type serviceTier struct {
	Type string `json:"type"`
}

type outputConfig struct {
	TextFormat *textFormat `json:"textFormat,omitempty"`
	Effort     string      `json:"effort,omitempty"`
}

type textFormat struct {
	Type      string `json:"type"` // "json_schema"
	Structure struct {
		JSONSchema *jsonSchema `json:"jsonSchema"`
	} `json:"structure"`
}

type jsonSchema struct {
	Schema      string `json:"schema"` // a JSON text
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// refusal is what is wrong with the member at path, "messages.0.content".
type refusal struct{ path, problem string }

// Error is the caller's line without the operation.
func (r *refusal) Error() string { return r.path + ": " + r.problem }

// under puts a member or position in front of the path of err.
func under(err error, segment string) error {
	r, ok := err.(*refusal)
	switch {
	case !ok:
	case r.path == "":
		r.path = segment
	default:
		r.path = segment + "." + r.path
	}
	return err
}

// broken is the service's refusal of a value that breaks a constraint of the model.
func broken(value, path, constraint string) error {
	const most = 64 // bytes that a message may quote
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "..."
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "decode Converse request",
		Message: "1 validation error detected: Value '" + value + "' at '" + path + "' failed to satisfy constraint: Member must " + constraint,
	}
}

// notCarried refuses a member that the service may know and a Conversation does
// not hold.
func notCarried(member string) error {
	return &refusal{member, "cannot be carried to this model: leave it out"}
}

// invalid makes the Validation of a refusal; other errors are one already.
func invalid(op string, err error) error {
	if r, ok := err.(*refusal); ok {
		return &inference.Error{Kind: inference.Validation, Op: op, Message: op + ": " + r.Error()}
	}
	return err
}
