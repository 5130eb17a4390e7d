package cli

import (
	"runtime/debug"
	"testing"

	"fairway/internal/config"
)

// TestLimitMemory: the limit follows from what may be in use, and is left alone where
// that has no bound or the environment sets one.
func TestLimitMemory(t *testing.T) {
	const before = 10 << 30
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(before))
	for _, test := range []struct {
		env    string
		limits config.Limits
		want   int64
	}{
		{"", config.Limits{Calls: 1024, Held: 256 << 20}, 704 << 20},
		{"2GiB", config.Limits{Calls: 1024, Held: 256 << 20}, before},
		{"", config.Limits{Calls: 1024}, before},
		{"", config.Limits{Held: 256 << 20}, before},
	} {
		debug.SetMemoryLimit(before)
		Surroundings{Getenv: func(string) string { return test.env }}.limitMemory(&config.Config{Limits: test.limits})
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("GOMEMLIMIT=%q %+v: limit = %d, want %d", test.env, test.limits, got, test.want)
		}
	}
}
