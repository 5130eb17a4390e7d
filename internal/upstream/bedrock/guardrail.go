package bedrock

import (
	"encoding/json"
	"maps"

	"fairway/internal/inference"
)

const guardrailHeader = "X-Amzn-Bedrock-Guardrailidentifier"

// guarded is r with the guardrail that stands at the target for the one that it
// names: by a header of the Invoke operations, and in the body of the others.
func guarded(t inference.Target, r *inference.Request) (*inference.Request, error) {
	if t.Guardrail == "" {
		return r, nil
	}
	there := *r
	there.Header = maps.Clone(r.Header)
	there.Header[guardrailHeader] = []string{t.Guardrail}
	if r.Operation == inference.Converse || r.Operation == inference.ConverseStream {
		body, err := withGuardrail(r.Body, t.Guardrail)
		if err != nil {
			return nil, err
		}
		there.Body, there.PayloadHash = body, ""
	}
	return &there, nil
}

// withGuardrail is a body of the Converse operations with another identifier at
// guardrailConfig.guardrailIdentifier; all else in it keeps its words.
func withGuardrail(body []byte, id string) ([]byte, error) {
	var request, guardrail map[string]json.RawMessage
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, malformed(err)
	}
	if err := json.Unmarshal(request["guardrailConfig"], &guardrail); err != nil || guardrail == nil {
		return nil, malformed(err)
	}
	guardrail["guardrailIdentifier"] = encode(id)
	request["guardrailConfig"] = encode(guardrail)
	return encode(request), nil
}

// encode writes strings, and raw values that were decoded: it cannot fail.
func encode(value any) json.RawMessage {
	text, _ := json.Marshal(value)
	return text
}

func malformed(err error) error {
	return &inference.Error{
		Kind: inference.Validation, Op: op, Err: err,
		Message: "Malformed input request, please reformat your input and try again.",
	}
}
