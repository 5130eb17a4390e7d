package cli

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestGrowth(t *testing.T) {
	for text, want := range map[string]growth{"5%": 500, "5": 500, "0.25%": 25, "-12.5%": -1250, "100%": 10_000} {
		var g growth
		if err := g.Set(text); err != nil || g != want {
			t.Errorf("Set(%q) gives %d, %v, want %d", text, g, err, want)
		}
	}
	for _, text := range []string{"", "%", "5.125%", "101%", "-100.01", "five", "5%%", "1e2"} {
		g := growth(7)
		if err := g.Set(text); err == nil || g != 7 {
			t.Errorf("Set(%q) = %d, %v, want an error", text, g, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		g, again := growth(rapid.Int64Range(-10_000, 10_000).Draw(t, "growth")), growth(0)
		if err := again.Set(g.String()); err != nil || again != g {
			t.Fatalf("Set(%q) = %d, %v", g, again, err)
		}
	})
}

func TestMonthOrNext(t *testing.T) {
	if got := (month{}).orNext(time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)).Format(time.DateOnly); got != "2027-01-01" {
		t.Errorf("the month after December begins on %s", got)
	}
	var m month
	if err := m.Set("2026-02"); err != nil || m.orNext(time.Now()).Format(time.DateOnly) != "2026-02-01" {
		t.Errorf("Set gives %v, %v", m, err)
	}
}
