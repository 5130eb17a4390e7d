package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
	"fairway/internal/route"
)

// TestCutAnswersAreCounted by what they say: an event may have many tokens.
func TestCutAnswersAreCounted(t *testing.T) {
	says := func(text string) inference.Event { return inference.Event{Raw: []byte(text), Content: true} }
	raw := func(inference.Operation, inference.ModelID) func(inference.Event) string {
		return func(e inference.Event) string { return string(e.Raw) }
	}
	words := func(m inference.ModelID, text string) int {
		if m != model {
			t.Errorf("Count(%s), want the model that answers", m)
		}
		return len(strings.Fields(text))
	}
	long := says(strings.Repeat("word ", 20_000))
	for name, c := range map[string]struct {
		text  func(inference.Operation, inference.ModelID) func(inference.Event) string
		count func(inference.ModelID, string) int
		say   []inference.Event
		want  int
	}{
		"four bytes a token":  {raw, nil, []inference.Event{says("rice and"), says(" carrots!")}, 5},
		"as the model counts": {raw, words, []inference.Event{says("rice and"), says(" two carrots")}, 4},
		"one an event":        {raw, words, []inference.Event{says("r"), says("i"), says("c")}, 3},
		"a long answer":       {raw, words, []inference.Event{long, long, says("end")}, 40_001},
		"nobody can read it":  {nil, words, []inference.Event{long, long}, 2},
	} {
		l := spending(t, regions{source: sends(append(c.say, ended)...)}, route.Route{})
		l.Text, l.Count = c.text, c.count
		r := request("id")
		r.Operation = inference.ConverseStream
		stream, record, err := l.Invoke(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for range c.say {
			if _, err := stream.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		stream.Close()
		if record.Usage.OutputTokens != c.want || !record.Estimated {
			t.Errorf("%s: %d tokens of output, estimated %t, want %d, estimated", name, record.Usage.OutputTokens, record.Estimated, c.want)
		}
	}
}

// TestLeftBeforeContent: a call that its caller leaves, or that targets take too long for,
// costs the prompt wherever one was at work on it.
func TestLeftBeforeContent(t *testing.T) {
	for name, c := range map[string]struct {
		region  behaviour
		patient time.Duration // the caller
		legs    int
	}{
		"the caller leaves":      {hangs, 1500 * time.Millisecond, 1},
		"every attempt is late":  {hangs, time.Hour, 2},
		"regions refuse at once": {refused, time.Hour, 0},
		"the caller barely asks": {hangs, 100 * time.Millisecond, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := spending(t, byModel{model: c.region}, route.Route{})
			l.Router = route.New(route.Config{Upstream: byModel{model: c.region}, Simulated: true, MaxAttempts: 2})
			ctx, cancel := context.WithTimeout(t.Context(), c.patient)
			defer cancel()
			_, record, err := l.Invoke(ctx, request("id"))
			if err == nil {
				t.Fatalf("%s: the call was answered", name)
			}
			want := inference.Usage{InputTokens: 900 * c.legs}
			if cost := inference.Money(want.InputTokens * 3000); record.Wasted != want || record.Cost != cost || record.WastedCost != cost || record.Estimated != (c.legs > 0) {
				t.Errorf("%s: wasted %+v, cost %s, estimated %t, want %+v, %s", name, record.Wasted, record.Cost, record.Estimated, want, cost)
			}
		})
	}
}
