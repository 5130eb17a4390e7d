package sim

import (
	"context"
	"encoding/json"

	"fairway/internal/inference"
	"fairway/internal/dialect/anthropic"
)

// TextSource writes what a simulated region replies. It gives the uncut reply:
// the region applies max_tokens and stop sequences. The conversation comes
// without a trailing assistant prefill and must not be modified. An error is an
// *inference.Error and is answered to the caller. Implementations are safe for
// concurrent use and give the same reply to the same arguments.
type TextSource interface {
	Reply(ctx context.Context, model inference.ModelID, m *anthropic.Request) (Reply, error)
}

// Reply is what a model has to say: text, a tool call, or first the one and then
// the other.
type Reply struct {
	Text string
	Tool *ToolCall
}

// ToolCall is a call of one of the request's tools.
type ToolCall struct {
	Name  string
	Input json.RawMessage // a JSON object
}
