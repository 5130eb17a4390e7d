package anthropic

import (
	"errors"
	"strconv"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Dialect is Anthropic Messages, as server and as client.
type Dialect struct{}

var (
	_ dialect.Server = Dialect{}
	_ dialect.Client = Dialect{}
)

// DecodeRequest reads the body of a Messages call, which has to have max_tokens.
// A model or stream member is for the caller and read over.
func (Dialect) DecodeRequest(body []byte) (*dialect.Conversation, error) {
	r, err := Decode(body)
	if err != nil {
		return nil, Refusal(err)
	}
	if r.MaxTokens == nil {
		return nil, refuse("max_tokens", required)
	}
	return Conversation(r)
}

// Anthropic's own words for members that are missing or are not of the format.
const (
	required = "Field required"
	extra    = "Extra inputs are not permitted"
)

// Refusal is an error of Decode or Open as the Validation that callers read, in
// Anthropic's own words.
func Refusal(err error) *inference.Error {
	if e, ok := errors.AsType[*inference.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*TypeError](err); ok {
		return refuse(strings.Join(e.Path, "."), "Input should be a valid "+typeWords[e.Want])
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "decode Messages",
		Message: "The request body is not valid JSON", Err: err,
	}
}

// typeWords are Anthropic's words for the JSON types.
var typeWords = map[Type]string{
	Object: "dictionary", Array: "list", String: "string",
	Integer: "integer", Number: "number", Boolean: "boolean", Null: "null",
}

// refuse is a Validation about the value at path, "messages.0.content.1.type";
// the empty path is the body.
func refuse(path, problem string) *inference.Error {
	if path != "" {
		problem = path + ": " + problem
	}
	return &inference.Error{Kind: inference.Validation, Op: "decode Messages", Message: problem}
}

// at is the path of the element i of the list at path.
func at(path string, i int) string { return path + "." + strconv.Itoa(i) }
