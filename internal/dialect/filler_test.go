package dialect

import (
	"strings"
	"testing"
)

// TestFiller: one answer has the same texts again, of all lengths; another one has
// others.
func TestFiller(t *testing.T) {
	one, again, other := NewFiller(Head{ID: "1"}), NewFiller(Head{ID: "1"}), NewFiller(Head{ID: "2"})
	lengths, same := map[int]bool{}, 0
	for range 2000 {
		text := one.Next()
		if !strings.HasPrefix(letters, text) || text == "" {
			t.Fatalf("Next() = %q, want a beginning of %s", text, letters)
		}
		if second := again.Next(); second != text {
			t.Fatalf("Next() = %q and %q for the same answer", text, second)
		}
		if other.Next() == text {
			same++
		}
		lengths[len(text)] = true
	}
	if len(lengths) != len(letters) {
		t.Errorf("%d lengths in 2000 texts, want %d", len(lengths), len(letters))
	}
	if same > 100 {
		t.Errorf("%d of 2000 texts are the same for two answers", same)
	}
}
