package bedrock

import "fairway/internal/inference"

// converseStream is POST /model/{modelId}/converse-stream (Smithy shape
// ConverseStreamRequest): the body of Converse in, frames from messageStart to
// metadata out.
var converseStream = operation{name: inference.ConverseStream, phrase: "converse stream", check: checkConverse, tell: tellNothing}
