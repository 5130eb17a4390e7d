package continuation

import (
	"slices"
	"testing"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// whole is an answer in one piece.
var whole = []dialect.Piece{began, textBegan(0), delta(0, "One"), blockEnded(0), stopped(dialect.EndTurn), ended}

// TestJoinRefusesAnotherEnd: a leg that ends as no answer does is an error, in the
// thread's own reading where the form's reader takes it.
func TestJoinRefusesAnotherEnd(t *testing.T) {
	for op := range forms {
		for name, edit := range map[string]func([]inference.Event) []inference.Event{
			"no stop":   func(e []inference.Event) []inference.Event { return slices.Delete(e, len(e)-2, len(e)-1) },
			"two stops": func(e []inference.Event) []inference.Event { return slices.Insert(e, len(e)-1, e[len(e)-2]) },
			"two ends":  func(e []inference.Event) []inference.Event { return append(e, e[len(e)-1]) },
			"text behind its stop": func(e []inference.Event) []inference.Event {
				return slices.Insert(e, len(e)-1, e[contentAt(e)])
			},
		} {
			thread, _, _ := follow(t, op, whole[:3]...)
			if _, _, ok := thread.Cut(); !ok {
				t.Fatal("Cut() is not ok")
			}
			if err := join(thread, edit(frames(t, op, sonnet4, whole...))); err == nil {
				t.Errorf("%s: a leg with %s is joined without an error", op, name)
			}
		}
	}
}

// join joins events up to the first error.
func join(t *Thread, events []inference.Event) error {
	for _, e := range events {
		if _, err := t.Join(e); err != nil {
			return err
		}
	}
	return nil
}

// TestCutBehindTheEnd: an answer that has ended is not ended again, whoever ended it.
func TestCutBehindTheEnd(t *testing.T) {
	for op := range forms {
		sent, _, _ := follow(t, op, whole...)
		joined, _, _ := follow(t, op, whole[:3]...)
		joined.Cut()
		if err := join(joined, frames(t, op, sonnet4, whole...)); err != nil {
			t.Fatal(err)
		}
		given, _, _ := follow(t, op)
		events := frames(t, op, sonnet4, whole...)
		for _, e := range events[:len(events)-1] {
			given.Sent(e)
		}
		if _, rest, ok := given.Cut(); len(rest) == 0 || !ok {
			t.Fatalf("%s: Cut() = %d events, %v, want the end", op, len(rest), ok)
		}
		for name, thread := range map[string]*Thread{"one target": sent, "another": joined, "Cut": given} {
			if request, rest, ok := thread.Cut(); request != nil || rest != nil || ok {
				t.Errorf("%s: Cut() of what %s ended = %v, %d events, %v, want nothing", op, name, request, len(rest), ok)
			}
		}
	}
}
