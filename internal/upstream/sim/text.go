package sim

import (
	"context"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// TextSource writes what a simulated region replies. It gives the uncut reply:
// the region applies max_tokens and stop sequences. The conversation comes
// without a trailing assistant prefill and must not be modified. An error is an
// *inference.Error and is answered to the caller; with a reply beside it, where that
// ends. Implementations are safe for
// concurrent use and return once ctx has ended; they may take their time, since the
// region shows life meanwhile.
type TextSource interface {
	Reply(ctx context.Context, model inference.ModelID, c *dialect.Conversation) (Reply, error)
}

// Reply is what a model has to say: blocks of Text, Reasoning, Redacted and
// ToolUse, in order. A tool call without an id and reasoning without a signature
// get one from the region. It is not modified.
type Reply []dialect.Block
