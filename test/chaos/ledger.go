package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
)

// line is one of the server's log: a call's record where the message is "call".
type line struct {
	Level       string
	Message     string `json:"msg"`
	ID          string `json:"request_id"`
	Destination string `json:"destination_region"`
	Attempts    int
	Outcome     string
	Input       int     `json:"input_tokens"`
	Output      int     `json:"output_tokens"`
	Cost        float64 `json:"cost_usd,string"`
	Continued   int
	Hedged      bool
}

// ledger is the server's account of a run.
type ledger struct {
	records map[string][]line // by request id
	refused map[string]int    // lines of calls that were refused before they were one
	errors  []string          // lines in which the server owns to a fault of its own
}

func readLedger(file string) (*ledger, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &ledger{records: map[string][]line{}, refused: map[string]int{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e line
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue // a banner
		}
		switch {
		case e.Message == "call":
			l.records[e.ID] = append(l.records[e.ID], e)
		case e.Message == "call refused":
			l.refused[e.ID]++
		case e.Level == "ERROR":
			l.errors = append(l.errors, lines.Text())
		}
	}
	return l, lines.Err()
}

// totals are what all records say together.
type totals struct {
	calls, attempts, failedOver, hedged, input, output int
	cost                                               float64 // US dollars
}

func (l *ledger) totals() (t totals) {
	for _, records := range l.records {
		for _, r := range records {
			t.calls++
			t.attempts += r.Attempts
			t.input += r.Input
			t.output += r.Output
			t.cost += r.Cost
			if r.Attempts > 1 {
				t.failedOver++
			}
			if r.Hedged {
				t.hedged++
			}
		}
	}
	return t
}

// check holds the ledger against the calls that were made: one record each, which
// says what the caller was told.
func (l *ledger) check(calls []*outcome) (found []violation) {
	known := map[string]bool{}
	for _, o := range calls {
		if o.id == "" {
			continue
		}
		if known[o.id] {
			found = append(found, violation{o, fmt.Errorf("the request id was given to another call as well")})
		}
		known[o.id] = true
		if err := l.checkOne(o); err != nil {
			found = append(found, violation{o, err})
		}
	}
	for id := range l.records {
		if !known[id] {
			found = append(found, violation{&outcome{id: id}, fmt.Errorf("a record of a call that no caller made, or had no answer to")})
		}
	}
	for _, text := range l.errors {
		found = append(found, violation{&outcome{}, fmt.Errorf("the server's log: %s", text)})
	}
	return found
}

func (l *ledger) checkOne(o *outcome) error {
	records := l.records[o.id]
	if o.kind.wrong != nil && o.kind.wrong.unnamed {
		if len(records) != 0 || l.refused[o.id] != 1 {
			return fmt.Errorf("a refused call has %d records and %d lines that say so, want none and one", len(records), l.refused[o.id])
		}
		return nil
	}
	if len(records) != 1 {
		return fmt.Errorf("the call has %d records, want one", len(records))
	}
	r, failed := records[0], o.kind.wrong != nil || o.exception != ""
	switch {
	case o.left || o.problem != nil:
		return nil // what the server took for the end is its own to say
	case failed != (r.Outcome == "failed"):
		return fmt.Errorf("the record says %s, the caller was told otherwise", r.Outcome)
	case failed:
		return nil
	case o.kind.door != countDoor && o.kind.door != countMessagesDoor && (r.Input != o.got.input || r.Output != o.got.output):
		return fmt.Errorf("the record has %d tokens in and %d out, the caller was told %d and %d", r.Input, r.Output, o.got.input, o.got.output)
	case r.Continued != o.continued:
		return fmt.Errorf("the record has %d continuations, the trailer %d", r.Continued, o.continued)
	case r.Destination == "":
		return fmt.Errorf("the record does not say where the call ran")
	}
	return nil
}

// check holds the metrics against the records. Tokens that the losers of hedges used
// are in the metrics and in the cost, and not among those that callers are told.
func (t totals) check(m metrics) (found []violation) {
	wrong := func(format string, args ...any) {
		found = append(found, violation{&outcome{}, fmt.Errorf(format, args...)})
	}
	if n := m.sum("fairway_calls_total"); int(n) != t.calls {
		wrong("the metrics count %v calls, the records %d", n, t.calls)
	}
	if n := m.sum("fairway_attempts_total"); int(n) != t.attempts {
		wrong("the metrics count %v attempts, the records %d", n, t.attempts)
	}
	input, output := m.sum("fairway_tokens_total", `type="input"`), m.sum("fairway_tokens_total", `type="output"`)
	if int(input) < t.input || int(output) < t.output || t.hedged == 0 && (int(input) > t.input || int(output) > t.output) {
		wrong("the metrics count %v tokens in and %v out, the records %d and %d", input, output, t.input, t.output)
	}
	if n := m.sum("fairway_cost_usd_total"); math.Abs(n-t.cost) > 1e-6 {
		wrong("the metrics count %v dollars, the records %v", n, t.cost)
	}
	return found
}
