package openai

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"fairway/internal/dialect"
)

// request is a request body whose nested values are still text.
type request struct {
	anyTool bool // of the Dialect

	messages, tools, toolChoice, stop, responseFormat json.RawMessage

	maxTokens, maxCompletionTokens, topK *int
	temperature, topP                    *float64
	reasoningEffort, user                *string
	metadata                             map[string]string
}

// fields is every member that a request may have. Those of the transport are read
// over; those that the conversation has no place for may ask for nothing.
func (r *request) fields() fields {
	return fields{
		"model": nil, "stream": nil, "stream_options": nil,

		"messages": &r.messages, "tools": &r.tools, "tool_choice": &r.toolChoice,
		"stop": &r.stop, "response_format": &r.responseFormat,
		"max_tokens": &r.maxTokens, "max_completion_tokens": &r.maxCompletionTokens, "top_k": &r.topK,
		"temperature": &r.temperature, "top_p": &r.topP,
		"reasoning_effort": &r.reasoningEffort, "user": &r.user, "metadata": &r.metadata,

		"n": only{1.0}, "logprobs": only{false}, "top_logprobs": only{0.0},
		"frequency_penalty": only{0.0}, "presence_penalty": only{0.0}, "logit_bias": only{map[string]any{}},
		"parallel_tool_calls": only{true}, "store": only{false},
		"modalities": only{[]any{"text"}}, "service_tier": only{"auto", "default"}, "verbosity": only{"medium"},
		"audio": only{}, "function_call": only{}, "functions": only{}, "prediction": only{},
		"prompt_cache_key": only{}, "prompt_cache_retention": only{}, "safety_identifier": only{},
		"seed": only{}, "web_search_options": only{},
	}
}

// DecodeRequest reads a request body. Errors are Validation with a
// *ParameterError, in OpenAI's words.
func (d Dialect) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	if err := checkObject(body); err != nil {
		return nil, err
	}
	if excess := dialect.Excess(body); excess != "" {
		return nil, refuse("", "", "decode chat completion: "+excess)
	}
	r := request{anyTool: d.AnyTool}
	if err := r.fields().read("", body[next(body, 0):]); err != nil {
		return nil, err
	}
	c := &dialect.Conversation{Temperature: r.temperature, TopP: r.topP, TopK: r.topK}
	for _, read := range []func(*dialect.Conversation) error{
		r.readMessages, r.readTools, r.readToolChoice, r.readMaxTokens, r.readStop,
		r.readResponseFormat, r.readEffort, r.readMetadata,
	} {
		if err := read(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (r *request) readMaxTokens(c *dialect.Conversation) error {
	c.MaxTokens = r.maxTokens
	if r.maxCompletionTokens == nil {
		return nil
	}
	if r.maxTokens != nil && *r.maxTokens != *r.maxCompletionTokens {
		return refuse("max_tokens", "invalid_value", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	}
	c.MaxTokens = r.maxCompletionTokens
	return nil
}

func (r *request) readStop(c *dialect.Conversation) error {
	if r.stop == nil {
		return nil
	}
	if r.stop[0] == '"' {
		c.StopSequences = []string{unquote(r.stop)}
		return nil
	}
	return list("stop", r.stop, func(path string, element json.RawMessage) error {
		if element[0] != '"' {
			return refuseType(path, "a string", element)
		}
		c.StopSequences = append(c.StopSequences, unquote(element))
		return nil
	})
}

// readEffort: "none" switches reasoning off, every other word is an effort.
func (r *request) readEffort(c *dialect.Conversation) error {
	switch {
	case r.reasoningEffort == nil:
	case *r.reasoningEffort == "none":
		c.Thinking = &dialect.Thinking{Mode: "disabled"}
	case slices.Contains(efforts, *r.reasoningEffort):
		c.Thinking = &dialect.Thinking{Effort: *r.reasoningEffort}
	default:
		return refuseValue("reasoning_effort", *r.reasoningEffort, append([]string{"none"}, efforts...)...)
	}
	return nil
}

// efforts are the values of reasoning_effort that ask for some reasoning.
var efforts = []string{"minimal", "low", "medium", "high", "xhigh"}

// userID is the metadata that the member user becomes, as metadata.user_id does in
// Anthropic's dialect.
const userID = "user_id"

func (r *request) readMetadata(c *dialect.Conversation) error {
	c.Metadata = r.metadata
	if r.user == nil {
		return nil
	}
	if _, twice := r.metadata[userID]; twice {
		return refuse("user", "invalid_value", "Setting 'user' and 'metadata.user_id' at the same time is not supported.")
	}
	c.Metadata = maps.Clone(r.metadata)
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	c.Metadata[userID] = *r.user
	return nil
}

// readResponseFormat: "text" is what there is without a format.
func (r *request) readResponseFormat(c *dialect.Conversation) error {
	if r.responseFormat == nil {
		return nil
	}
	var kind string
	var schema json.RawMessage
	err := fields{"type": &kind, "json_schema": &schema}.read("response_format", r.responseFormat)
	if err != nil {
		return err
	}
	switch kind {
	case "text":
	case "json_object":
		c.Output = &dialect.OutputFormat{}
	case "json_schema":
		c.Output, err = readJSONSchema("response_format.json_schema", schema)
	default:
		err = refuseValue("response_format.type", kind, "text", "json_object", "json_schema")
	}
	return err
}

func readJSONSchema(path string, object json.RawMessage) (*dialect.OutputFormat, error) {
	if object == nil {
		return nil, refuseMissing(path)
	}
	var out dialect.OutputFormat
	err := fields{"name": &out.Name, "schema": &out.Schema, "strict": &out.Strict, "description": &out.Description}.read(path, object)
	switch {
	case err != nil:
		return nil, err
	case out.Schema == nil:
		return nil, refuseMissing(path + ".schema")
	case out.Schema[0] != '{':
		return nil, refuseType(path+".schema", "an object", out.Schema)
	case strings.TrimSpace(out.Name) == "":
		return nil, refuseMissing(path + ".name")
	}
	return &out, nil
}
