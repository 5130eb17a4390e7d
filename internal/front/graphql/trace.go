package graphql

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// trace collects the records of the model calls behind a response, in the order
// they were completed.
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
	if record == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, call{record, []string{f.key}})
}

// cost is that of all calls.
func (t *trace) cost() (sum inference.Money) {
	for _, c := range t.calls {
		sum += c.Cost
	}
	return sum
}

// wait is how long the last of the calls that failed is to wait, 0 where none is.
func (t *trace) wait() (longest time.Duration) {
	for _, c := range t.calls {
		if c.Error != nil {
			longest = max(longest, c.Error.RetryAfter)
		}
	}
	return longest
}

// describe writes what a header tells of the calls: the budgets that they brought near
// their limits, when to send those again that were refused, and, where it was asked for,
// what they cost.
func (t *trace) describe(h http.Header, asked inference.Steering) {
	var nearing []inference.Nearing
	for _, c := range t.calls {
		nearing = append(nearing, c.Nearing...)
	}
	if len(nearing) > 0 {
		h.Set("X-Fairway-Budget", front.Nearing(nearing))
	}
	if wait := t.wait(); wait > 0 {
		retryAfter(h, wait)
	}
	if asked.Cost {
		h.Set("X-Fairway-Cost-Usd", t.cost().String())
	}
}

// append writes {"fairway":{"cost_usd":"...","calls":[...]}}, each where it was asked
// for.
func (t *trace) append(out []byte, asked inference.Steering) []byte {
	out = append(out, `{"fairway":{`...)
	if asked.Cost {
		out = append(out, `"cost_usd":"`...)
		out = append(append(out, t.cost().String()...), '"')
	}
	if asked.Trace {
		if asked.Cost {
			out = append(out, ',')
		}
		out = t.appendCalls(append(out, `"calls":`...))
	}
	return append(out, "}}"...)
}

func (t *trace) appendCalls(out []byte) []byte {
	out = append(out, '[')
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
	return append(out, ']')
}
