package openai

import (
	"encoding/json"
	"unicode/utf8"
)

// Call is what a chat completions request tells the server about itself, and what
// is left of it for the model.
type Call struct {
	Model        string // as the caller names it
	Stream       bool
	IncludeUsage bool   // the stream is to end with its usage
	Body         []byte // without model, stream and stream_options; the rest byte for byte
}

// ReadCall reads the transport's part of a request body. Errors are Validation
// with a *ParameterError. Body may share memory with body.
func ReadCall(body []byte) (*Call, error) {
	if err := checkObject(body); err != nil {
		return nil, err
	}
	var c Call
	var options json.RawMessage
	transport := fields{"model": &c.Model, "stream": &c.Stream, "stream_options": &options}
	for m := range members(body) {
		if _, ok := transport[m.name]; ok {
			if err := transport.take("", m); err != nil {
				return nil, err
			}
		}
	}
	if c.Model == "" {
		return nil, refuseMissing("model")
	}
	if err := c.readOptions(options); err != nil {
		return nil, err
	}
	c.Body = without(body, "model", "stream", "stream_options")
	return &c, nil
}

func (c *Call) readOptions(options json.RawMessage) error {
	if options == nil {
		return nil
	}
	if !c.Stream {
		return refuse("stream_options", "invalid_value", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	return fields{
		"include_usage":       &c.IncludeUsage,
		"include_obfuscation": only{false},
	}.read("stream_options", options)
}

// StreamBody is a request body as it goes to a server: for the model of this name,
// to be answered by a stream that tells its usage. The rest of body stays byte for
// byte. The error is a Validation with a *ParameterError.
func StreamBody(body []byte, model string) ([]byte, error) {
	if err := checkObject(body); err != nil {
		return nil, err
	}
	name, err := json.Marshal(model)
	if err != nil {
		panic(err) // strings always encode
	}
	transport := `{"model":` + string(name) + `,"stream":true,"stream_options":{"include_usage":true}`
	rest := without(body, "model", "stream", "stream_options")
	rest = rest[next(rest, 0)+1:]
	if rest[next(rest, 0)] != '}' {
		transport += ","
	}
	return append([]byte(transport), rest...), nil
}

// checkObject makes sure that a body is a JSON object in UTF-8.
func checkObject(body []byte) error {
	if !utf8.Valid(body) || !json.Valid(body) || body[next(body, 0)] != '{' {
		return refuse("", "", "We could not parse the JSON body of your request. "+
			"(HINT: This likely means you aren't using your HTTP library correctly. "+
			"The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)")
	}
	return nil
}

// WithoutMetrics is a chunk of Bedrock's stream as OpenAI itself would send it.
func WithoutMetrics(chunk []byte) []byte { return without(chunk, invocationMetrics) }

// invocationMetrics is the member that Bedrock adds to a stream's last chunk
// (facts: ../shared/facts/bedrock.md 1.9).
const invocationMetrics = "amazon-bedrock-invocationMetrics"
