package anthropic

import (
	"testing"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/invocation"
	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

func frame(kind, payload string) inference.Event {
	return inference.Event{Raw: eventstream.Event(kind, "application/json", []byte(payload)), Content: true}
}

// BenchmarkEvents is what one event of a stream costs before it is written.
func BenchmarkEvents(b *testing.B) {
	c := &call{visit: &front.Visit{ID: "0f0e0d0c-0b0a-4908-8706-050403020100"}, body: &anthropic.Body{Model: "m"}}
	reader, err := invocation.Read(inference.ConverseStream, "amazon.nova-pro-v1:0")
	if err != nil {
		b.Fatal(err)
	}
	translated := &translation{call: c, reader: reader, encoder: anthropic.Dialect{}.NewEncoder(c.head())}
	delta := frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a word or two"},"p":"abcdefgh"}`)
	for _, e := range []inference.Event{frame("messageStart", `{"role":"assistant"}`), delta} {
		if _, err := translated.events(nil, e); err != nil {
			b.Fatal(err)
		}
	}
	// {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a word or two"}}
	chunk := frame("chunk", `{"bytes":"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIsImluZGV4IjowLCJkZWx0YSI6eyJ0eXBlIjoidGV4dF9kZWx0YSIsInRleHQiOiJhIHdvcmQgb3IgdHdvIn19","p":"abcdefgh"}`)
	for _, bench := range []struct {
		name    string
		passage passage
		event   inference.Event
	}{
		{"relayed", &relay{call: c}, chunk},
		{"translated", translated, delta},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var text []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if text, err = bench.passage.events(text[:0], bench.event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
