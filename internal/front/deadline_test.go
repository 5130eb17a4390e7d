package front

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDeadline: what clients say, and what none can mean.
func TestDeadline(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 11, 2, 0, time.UTC)
	for name, test := range map[string]struct {
		request, timeout string
		want             time.Duration // from now; 0 is none
	}{
		"nothing":                  {"", "", 0},
		"an AWS SDK":               {"attempt=1; max=3; ttl=20261122T101112Z", "", 10 * time.Second},
		"in another order":         {"ttl=20261122T101112Z;attempt=1", "", 10 * time.Second},
		"one without a deadline":   {"attempt=1; max=3", "", 0},
		"a ttl of another form":    {"ttl=2026-11-22T10:11:12Z", "", 0},
		"a ttl of nothing":         {"ttl=", "", 0},
		"a past ttl":               {"ttl=20261122T101102Z", "", 0},
		"a ttl in a day":           {"ttl=20261123T101102Z", "", 24 * time.Hour},
		"a ttl beyond":             {"ttl=20261123T101103Z", "", 0},
		"seconds":                  {"", "600", 10 * time.Minute},
		"parts of seconds":         {"", "2.5", 2500 * time.Millisecond},
		"no seconds":               {"", "0", 0},
		"seconds below nothing":    {"", "-1", 0},
		"seconds that are none":    {"", "NaN", 0},
		"seconds without end":      {"", "Inf", 0},
		"more than a day":          {"", "86401", 0},
		"more than a time holds":   {"", "1e300", 0},
		"words":                    {"", "soon", 0},
		"both":                     {"ttl=20261122T101112Z", "600", 10 * time.Second},
		"both, the other sooner":   {"ttl=20261122T101112Z", "3", 3 * time.Second},
		"both, one of them past":   {"ttl=20261121T101112Z", "600", 10 * time.Minute},
		"both, one of them no ttl": {"ttl=tomorrow", "600", 10 * time.Minute},
	} {
		var want time.Time
		if test.want > 0 {
			want = now.Add(test.want)
		}
		if got := Deadline(steered("amz-sdk-request", test.request, "x-stainless-timeout", test.timeout), now); !got.Equal(want) {
			t.Errorf("%s: Deadline = %s, want %s", name, got, want)
		}
	}
}

// TestVisitsHaveDeadlines that their clients told.
func TestVisitsHaveDeadlines(t *testing.T) {
	c := Config{Authenticator: knows{}, DefaultRegion: "us-east-1"}
	r := httptest.NewRequest("POST", "/", strings.NewReader("hello"))
	r.Header.Set("X-Stainless-Timeout", "600")
	v, err := c.Admit(httptest.NewRecorder(), r, "")
	if left := time.Until(v.Deadline); err != nil || left <= 9*time.Minute || left > 10*time.Minute {
		t.Errorf("Admit = a visit with %s left, %v, want ten minutes", left, err)
	}
}

// FuzzDeadline: one that is told lies ahead, and not far.
func FuzzDeadline(f *testing.F) {
	f.Add("attempt=1; max=3; ttl=20261122T101112Z", "600")
	f.Add("ttl=99999999T999999Z;ttl=", "0x1p-1074")
	f.Fuzz(func(t *testing.T, request, seconds string) {
		now := time.Date(2026, 11, 22, 10, 11, 2, 0, time.UTC)
		got := Deadline(steered("amz-sdk-request", request, "x-stainless-timeout", seconds), now)
		if left := got.Sub(now); !got.IsZero() && (left <= 0 || left > farthest) {
			t.Fatalf("Deadline = %s, %s from now, want it within a day", got, left)
		}
	})
}
