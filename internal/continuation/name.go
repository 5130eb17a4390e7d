package continuation

import (
	"cmp"
	"encoding/json"
	"strings"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
)

// name is what an answer calls itself, in a dialect that repeats it in every event.
type name struct {
	ID      string `json:"id"`
	Created int64  `json:"created"`
}

// read reads the first event of an answer in d.
func (n *name) read(d dialect.Server, e inference.Event) {
	if _, ok := d.(openai.Dialect); !ok {
		return
	}
	if chunk, err := invocation.Chunk(e.Raw); err == nil {
		_ = json.Unmarshal(chunk, n) // what has no name is given one
	}
}

// head is what the frames behind the seam name the answer by: as the ones before, where
// they do.
func (t *Thread) head() dialect.Head {
	own := strings.ReplaceAll(t.request.ID, "-", "")
	return dialect.Head{
		ID: cmp.Or(strings.TrimPrefix(t.name.ID, "chatcmpl-"), own), Created: t.name.Created,
		Model: invocation.NameOf(t.model), Fields: t.asked.Fields,
		Service: cmp.Or(invocation.Asked(t.request.Header), t.asked.Service),
	}
}
