package nova

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// TestDecodeStream reads the events of a real stream's form (facts bedrock.md 1.9),
// where text begins without a start.
func TestDecodeStream(t *testing.T) {
	d := Dialect{}.NewDecoder()
	var got []dialect.Piece
	for _, event := range []string{
		`{"messageStart":{"role":"assistant"}}`,
		`{"contentBlockDelta":{"delta":{"text":"Hi"},"contentBlockIndex":0}}`,
		`{"contentBlockStop":{"contentBlockIndex":0}}`,
		`{"contentBlockStart":{"start":{"toolUse":{"toolUseId":"t","name":"f"}},"contentBlockIndex":1}}`,
		`{"contentBlockDelta":{"delta":{"toolUse":{"input":"{}"}},"contentBlockIndex":1}}`,
		`{"contentBlockStop":{"contentBlockIndex":1}}`,
		`{"messageStop":{"stopReason":"tool_use"}}`,
		`{"metadata":{"usage":{"inputTokens":3,"outputTokens":2,"cacheReadInputTokenCount":1},"metrics":{},"trace":{}}}`,
	} {
		pieces, err := d.Decode(dialect.Payload{JSON: []byte(event)})
		if err != nil {
			t.Fatalf("Decode(%s) error = %v", event, err)
		}
		got = append(got, pieces...)
	}
	want := []dialect.Piece{
		{Kind: dialect.Began},
		{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Text}}, {Kind: dialect.Delta, Text: "Hi"}, {Kind: dialect.BlockEnded},
		{Kind: dialect.BlockBegan, Index: 1, Block: dialect.Block{Type: dialect.ToolUse, ID: "t", Name: "f"}},
		{Kind: dialect.Delta, Index: 1, Text: "{}"}, {Kind: dialect.BlockEnded, Index: 1},
		{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: dialect.StopToolUse}},
		{Kind: dialect.Ended, Usage: &inference.Usage{InputTokens: 3, OutputTokens: 2, CacheReadTokens: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pieces (-want +got):\n%s", diff)
	}
	if _, err := d.Decode(dialect.Payload{JSON: []byte(`{"messageStart":{}}`)}); err == nil {
		t.Error("an event behind metadata is no error")
	}
}

// FuzzDecodeStream: the pieces of any events are in order, so that they can be collected
// and written again.
func FuzzDecodeStream(f *testing.F) {
	f.Add([]byte(`{"contentBlockDelta":{"delta":{"text":"Hi"}}}`), []byte(`{"contentBlockDelta":{"delta":{"reasoningContent":{"signature":"s"}},"contentBlockIndex":1}}`))
	f.Add([]byte(`{"contentBlockStart":{"start":{"toolUse":{"name":"f"}}}}`), []byte(`{"messageStop":{}}`))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		d, whole := Dialect{}.NewDecoder(), dialect.NewCollector(dialect.Head{})
		for _, event := range slices.Concat([][]byte{one, other}, [][]byte{other, one}) {
			pieces, err := d.Decode(dialect.Payload{JSON: event})
			if err != nil {
				return
			}
			for _, p := range pieces {
				if err := whole.Add(p); err != nil {
					t.Fatalf("Decode(%q) = %+v: %v", event, pieces, err)
				}
			}
		}
	})
}
