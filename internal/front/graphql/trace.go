package graphql

import (
	"encoding/json"
	"sync"

	"fairway/internal/inference"
)

// trace collects the records of the model calls behind a response, in the order
// they were completed. A nil trace collects nothing.
type trace struct {
	mu    sync.Mutex
	calls []call
}

// call is a record and the response key of the field that caused it.
type call struct {
	*inference.Record
	Path []string `json:"path"`
}

func (t *trace) add(f *field, record *inference.Record) {
	if t == nil || record == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, call{record, []string{f.key}})
}

// append writes {"fairway":{"calls":[...]}}.
func (t *trace) append(out []byte) []byte {
	out = append(out, `{"fairway":{"calls":[`...)
	for i, c := range t.calls {
		if i > 0 {
			out = append(out, ',')
		}
		data, err := json.Marshal(c)
		if err != nil {
			data = []byte("null")
		}
		out = append(out, data...)
	}
	return append(out, "]}}"...)
}
