package continuation

import (
	"testing"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// frames are the events of pieces.
func frames(t testing.TB, op inference.Operation, model inference.ModelID, pieces ...dialect.Piece) (events []inference.Event) {
	t.Helper()
	form, err := invocation.Of(op, model)
	if err != nil {
		t.Fatal(err)
	}
	w := form.Begin(dialect.Head{ID: "0b1f8f0e"})
	for _, p := range pieces {
		made, err := w.Write(p)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, made...)
	}
	return events
}

// BenchmarkSent is one delta of a stream that is watched.
func BenchmarkSent(b *testing.B) {
	for _, op := range []inference.Operation{conversing, invoking} {
		events := frames(b, op, sonnet4, began, textBegan(0), delta(0, " and so on"))
		b.Run(string(op), func(b *testing.B) {
			c := Continuer{Models: models}
			thread := c.Follow(request(op, sonnet4, `{}`), sonnet4, false)
			last := events[len(events)-1]
			for _, e := range events[:len(events)-1] {
				thread.Sent(e)
			}
			b.ReportAllocs()
			for b.Loop() {
				thread.Sent(last)
				thread.heard.text = thread.heard.text[:0]
			}
		})
	}
}
