package bedrock

import (
	"net/http"

	"fairway/internal/inference"
)

// invokeModelWithResponseStream is POST /model/{modelId}/invoke-with-response-stream
// (Smithy shape InvokeModelWithResponseStreamRequest): the model's own JSON in, its
// stream's JSON out in frames of type chunk, the last with the metrics. The header
// X-Amzn-Bedrock-Accept takes the place of InvokeModel's Accept.
var invokeModelWithResponseStream = operation{name: inference.InvokeModelWithResponseStream, phrase: "invoke model with response stream", check: checkInvoke, tell: tellChunks}

// tellChunks tells what is inside the chunks, which the SDKs require.
func tellChunks(h http.Header, _ *call, first inference.Event) {
	h.Set("X-Amzn-Bedrock-Content-Type", "application/json")
	setService(h, first.Served)
}
