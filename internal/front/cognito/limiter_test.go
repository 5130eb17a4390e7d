package cognito

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func TestLimiter(t *testing.T) {
	l := newLimiter(Rate{Burst: 3, Every: time.Second}, guessRate)
	for _, c := range []struct {
		at   time.Duration
		key  string
		want bool
	}{
		{0, "a", true}, {0, "a", true}, {0, "a", true}, {0, "a", false},
		{0, "b", true},
		{999 * time.Millisecond, "a", false},
		{time.Second, "a", true}, {time.Second, "a", false},
		{time.Hour, "a", true}, {time.Hour, "a", true}, {time.Hour, "a", true}, {time.Hour, "a", false},
		{time.Minute, "a", false}, // a clock that went back
	} {
		if got := l.allow(c.key, start.Add(c.at)); got != c.want {
			t.Errorf("allow(%s) at %v = %t, want %t", c.key, c.at, got, c.want)
		}
	}
	if got := newLimiter(Rate{}, guessRate).rate; got != guessRate {
		t.Errorf("the zero rate is %+v, want %+v", got, guessRate)
	}
}

// TestLimiterKeepsItsRate wants no more than the burst and what the time gave, whenever
// it is asked.
func TestLimiterKeepsItsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := Rate{Burst: rapid.IntRange(1, 20).Draw(t, "burst"), Every: time.Duration(rapid.IntRange(1, 1000).Draw(t, "every")) * time.Millisecond}
		l, passed, allowed := newLimiter(rate, guessRate), time.Duration(0), 0
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			passed += time.Duration(rapid.IntRange(0, 500).Draw(t, "wait")) * time.Millisecond
			if l.allow("a", start.Add(passed)) {
				allowed++
			}
		}
		if most := rate.Burst + int(passed/rate.Every); allowed > most {
			t.Errorf("%d allowed in %v by %+v, want at most %d", allowed, passed, rate, most)
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(Rate{Burst: 1, Every: time.Hour}, guessRate)
	for i := range maxClients + 100 {
		l.allow(strconv.Itoa(i), start)
	}
	if got := l.full.Len(); got != maxClients {
		t.Errorf("%d clients are remembered, want %d", got, maxClients)
	}
	if l.allow(strconv.Itoa(maxClients+99), start) {
		t.Error("the last client was forgotten")
	}
}

func TestRemoteAddress(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7:4711":              "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:4711": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:4711": "2001:db8:1:2::/64",
		"[::ffff:192.0.2.7]:4711":     "192.0.2.7",
		"[fe80::1%eth0]:4711":         "fe80::/64",
		"@":                           "@",
		"":                            "",
	} {
		if got := remoteAddress(&http.Request{RemoteAddr: address}); got != want {
			t.Errorf("remoteAddress(%q) = %q, want %q", address, got, want)
		}
	}
}

// TestGuessesAreLimited has one client ask until it is refused, while others go on.
func TestGuessesAreLimited(t *testing.T) {
	world := newWorld(t)
	now := start
	world.Front = New(Config{
		Users: world.users, Identities: world.identities, Log: world.Front.log, Now: func() time.Time { return now },
		Guesses: Rate{Burst: 2, Every: time.Minute}, Others: Rate{Burst: 3, Every: time.Minute},
		Address: func(r *http.Request) string { return r.Header.Get("X-Client") },
	})
	ask := func(client, operation string) string {
		kind, _ := failure(t, post(world, userPoolTarget+operation, `{"AccessToken":"x"}`, map[string]string{"X-Client": client}))
		return kind
	}
	for i, c := range []struct {
		client, operation string
		refused           bool
	}{
		{"a", "ConfirmSignUp", false}, {"a", "ConfirmSignUp", false}, {"a", "ConfirmSignUp", true},
		{"a", "InitiateAuth", false}, {"b", "ConfirmSignUp", false},
		{"a", "GetUser", false}, {"a", "GetUser", false}, {"a", "GetUser", false}, {"a", "GetUser", true},
	} {
		if got := ask(c.client, c.operation); (got == tooManyRequests) != c.refused {
			t.Errorf("%d: %s of %s = %s, want refused to be %t", i, c.operation, c.client, got, c.refused)
		}
	}
	now = now.Add(time.Minute)
	if got := ask("a", "ConfirmSignUp"); got == tooManyRequests {
		t.Error("a client stays refused")
	}
}

func BenchmarkLimiter(b *testing.B) {
	l := newLimiter(Rate{}, guessRate)
	address := remoteAddress(httptest.NewRequest(http.MethodPost, "/", nil))
	b.ReportAllocs()
	for b.Loop() {
		l.allow(address+" InitiateAuth", start)
	}
}
