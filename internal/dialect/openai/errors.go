package openai

import (
	"encoding/json"
	"strings"

	"fairway/internal/inference"
)

// ParameterError says which member of a request is at fault, and how. It is the
// cause of the Validation errors of DecodeRequest.
type ParameterError struct {
	Param string // path of the member, "messages[0].role"; empty for the body itself
	Code  string // OpenAI's code, "unknown_parameter"; empty where it has none
}

// Error is the code and the path, never the value.
func (e *ParameterError) Error() string {
	return strings.Join(strings.Fields(e.Code+" "+e.Param), ": ")
}

func refuse(param, code, message string) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "decode chat completion", Message: message,
		Err: &ParameterError{Param: param, Code: code},
	}
}

func refuseType(param, want string, found json.RawMessage) error {
	return refuse(param, "invalid_type", "Invalid type for '"+param+"': expected "+want+", but got "+typeOf(found)+" instead.")
}

func refuseValue(param, found string, supported ...string) error {
	message := "Invalid value: '" + clip(found) + "'."
	if len(supported) > 0 {
		message += " Supported values are: '" + strings.Join(supported, "', '") + "'."
	}
	return refuse(param, "invalid_value", message)
}

func refuseMissing(param string) error {
	return refuse(param, "missing_required_parameter", "Missing required parameter: '"+param+"'.")
}

func refuseUnsupported(param, why string) error {
	return refuse(param, "unsupported_parameter", "Unsupported parameter: '"+param+"' is not supported with this model."+why)
}

// typeOf names the type of a JSON value as OpenAI's texts do.
func typeOf(value json.RawMessage) string {
	switch first := value[0]; first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	if strings.ContainsAny(string(value), ".eE") {
		return "a decimal number"
	}
	return "an integer"
}

// clip keeps what a message quotes short.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// cannotCarry is the error of EncodeRequest: the conversation has what the dialect
// has no place for.
func cannotCarry(what, remedy string) error {
	return &inference.Error{
		Kind: inference.Validation, Op: "encode chat completion",
		Message: "encode chat completion: " + what + " cannot be carried by OpenAI chat completions: " + remedy,
	}
}

// errorBody is the error of a server, in an answer or in place of a chunk.
type errorBody struct{ Message, Type string }

// UnmarshalJSON reads an object, or a string: some servers send the text alone.
func (e *errorBody) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, &e.Message)
	}
	type object errorBody
	return json.Unmarshal(text, (*object)(e))
}

// streamKinds are the kinds of the errors that come in place of a chunk, by their
// type: no status says what they are. All others are the model's.
var streamKinds = map[string]inference.Kind{
	"invalid_request_error": inference.Validation,
	"rate_limit_error":      inference.Throttling,
	"requests":              inference.Throttling,
	"tokens":                inference.Throttling,
	"insufficient_quota":    inference.ServiceQuotaExceeded,
	"server_error":          inference.ServiceUnavailable,
}

func (e *errorBody) asError() *inference.Error {
	kind, ok := streamKinds[e.Type]
	if !ok {
		kind = inference.ModelStreamError
	}
	return &inference.Error{Kind: kind, Op: "read chat completion", Message: e.Message, Foreign: true}
}

// ErrorMessage is what the body of an error answer says, empty where it is not in
// the dialect's form.
func ErrorMessage(body []byte) string {
	var answer struct {
		Error *errorBody `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error == nil {
		return ""
	}
	return answer.Error.Message
}
