package prompt

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// reading is a dialect whose streams are read.
type reading interface {
	dialect.Server
	NewDecoder() dialect.Decoder
}

// TestDecodeStream: what an encoder writes is read again. Llama and Mistral do not tell a
// stop sequence from another end, and Mistral counts no tokens.
func TestDecodeStream(t *testing.T) {
	for _, test := range []struct {
		dialect reading
		stop    dialect.StopReason
		usage   *inference.Usage
	}{
		{Titan{}, dialect.StopSequence, &inference.Usage{InputTokens: 3, OutputTokens: 2}},
		{Titan{}, dialect.MaxTokens, &inference.Usage{InputTokens: 3, OutputTokens: 2}},
		{Titan{}, dialect.ContentFiltered, &inference.Usage{InputTokens: 3, OutputTokens: 2}},
		{Llama{}, dialect.EndTurn, &inference.Usage{InputTokens: 3, OutputTokens: 2}},
		{Llama{}, dialect.MaxTokens, &inference.Usage{InputTokens: 3, OutputTokens: 2}},
		{Mistral{}, dialect.EndTurn, nil},
		{Mistral{}, dialect.MaxTokens, nil},
	} {
		text := dialect.Block{Type: dialect.Text}
		want := []dialect.Piece{
			{Kind: dialect.Began}, {Kind: dialect.BlockBegan, Block: text},
			{Kind: dialect.Delta, Text: "Hi "}, {Kind: dialect.Delta, Text: "there"}, {Kind: dialect.BlockEnded},
			{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: test.stop}}, {Kind: dialect.Ended, Usage: test.usage},
		}
		e, d := test.dialect.NewEncoder(dialect.Head{}), test.dialect.NewDecoder()
		var got []dialect.Piece
		for _, p := range want {
			if p.Kind == dialect.Ended {
				p.Usage = &inference.Usage{InputTokens: 3, OutputTokens: 2}
			}
			payloads, err := e.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, payload := range payloads {
				pieces, err := d.Decode(payload)
				if err != nil {
					t.Fatalf("%T.Decode(%s) error = %v", test.dialect, payload.JSON, err)
				}
				got = append(got, pieces...)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%T (-want +got):\n%s", test.dialect, diff)
		}
		if _, err := d.Decode(dialect.Payload{JSON: []byte(`{}`)}); err == nil {
			t.Errorf("%T: an event behind the last one is no error", test.dialect)
		}
	}
}

// FuzzDecodeStream: the pieces of any events are in order.
func FuzzDecodeStream(f *testing.F) {
	f.Add([]byte(`{"outputText":"Hi"}`), []byte(`{"outputText":"","completionReason":"FINISH","totalOutputTextTokenCount":2}`))
	f.Add([]byte(`{"generation":"Hi"}`), []byte(`{"generation":"","stop_reason":"stop","prompt_token_count":1,"generation_token_count":1}`))
	f.Add([]byte(`{"outputs":[{"text":"Hi"}]}`), []byte(`{"outputs":[{"text":"Hi","stop_reason":"length"}]}`))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		for _, read := range []reading{Titan{}, Llama{}, Mistral{}} {
			d, whole := read.NewDecoder(), dialect.NewCollector(dialect.Head{})
			for _, event := range [][]byte{one, one, other} {
				pieces, err := d.Decode(dialect.Payload{JSON: event})
				if err != nil {
					break
				}
				for _, p := range pieces {
					if err := whole.Add(p); err != nil {
						t.Fatalf("%T.Decode(%q) = %+v: %v", read, event, pieces, err)
					}
				}
			}
		}
	})
}
