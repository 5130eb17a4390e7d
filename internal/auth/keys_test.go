package auth_test

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fairway/internal/auth"
	"fairway/internal/inference"
)

func hash(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

func TestAPIKeysLookup(t *testing.T) {
	at := now
	keys := auth.NewAPIKeys(func() time.Time { return at })
	keys.AddKey(auth.APIKey{Hash: hash("unnamed")})
	keys.AddKey(auth.APIKey{Hash: hash("web"), Name: "web", Principal: "guest", Budget: "free", Expires: now.Add(time.Hour)})
	check := func(key, wantName, wantPrincipal, wantBudget string, want bool) {
		t.Helper()
		got, ok := keys.Lookup(key)
		if got.Name != wantName || got.Principal != wantPrincipal || got.Budget != wantBudget || ok != want {
			t.Errorf("Lookup(%s) = %+v, %v, want %q, %q, %q, %v", key, got, ok, wantName, wantPrincipal, wantBudget, want)
		}
	}
	check("unnamed", "", "", "", true)
	check("web", "web", "guest", "free", true)
	check("", "", "", "", false)
	check("other", "", "", "", false)
	digest := hash("web")
	check(string(digest[:]), "", "", "", false) // who has the hash has not the key

	at = now.Add(time.Hour)
	check("web", "", "", "", false)
	check("unnamed", "", "", "", true)
	keys.AddKey(auth.APIKey{Hash: hash("web"), Name: "web 2", Expires: at.Add(1)})
	check("web", "web 2", "", "", true)
}

// TestKeysAreTold: whoever shows a key that lasts is known by its name and its budget,
// and so is a session that was asked for with one.
func TestKeysAreTold(t *testing.T) {
	b, sessions := withSessions()
	b.Keys.AddAccessKey(auth.AccessKey{ID: "NAMED", Secret: "secret", Principal: developer, Name: "laptop", Budget: "team-a"})
	b.Keys.AddBearer(auth.BearerKey{Hash: hash("ci"), Name: "nightly", Principal: developer, Budget: "team-b"})
	caller := inference.Caller{ID: "sub-1", Key: "laptop", Budget: "team-a"}
	session := issue(t, sessions, inference.TemporarySession{Principal: "cook", Session: inference.Session{Name: "shift"}, Caller: caller})
	for name, tt := range map[string]struct {
		request *http.Request
		want    inference.Caller
	}{
		"access key":    {signed(signing{id: "NAMED"}), inference.Caller{Key: "laptop", Budget: "team-a"}},
		"no name":       {signed(signing{}), inference.Caller{}},
		"bearer key":    {bearing("ci"), inference.Caller{Key: "nightly", Budget: "team-b"}},
		"session":       {signedBy(session), caller},
		"session alone": {signedBy(issue(t, sessions, inference.TemporarySession{Principal: "cook", Session: inference.Session{Name: "shift"}})), inference.Caller{}},
	} {
		got, err := b.Authenticate(tt.request, holding(body))
		if err != nil || got.Caller != tt.want {
			t.Errorf("%s: Authenticate = caller %+v, %v, want %+v", name, got.Caller, err, tt.want)
		}
	}
}

// TestBearerKeyExpires: a key is good until its time, and its hash alone is nothing.
func TestBearerKeyExpires(t *testing.T) {
	at := now
	keys := auth.NewKeys()
	keys.AddBearer(auth.BearerKey{Hash: hash("ci"), Name: "ci", Principal: developer, Budget: "team-a", Expires: now.Add(time.Minute)})
	keys.AddBearer(auth.BearerKey{Hash: hash("forever"), Principal: developer})
	bedrock := auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: func() time.Time { return at }}}
	digest := hash("ci")
	for _, test := range []struct {
		key     string
		elapsed time.Duration
		want    inference.Kind
	}{
		{"ci", 0, ""},
		{"ci", time.Minute - 1, ""},
		{"ci", time.Minute, inference.ExpiredToken},
		{"forever", 1000 * time.Hour, ""},
		{"other", 0, inference.UnrecognizedClient},
		{string(digest[:]), 0, inference.UnrecognizedClient},
	} {
		at = now.Add(test.elapsed)
		request := httptest.NewRequest("POST", "/", nil)
		request.Header.Set("Authorization", "Bearer "+test.key)
		got, err := bedrock.Authenticate(request, holding(nil))
		if test.want != "" {
			wantKind(t, test.key, err, test.want)
		} else if err != nil || got.Principal != developer {
			t.Errorf("Authenticate(%s) after %s = %+v, %v, want %+v", test.key, test.elapsed, got, err, developer)
		}
	}
}

// TestKeysAreMade: what is made has the form that clients know it by, and is made
// once.
func TestKeysAreMade(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		pair := auth.NewAccessKey(developer)
		for _, text := range []string{pair.ID, pair.Secret, auth.NewBearerKey(), auth.NewAPIKey()} {
			if len(text) < 20 || seen[text] {
				t.Fatalf("a key = %q, want one that is long and new", text)
			}
			seen[text] = true
		}
		if len(pair.ID) != 20 || len(pair.Secret) != 40 || pair.Principal != developer {
			t.Fatalf("NewAccessKey() = %+v, want the lengths of AWS", pair)
		}
	}
}

// TestReplace: keys that are gone know nobody any more.
func TestReplace(t *testing.T) {
	keys, next := auth.NewAPIKeys(clock), auth.NewAPIKeys(clock)
	keys.AddKey(auth.APIKey{Hash: hash("old")})
	next.AddKey(auth.APIKey{Hash: hash("new")})
	keys.Replace(next)
	next.AddKey(auth.APIKey{Hash: hash("later")}) // which is next's own
	for key, want := range map[string]bool{"old": false, "new": true, "later": false} {
		if _, ok := keys.Lookup(key); ok != want {
			t.Errorf("Lookup(%s) after Replace = %v, want %v", key, ok, want)
		}
	}

	bearers, others := auth.NewKeys(), auth.NewKeys()
	bearers.AddBearerKey("old", developer)
	bearers.AddAccessKey(auth.AccessKey{ID: "AKID", Secret: "secret", Principal: developer})
	others.AddBearerKey("new", developer)
	bearers.Replace(others)
	bedrock := auth.Bedrock{Signatures: auth.Signatures{Keys: bearers, Now: clock}}
	_, err := bedrock.Authenticate(signed(signing{}), holding(body))
	wantKind(t, "Authenticate() by an access key that is gone", err, inference.UnrecognizedClient)
	for key, want := range map[string]bool{"old": false, "new": true} {
		request := httptest.NewRequest("POST", "/", nil)
		request.Header.Set("Authorization", "Bearer "+key)
		if _, err := bedrock.Authenticate(request, holding(nil)); (err == nil) != want {
			t.Errorf("Authenticate(%s) after Replace = %v, want it known: %v", key, err, want)
		}
	}
}
