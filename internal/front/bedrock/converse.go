package bedrock

import (
	"net/http"

	"fairway/internal/inference"
)

// converse is POST /model/{modelId}/converse (Smithy shape ConverseRequest): one
// body for all models, which passes byte for byte like InvokeModel's.
var converse = operation{name: inference.Converse, phrase: "converse", check: checkConverse, tell: tellNothing}

// checkConverse checks that the body is a JSON object, and no more: its members
// are the model's to judge.
//
// A guardrail keeps a call in its source region, and conditions of policies ask for it
// and for the service tier. Where the Invoke operations name theirs by a header the
// Converse operations do it in the body, so that the header is set here for the Gateway
// to see. It is for nobody else: upstreams send the X-Amzn-Bedrock headers of Invoke
// operations only.
func checkConverse(c *call) (http.Header, error) {
	var body struct {
		GuardrailConfig struct {
			GuardrailIdentifier string `json:"guardrailIdentifier"`
			GuardrailVersion    string `json:"guardrailVersion"`
		} `json:"guardrailConfig"`
		ServiceTier struct {
			Type string `json:"type"`
		} `json:"serviceTier"`
	}
	if err := decodeObject(c.operation, c.visit.Body, &body); err != nil {
		return nil, err
	}
	header, guardrail := http.Header{}, body.GuardrailConfig.GuardrailIdentifier
	if !isIdentifier(guardrail) {
		return nil, c.operation.refuse("The provided guardrail identifier is invalid.")
	}
	for name, value := range map[string]string{
		guardrailHeader: guardrail, versionHeader: body.GuardrailConfig.GuardrailVersion, tierHeader: body.ServiceTier.Type,
	} {
		if value != "" {
			header.Set(name, value)
		}
	}
	return header, nil
}

// tellNothing: usage and metrics are in the body.
func tellNothing(http.Header, *call, inference.Event) {}
