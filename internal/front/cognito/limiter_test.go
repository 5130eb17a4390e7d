package cognito

import (
	"net/http"
	"testing"
	"time"

	"fairway/internal/front"
)

// TestGuessesAreLimited has one client ask until it is refused, while others go on.
func TestGuessesAreLimited(t *testing.T) {
	world := newWorld(t)
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	world.Front = New(Config{
		Users: world.users, Identities: world.identities, Log: world.Front.log, Now: func() time.Time { return now },
		Guesses: front.Rate{Burst: 2, Every: time.Minute}, Others: front.Rate{Burst: 3, Every: time.Minute},
		Client: func(r *http.Request) string { return r.Header.Get("X-Client") },
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
