package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
	"fairway/internal/auth"
	"fairway/internal/inference"
)

// says answers every question of an authorizer with text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }
}

// withLambda is an API whose authorizer is at p; what it logs goes to log.
func withLambda(p *publisher, log *bytes.Buffer, now func() time.Time, more ...backend.Mode) auth.GraphQL {
	return auth.GraphQL{
		Modes:  backend.Authorization{Default: backend.Lambda, Additional: more},
		Tokens: newTokens(&oneKey{}, clock),
		Authorizer: auth.NewAuthorizer(auth.AuthorizerOptions{
			URL: p.URL, Account: "123456789012", TTL: time.Minute, Client: p.Client(), Log: slog.New(slog.NewTextHandler(log, nil)), Now: now,
		}),
	}
}

func asking(token string) *http.Request {
	r := httptest.NewRequest("POST", "/graphql", nil)
	r.Header.Set("Authorization", token)
	r.Header.Set("X-Tenant", "a")
	return r
}

// TestAuthorizerEvent: the service is asked what AppSync asks its function.
func TestAuthorizerEvent(t *testing.T) {
	var asked map[string]any
	p := newPublisher(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("the authorizer was sent %s of %s, want POST of application/json", r.Method, r.Header.Get("Content-Type"))
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		w.Write([]byte(`{"isAuthorized":true,"resolverContext":{"tenant":"a","level":3,"admin":false},"deniedFields":["Query.b"]}`))
	})
	var log bytes.Buffer
	body := []byte(`{"query":"query Q($x: Int){a}","operationName":"Q","variables":{"x":1}}`)
	got, err := withLambda(p, &log, clock).Identify(asking("custom token"), body)
	want := inference.Identity{
		Mode: "AWS_LAMBDA", Claims: map[string]any{"tenant": "a", "level": 3.0, "admin": false}, DeniedFields: []string{"Query.b"}, SourceIP: "192.0.2.1",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Identify (-want +got), %v:\n%s", err, diff)
	}
	about, _ := asked["requestContext"].(map[string]any)
	if id, _ := about["requestId"].(string); len(id) != 36 {
		t.Errorf("requestId = %q, want a UUID", id)
	}
	delete(about, "requestId")
	event := map[string]any{
		"authorizationToken": "custom token",
		"requestContext": map[string]any{
			"apiId": backend.APIID, "accountId": "123456789012", "queryString": "query Q($x: Int){a}", "operationName": "Q", "variables": map[string]any{"x": 1.0},
		},
		"requestHeaders": map[string]any{"authorization": "custom token", "x-tenant": "a"},
	}
	if diff := cmp.Diff(event, asked); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestAuthorizerRefuses(t *testing.T) {
	elsewhere := newPublisher(t, says(`{"isAuthorized":true}`))
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		logged string
	}{
		"no":               {says(`{"isAuthorized":false}`), ""},
		"nothing said":     {says(`{}`), ""},
		"no JSON":          {says(`yes`), "read authorizer's answer"},
		"another type":     {says(`{"isAuthorized":"true"}`), "read authorizer's answer"},
		"nested context":   {says(`{"isAuthorized":true,"resolverContext":{"a":{"b":1}}}`), "resolverContext"},
		"too long":         {says(`{"isAuthorized":true}` + strings.Repeat(" ", 64<<10)), "longer than"},
		"too many fields":  {says(`{"isAuthorized":true,"deniedFields":["` + strings.Repeat(`","`, 1000) + `"]}`), "denies more than"},
		"status":           {away, "status 503"},
		"a redirect":       {http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect).ServeHTTP, "status 307"},
		"a dropped answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "ask authorizer"},
	} {
		p := newPublisher(t, tt.answer)
		var log bytes.Buffer
		got, err := withLambda(p, &log, clock).Identify(asking("token-that-is-secret"), nil)
		checkError(t, name, err, inference.UnrecognizedClient, notAuthorized)
		if got.Mode != "" {
			t.Errorf("%s: Identify = %+v beside its error", name, got)
		}
		if !strings.Contains(log.String(), tt.logged) || (log.Len() > 0) != (tt.logged != "") || strings.Contains(log.String(), "secret") {
			t.Errorf("%s: logged %q, want %q and no token", name, log.String(), tt.logged)
		}
	}
	var log bytes.Buffer
	g := withLambda(&publisher{Server: &httptest.Server{URL: "http://authorizer.example", Config: nil}}, &log, clock)
	_, err := g.Identify(asking("token"), nil)
	checkError(t, "in the clear", err, inference.UnrecognizedClient, notAuthorized)
	if elsewhere.asked.Load() != 0 {
		t.Error("the token was sent on by a redirect")
	}
}

func TestAuthorizerAnswersAreKept(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		passes time.Duration
		want   int64 // questions of three calls with that much between them
	}{
		"as configured":    {`{"isAuthorized":true}`, 29 * time.Second, 1},
		"as configured at": {`{"isAuthorized":true}`, 30 * time.Second, 2},
		"longer":           {`{"isAuthorized":true,"ttlOverride":300}`, time.Minute, 1},
		"an hour at most":  {`{"isAuthorized":true,"ttlOverride":1e9}`, 30 * time.Minute, 2},
		"not at all":       {`{"isAuthorized":true,"ttlOverride":0}`, 0, 3},
		"less than that":   {`{"isAuthorized":true,"ttlOverride":-5}`, 0, 3},
		"a refusal":        {`{"isAuthorized":false}`, time.Second, 1},
		"too large":        {`{"isAuthorized":true,"resolverContext":{"a":"` + strings.Repeat("a", 9000) + `"}}`, 0, 3},
		"a failure":        {`failure`, 0, 3},
	} {
		p, c := newPublisher(t, says(tt.answer)), newMovingClock()
		var log bytes.Buffer
		g := withLambda(p, &log, c.now)
		for range 3 {
			_, _ = g.Identify(asking("token"), nil)
			c.pass(tt.passes)
		}
		asked(t, name, p, tt.want)
		_, _ = g.Identify(asking("another"), nil)
		asked(t, name+", of another token", p, tt.want+1)
	}
}

// TestAuthorizerPrecedence: whom a request is handed to, by what it brings and what
// the API has.
func TestAuthorizerPrecedence(t *testing.T) {
	jwt := newToken(t, accessClaims())
	foreign := newToken(t, set(accessClaims(), "iss", "https://other.example"))
	expired := newToken(t, set(accessClaims(), "exp", now.Unix()))
	const sigV4 = "AWS4-HMAC-SHA256 Credential=x"
	for name, tt := range map[string]struct {
		more  []backend.Mode
		token string
		mode  backend.Mode // empty: refused, and the authorizer is not asked
	}{
		"opaque":                      {nil, "opaque", backend.Lambda},
		"JWT, no other mode":          {nil, jwt, backend.Lambda},
		"JWT of our pool":             {[]backend.Mode{backend.UserPool}, jwt, backend.UserPool},
		"expired one":                 {[]backend.Mode{backend.UserPool}, expired, ""},
		"JWT of another issuer":       {[]backend.Mode{backend.UserPool}, foreign, backend.Lambda},
		"JWT of our pool, OIDC alone": {[]backend.Mode{backend.OIDC}, jwt, ""},
		"signature, no IAM":           {nil, sigV4, backend.Lambda},
		"signature":                   {[]backend.Mode{backend.IAM}, sigV4, ""},
	} {
		p := newPublisher(t, says(`{"isAuthorized":true}`))
		var log bytes.Buffer
		got, err := withLambda(p, &log, clock, tt.more...).Identify(asking(tt.token), nil)
		if got.Mode != string(tt.mode) || (err == nil) != (tt.mode != "") || (p.asked.Load() > 0) != (tt.mode == backend.Lambda) {
			t.Errorf("%s: Identify = mode %q, %v with %d questions, want mode %q", name, got.Mode, err, p.asked.Load(), tt.mode)
		}
	}
}

// FuzzDecision: whatever an authorizer answers, nobody is let in but by a plain yes,
// and what resolvers are told is flat.
func FuzzDecision(f *testing.F) {
	f.Add([]byte(`{"isAuthorized":true,"resolverContext":{"a":1},"deniedFields":["Query.a"],"ttlOverride":10}`))
	f.Add([]byte(`{"isAuthorized":false}`))
	f.Add([]byte(`[]`))
	var answer []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) }))
	f.Cleanup(server.Close)
	n := 0
	g := withLambda(&publisher{Server: server}, &bytes.Buffer{}, clock)
	f.Fuzz(func(t *testing.T, text []byte) {
		answer = text
		n++
		got, err := g.Identify(asking(fmt.Sprint("token", n)), nil)
		if err != nil {
			return
		}
		if !bytes.Contains(bytes.ToLower(text), []byte("true")) {
			t.Fatalf("%q let a caller in", text)
		}
		for name, value := range got.Claims {
			switch value.(type) {
			case nil, string, float64, bool:
			default:
				t.Fatalf("%q: %s is %T", text, name, value)
			}
		}
	})
}

// silent is a service that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestNobodyIsWaitedForLong: neither an authorizer nor an issuer holds a caller for more
// than ten seconds.
func TestNobodyIsWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: silent{}}
		began := time.Now()
		var log bytes.Buffer
		g := withLambda(&publisher{Server: &httptest.Server{URL: "https://authorizer.example"}}, &log, clock)
		g.Authorizer = auth.NewAuthorizer(auth.AuthorizerOptions{
			URL: "https://authorizer.example", Client: client, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: clock,
		})
		_, err := g.Identify(asking("token"), nil)
		checkError(t, "authorizer", err, inference.UnrecognizedClient, notAuthorized)
		if took := time.Since(began); took != 10*time.Second || !strings.Contains(log.String(), "deadline exceeded") {
			t.Errorf("a silent authorizer was waited for %s, logged %q", took, log.String())
		}
		began = time.Now()
		tokens := auth.NewTokens([]auth.Issuer{pool(auth.NewJWKS("https://issuer.example/jwks.json", client, time.Now))}, clock)
		wantRefusal(t, "issuer", tokens, newToken(t, accessClaims()), inference.ServiceUnavailable,
			"The issuer of the token cannot be reached. Try your request again.")
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("a silent issuer was waited for %s, want 10s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		time.Sleep(time.Minute)
		began = time.Now()
		if _, err := tokens.Verify(ctx, newToken(t, accessClaims())); err == nil || time.Since(began) > time.Second {
			t.Errorf("Verify for a caller who waits a second = %v after %s", err, time.Since(began))
		}
		time.Sleep(time.Minute) // the fetch outlives its caller, and ends
	})
}
