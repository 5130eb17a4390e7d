package auth_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/auth"
	"fairway/internal/inference"
)

var secret = bytes.Repeat([]byte{7}, 32)

func wantKind(t *testing.T, what string, err error, want inference.Kind) {
	t.Helper()
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != want {
		t.Errorf("%s = %v, want %s", what, err, want)
	}
}

// guest is what an identity pool says of one.
func guest() inference.TemporarySession {
	return inference.TemporarySession{
		Principal: "guest", ARN: "arn:aws:sts::123456789012:assumed-role/guest/CognitoIdentityCredentials", Expires: now.Add(time.Hour),
		Caller: inference.Caller{ID: "ap-southeast-1:1", Name: "guest", Key: "web", Budget: "free"},
		Session: inference.Session{
			Name: "CognitoIdentityCredentials", Issued: now,
			Tags: map[string]string{"team": "a \"naïve\" one"},
			Keys: map[string][]string{"cognito-identity.amazonaws.com:amr": {"unauthenticated"}},
		},
	}
}

// opened is the access key of credentials of a guest.
func opened(c inference.TemporaryCredentials) auth.AccessKey {
	g := guest()
	return auth.AccessKey{
		ID: c.AccessKeyID, Secret: c.SecretAccessKey, SessionToken: c.SessionToken, Expires: g.Expires,
		Principal: inference.Principal{Name: g.Principal, ARN: g.ARN}, Caller: g.Caller, Session: &g.Session,
	}
}

func newSession(t testing.TB, s *auth.Sessions, of inference.TemporarySession) inference.TemporaryCredentials {
	t.Helper()
	made, err := s.Issue(of)
	if err != nil {
		t.Fatalf("Issue() = %v", err)
	}
	return made
}

// issued are credentials of a guest from an earlier time: servers of several versions
// share a secret, so a change of their form is a new version of it.
const (
	issuedID     = "FWASXNRDUL4SN4PZB2WA"
	issuedSecret = "7Fb6ICepMXjF7T7fxwyJvNbZ4DHKuekh9Zt1lMeL"
	issuedToken  = "ATUHY3jAmG_ky2IqTRhQ1X_pZw0fwA9InOkgvjplhmYcUF3b3WZg0odaFMR0xoV0Rx2onKo9KI4fKwUbTdXBk8D6jUkedfbI8AyXUpd7X0imEIjGSQG-VABJ" +
		"0hfwXFoDk1mDsaQWom0BwXP5nriWvPaxd8CiLbR-NefFrx5SLcVQKBjQ6ZIz4fInR0XKiY2c2OhdbiIPfNQihYMruWE6O7t2ewGwkUcF9PZc73utQlwVfW9f" +
		"nXU3al7qwmbbX3a2VS83_5tG6EhFwdIOrF9Jy5ay0YBSUGQP0FNvgFRHfv4ax0iVEa2kLWmuonN2fu4yfxvISbfA2IaxCwlyL5eg3aU5GY6JYqfrJs5bZPAl" +
		"IeICsWErQM5TLNwex49YNHZrkeYB9nPMYr-xslHFRSG541B8np2MJTIU0_jZbd7SRkJFp_ma2Eu9RYb_jAP4QJ-21YT-rmuYRLzEY-pTPOlNa2RUqJf0rvAS" +
		"AgbiSMTx6PIrX3xMn8RrTrA8Hvv1XM4SCNCCWP8bR-LLdmI0AWg4534nOhzhBie5MIk"
)

func TestSessionsOfAnotherVersion(t *testing.T) {
	want := opened(inference.TemporaryCredentials{AccessKeyID: issuedID, SecretAccessKey: issuedSecret, SessionToken: issuedToken})
	want.Caller.Budget = "" // tokens said it elsewhere then
	key, err := auth.NewSessions(secret, clock).Open(issuedID, issuedToken)
	if diff := cmp.Diff(want, key); diff != "" || err != nil {
		t.Errorf("Open() = %v (-want +got):\n%s", err, diff)
	}
}

// TestSessions: another server with the secret gives the credentials as they were
// issued.
func TestSessions(t *testing.T) {
	issued := newSession(t, auth.NewSessions(secret, clock), guest())
	key, err := auth.NewSessions(secret, clock).Open(issued.AccessKeyID, issued.SessionToken)
	if diff := cmp.Diff(opened(issued), key); diff != "" || err != nil || !issued.Expires.Equal(key.Expires) {
		t.Errorf("Open() = %v (-want +got):\n%s", err, diff)
	}
	if !strings.HasPrefix(key.ID, "FWAS") || len(key.ID) != 20 || len(key.Secret) != 40 {
		t.Errorf("Issue() = id %q and a secret of %d, want the lengths of AWS", key.ID, len(key.Secret))
	}
	if strings.Contains(key.SessionToken, base64.RawURLEncoding.EncodeToString([]byte("guest"))[:6]) {
		t.Error("the token shows its claims")
	}
	again := newSession(t, auth.NewSessions(secret, clock), guest())
	if again.AccessKeyID == key.ID || again.SecretAccessKey == key.Secret || again.SessionToken == key.SessionToken {
		t.Errorf("Issue() again = %+v, want nothing the same", again)
	}
}

func TestSessionsInWholeSeconds(t *testing.T) {
	at := now.Add(500 * time.Millisecond)
	s := auth.NewSessions(secret, func() time.Time { return at })
	made := newSession(t, s, inference.TemporarySession{Principal: "p", Expires: at.Add(time.Minute)})
	key, err := s.Open(made.AccessKeyID, made.SessionToken)
	if err != nil || !key.Session.Issued.Equal(now) || !key.Expires.Equal(now.Add(time.Minute)) || !made.Expires.Equal(key.Expires) {
		t.Errorf("Issue() = from %v to %s, %v, want whole seconds from %s", key.Session, made.Expires, err, now)
	}
}

// TestSessionsRefuse: whoever changes anything, or lacks a part, is nobody known.
func TestSessionsRefuse(t *testing.T) {
	s := auth.NewSessions(secret, clock)
	key, other := newSession(t, s, guest()), newSession(t, s, guest())
	token := key.SessionToken
	oversize := strings.Repeat("A", 8<<10+1)
	for name, test := range map[string]struct{ id, token string }{
		"another id":        {other.AccessKeyID, token},
		"another token":     {key.AccessKeyID, other.SessionToken},
		"an id in part":     {key.AccessKeyID[:19], token},
		"an id in lower":    {strings.ToLower(key.AccessKeyID), token},
		"no id":             {"", token},
		"no token":          {key.AccessKeyID, ""},
		"a cut token":       {key.AccessKeyID, token[:len(token)-4]},
		"a head alone":      {key.AccessKeyID, token[:20]},
		"a longer token":    {key.AccessKeyID, token + "AAAA"},
		"padding":           {key.AccessKeyID, token + "="},
		"a line break":      {key.AccessKeyID, token[:10] + "\r\n" + token[10:]},
		"no base64":         {key.AccessKeyID, token[:10] + "*" + token[11:]},
		"too much":          {key.AccessKeyID, oversize},
		"the secret key":    {key.AccessKeyID, key.SecretAccessKey},
		"a token and space": {key.AccessKeyID, " " + token},
	} {
		got, err := s.Open(test.id, test.token)
		wantKind(t, name+": Open()", err, inference.UnrecognizedClient)
		if diff := cmp.Diff(auth.AccessKey{}, got); diff != "" {
			t.Errorf("%s: Open() gives something beside its error:\n%s", name, diff)
		}
		if strings.Contains(err.Error(), token[:12]) {
			t.Errorf("%s: Open() = %v, want nothing of the token in it", name, err)
		}
	}
	for i := range len(token) { // every character counts, also the bits that end the last one
		tampered := []byte(token)
		for tampered[i] == token[i] {
			tampered[i] = "AB"[(i+int(token[i]))%2]
			if tampered[i] == token[i] {
				tampered[i] ^= 'A' ^ 'B'
			}
		}
		if _, err := s.Open(key.AccessKeyID, string(tampered)); err == nil {
			t.Errorf("Open() with the token's character %d changed = no error", i)
		}
	}
	_, err := auth.NewSessions(bytes.Repeat([]byte{8}, 32), clock).Open(key.AccessKeyID, token)
	wantKind(t, "Open() with another secret", err, inference.UnrecognizedClient)
}

func TestSessionsExpire(t *testing.T) {
	at := now
	s := auth.NewSessions(secret, func() time.Time { return at })
	key := newSession(t, s, guest())
	at = now.Add(time.Hour - 1)
	if _, err := s.Open(key.AccessKeyID, key.SessionToken); err != nil {
		t.Errorf("Open() just before it expires = %v", err)
	}
	at = now.Add(time.Hour)
	got, err := s.Open(key.AccessKeyID, key.SessionToken)
	wantKind(t, "Open() when expired", err, inference.ExpiredToken)
	if diff := cmp.Diff(auth.AccessKey{}, got); diff != "" {
		t.Errorf("Open() when expired gives something beside its error:\n%s", diff)
	}
	_, err = s.Open("FWASAAAAAAAAAAAAAAAA", key.SessionToken) // whoever has not all of it does not learn that either
	wantKind(t, "Open() by another id when expired", err, inference.UnrecognizedClient)
}

func TestSessionsIssueRefuses(t *testing.T) {
	with := func(edit func(*inference.TemporarySession)) inference.TemporarySession {
		c := guest()
		edit(&c)
		return c
	}
	for name, claims := range map[string]inference.TemporarySession{
		"no end":        with(func(c *inference.TemporarySession) { c.Expires = time.Time{} }),
		"over":          with(func(c *inference.TemporarySession) { c.Session.Issued, c.Expires = now.Add(-time.Hour), now }),
		"of no second":  with(func(c *inference.TemporarySession) { c.Expires = now.Add(time.Second - 1) }),
		"begins later":  with(func(c *inference.TemporarySession) { c.Session.Issued = now.Add(time.Second) }),
		"too long":      with(func(c *inference.TemporarySession) { c.Expires = now.Add(36*time.Hour + time.Second) }),
		"too many tags": with(func(c *inference.TemporarySession) { c.Session.Tags["long"] = strings.Repeat("x", 7<<10) }),
		"a year of none": with(func(c *inference.TemporarySession) {
			c.Session.Issued, c.Expires = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), now
		}),
	} {
		made, err := auth.NewSessions(secret, clock).Issue(claims)
		wantKind(t, name+": Issue()", err, inference.Validation)
		if diff := cmp.Diff(inference.TemporaryCredentials{}, made); diff != "" {
			t.Errorf("%s: Issue() gives something beside its error:\n%s", name, diff)
		}
	}
	biggest := with(func(c *inference.TemporarySession) { c.Session.Tags["long"] = strings.Repeat("x", 5<<10) })
	s := auth.NewSessions(secret, clock)
	key := newSession(t, s, biggest)
	if _, err := s.Open(key.AccessKeyID, key.SessionToken); err != nil {
		t.Errorf("Open() of a long token = %v", err)
	}
}

func TestNewSessionsWantsASecret(t *testing.T) {
	for _, secret := range [][]byte{nil, secret[:31]} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewSessions() with %d bytes of secret went on, want it to panic", len(secret))
				}
			}()
			auth.NewSessions(secret, clock)
		}()
	}
}

// FuzzSessionsOpen: only what was issued opens, with its own id.
func FuzzSessionsOpen(f *testing.F) {
	s := auth.NewSessions(secret, clock)
	f.Add(issuedID, issuedToken)
	f.Add("FWASAAAAAAAAAAAAAAAA", issuedToken)
	f.Add("", "")
	f.Add(issuedID, "AQ")
	f.Add(issuedID, strings.Repeat("AQAB", 20))
	f.Add(issuedID, issuedToken[:len(issuedToken)-1]+"_")
	f.Fuzz(func(t *testing.T, id, token string) {
		key, err := s.Open(id, token)
		switch {
		case err == nil && (id != issuedID || token != issuedToken):
			t.Errorf("Open(%q, %q) = %+v, which nobody issued", id, token, key)
		case err != nil:
			if diff := cmp.Diff(auth.AccessKey{}, key); diff != "" {
				t.Errorf("Open(%q, %q) gives something beside its error:\n%s", id, token, diff)
			}
		}
	})
}

func BenchmarkSessions(b *testing.B) {
	s := auth.NewSessions(secret, clock)
	key := newSession(b, s, guest())
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Open(key.AccessKeyID, key.SessionToken); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("issue", func(b *testing.B) {
		b.ReportAllocs()
		claims := guest()
		for b.Loop() {
			if _, err := s.Issue(claims); err != nil {
				b.Fatal(err)
			}
		}
	})
}
