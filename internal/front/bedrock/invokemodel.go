package bedrock

import (
	"net/http"

	"fairway/internal/inference"
)

// invokeModel is POST /model/{modelId}/invoke (Smithy shape InvokeModelRequest):
// the model's own JSON in and out, byte for byte.
var invokeModel = operation{name: inference.InvokeModel, phrase: "invoke model", check: checkInvoke, tell: tellInvocation}

// checkInvoke checks what is in the header. The body is the model's own: whether
// it is JSON, in UTF-8 and not too deep, is for whoever decodes it to say.
func checkInvoke(c *call) (http.Header, error) {
	guardrail, version := c.header.Get(guardrailHeader), c.header.Get(versionHeader)
	switch {
	case len(c.visit.Body) == 0:
		return nil, c.operation.malformed("")
	case (guardrail == "") != (version == ""):
		return nil, c.operation.refuse(c.operation.phrase + ": a guardrail needs both its identifier and its version: send both headers or neither")
	}
	if message := wrongChoice(c.header); message != "" {
		return nil, c.operation.refuse(message)
	}
	return modelHeader(c.header), nil
}

// tellInvocation tells how the call was served, how long the model took and what it
// read and wrote.
func tellInvocation(h http.Header, c *call, answer inference.Event) {
	setService(h, answer.Served)
	setInvocation(h, answer, c.record)
}
