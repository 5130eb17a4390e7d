package auth_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/auth"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

const (
	msgMismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	msgInvalid  = "The security token included in the request is invalid."
	msgExpired  = "The security token included in the request is expired"
)

var sessionSecret = bytes.Repeat([]byte{7}, 32)

// withSessions is newBedrock that also knows temporary credentials of the principal
// cook.
func withSessions() (auth.Bedrock, *auth.Sessions) {
	b := newBedrock()
	b.Sessions = auth.NewSessions(sessionSecret, clock)
	b.Principal = principals
	return b, b.Sessions
}

func principals(name string) (inference.Principal, bool) {
	return inference.Principal{Name: name, ARN: inference.ARN("arn:aws:iam::123456789012:role/" + name)}, name == "cook"
}

func issue(t testing.TB, s *auth.Sessions, of inference.TemporarySession) auth.AccessKey {
	t.Helper()
	if of.Expires.IsZero() {
		of.Expires = now.Add(time.Hour)
	}
	made, err := s.Issue(of)
	if err != nil {
		t.Fatal(err)
	}
	return auth.AccessKey{ID: made.AccessKeyID, Secret: made.SecretAccessKey, SessionToken: made.SessionToken}
}

func signedBy(k auth.AccessKey) *http.Request {
	return signed(signing{id: k.ID, secret: k.Secret, session: k.SessionToken})
}

func TestSessionCredentials(t *testing.T) {
	b, sessions := withSessions()
	session := inference.TemporarySession{
		Principal: "cook", ARN: "arn:aws:sts::123456789012:assumed-role/cook/shift", Caller: inference.Caller{ID: "sub-1", Name: "ann"},
		Session: inference.Session{Name: "shift", Issued: now, Tags: map[string]string{"team": "kitchen"}, Keys: map[string][]string{"aws:x": {"y"}}},
	}
	got, err := b.Authenticate(signedBy(issue(t, sessions, session)), holding(body))
	want := inference.Credential{
		Principal: inference.Principal{Name: "cook", ARN: session.ARN}, Service: "bedrock", Region: "ap-southeast-1",
		Caller: session.Caller, PayloadHash: sigv4.HashPayload(body), Session: &session.Session,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Authenticate with temporary credentials (-want +got), %v:\n%s", err, diff)
	}
	got, err = b.Authenticate(signedBy(issue(t, sessions, inference.TemporarySession{Principal: "cook"})), holding(body))
	if want := inference.ARN("arn:aws:iam::123456789012:role/cook"); err != nil || got.Principal.ARN != want {
		t.Errorf("Authenticate of a session without an ARN = %q, %v, want %q", got.Principal.ARN, err, want)
	}
}

func TestAttackSessionToken(t *testing.T) {
	b, sessions := withSessions()
	key := issue(t, sessions, inference.TemporarySession{Principal: "cook"})
	other := issue(t, sessions, inference.TemporarySession{Principal: "cook"})
	gone := issue(t, sessions, inference.TemporarySession{Principal: "dismissed"})
	foreign := issue(t, auth.NewSessions(bytes.Repeat([]byte{8}, 32), clock), inference.TemporarySession{Principal: "cook"})
	with := func(k auth.AccessKey, change func(*auth.AccessKey)) *http.Request {
		change(&k)
		return signedBy(k)
	}
	unsigned := signed(signing{id: key.ID, secret: key.Secret})
	unsigned.Header.Set("X-Amz-Security-Token", key.SessionToken)
	for name, tt := range map[string]struct {
		request *http.Request
		kind    inference.Kind
		message string
	}{
		"absent":              {with(key, func(k *auth.AccessKey) { k.SessionToken = "" }), inference.UnrecognizedClient, msgInvalid},
		"of another key":      {with(key, func(k *auth.AccessKey) { k.SessionToken = other.SessionToken }), inference.UnrecognizedClient, msgInvalid},
		"cut":                 {with(key, func(k *auth.AccessKey) { k.SessionToken = k.SessionToken[1:] }), inference.UnrecognizedClient, msgInvalid},
		"of a long-term key":  {with(key, func(k *auth.AccessKey) { k.ID = "AKID" }), inference.UnrecognizedClient, msgInvalid},
		"of another server":   {signedBy(foreign), inference.UnrecognizedClient, msgInvalid},
		"of who has gone":     {signedBy(gone), inference.UnrecognizedClient, msgInvalid},
		"unsigned":            {unsigned, inference.InvalidSignature, "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."},
		"with another secret": {with(key, func(k *auth.AccessKey) { k.Secret = other.Secret }), inference.InvalidSignature, msgMismatch},
	} {
		refuses(t, name, b, tt.request, tt.kind, tt.message)
	}
	later := b
	later.Now = func() time.Time { return now.Add(time.Hour) }
	later.Sessions = auth.NewSessions(sessionSecret, later.Now)
	refuses(t, "expired", later, signedBy(key), inference.ExpiredToken, msgExpired)
	refuses(t, "where there are no sessions", newBedrock(), signedBy(key), inference.UnrecognizedClient, msgInvalid)
}

func refuses(t *testing.T, name string, b auth.Bedrock, r *http.Request, kind inference.Kind, message string) {
	t.Helper()
	got, err := b.Authenticate(r, holding(body))
	checkError(t, name, err, kind, message)
	if got != (inference.Credential{}) {
		t.Errorf("%s: Authenticate = %+v beside its error, want zero", name, got)
	}
}

// signs is the request signed over the headers that it has and those more names.
func signs(r *http.Request, header func(http.Header)) *http.Request {
	header(r.Header)
	r.Header.Del("Authorization")
	sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, "ap-southeast-1", "bedrock", now)
	return r
}

func TestAttackUnsignedHeaders(t *testing.T) {
	for _, name := range []string{"X-Amzn-Bedrock-GuardrailIdentifier", "X-Amzn-Bedrock-GuardrailVersion", "X-Amzn-Bedrock-Trace"} {
		r := signed(signing{})
		r.Header.Set(name, "x")
		refuses(t, name, newBedrock(), r, inference.InvalidSignature, "'"+http.CanonicalHeaderKey(name)+"' must be a 'SignedHeader' in the AWS Authorization.")
		if _, err := newBedrock().Authenticate(signs(signed(signing{}), func(h http.Header) { h.Set(name, "x") }), holding(body)); err != nil {
			t.Errorf("%s, signed: Authenticate = %v", name, err)
		}
	}
	for _, name := range []string{"host", "x-amz-date"} {
		r := signed(signing{})
		header := r.Header.Get("Authorization")
		header = strings.Replace(strings.Replace(header, name+";", "", 1), ";"+name, "", 1)
		if got, err := newBedrock().Authenticate(withHeader(r, "Authorization", header), holding(body)); err == nil {
			t.Errorf("%s unsigned: Authenticate = %+v, want an error", name, got)
		}
	}
	r := signed(signing{})
	r.Header.Set("X-Amzn-Trace-Id", "Root=1") // what proxies add is nobody's to sign
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	if _, err := newBedrock().Authenticate(r, holding(body)); err != nil {
		t.Errorf("Authenticate behind a proxy = %v", err)
	}
}

func TestAttackSignedHeaderMissing(t *testing.T) {
	r := signs(signed(signing{}), func(h http.Header) { h.Set("X-Empty", "") })
	if _, err := newBedrock().Authenticate(r, holding(body)); err != nil {
		t.Fatalf("Authenticate with an empty header = %v", err)
	}
	r.Header.Del("X-Empty")
	refuses(t, "without it", newBedrock(), r, inference.InvalidSignature, msgMismatch)
}

func TestAttackStaleAndFutureDate(t *testing.T) {
	for name, off := range map[string]time.Duration{
		"stale": -5*time.Minute - time.Second, "of yesterday": -24 * time.Hour, "future": 5*time.Minute + time.Second, "of tomorrow": 24 * time.Hour,
	} {
		if got, err := newBedrock().Authenticate(signed(signing{at: now.Add(off)}), holding(body)); err == nil {
			t.Errorf("%s: Authenticate = %+v, want an error", name, got)
		}
	}
	moved := signed(signing{at: now.Add(-time.Hour)})
	moved.Header.Set("X-Amz-Date", now.Format(sigv4.TimeFormat))
	refuses(t, "made young", newBedrock(), moved, inference.InvalidSignature, msgMismatch)
}

func TestAttackScopeDateMismatch(t *testing.T) {
	r := signed(signing{})
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/20261122/", "/20261121/", 1))
	refuses(t, "another day", newBedrock(), r, inference.InvalidSignature,
		"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T104406Z'.")
}

func TestAttackDuplicateHeaders(t *testing.T) {
	twice := func(name, value string) *http.Request {
		r := signed(signing{})
		r.Header.Add(name, value)
		if name == "Host" || name == "X-Amz-Content-Sha256" {
			r.Header.Add(name, value)
		}
		return r
	}
	const one = " came: send one"
	for name, want := range map[string]string{
		"Authorization":        "authenticate: more than one Authorization header" + one,
		"X-Amz-Date":           "authenticate: more than one X-Amz-Date header" + one,
		"X-Amz-Content-Sha256": "authenticate: more than one X-Amz-Content-Sha256 header" + one,
		"Host":                 "authenticate: more than one Host" + one,
	} {
		refuses(t, name, newBedrock(), twice(name, "20261122T104406Z"), inference.IncompleteSignature, want)
	}
	r := signed(signing{id: "TEMP", session: "session"})
	r.Header.Add("X-Amz-Security-Token", "session")
	refuses(t, "X-Amz-Security-Token", newBedrock(), r, inference.IncompleteSignature, "authenticate: more than one X-Amz-Security-Token header"+one)
	r = signed(signing{})
	r.Header.Add("Authorization", "Bearer bearer")
	refuses(t, "signature and bearer", newBedrock(), r, inference.IncompleteSignature, "authenticate: more than one Authorization header"+one)
	r = signed(signing{})
	r.Header.Set("Authorization", r.Header.Get("Authorization")+", "+r.Header.Get("Authorization"))
	if got, err := newBedrock().Authenticate(r, holding(body)); err == nil {
		t.Errorf("two in one header: Authenticate = %+v, want an error", got)
	}
}

// TestAttackTwoHostsOnTheWire: net/http answers such a request itself.
func TestAttackTwoHostsOnTheWire(t *testing.T) {
	reached := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusBadRequest || reached {
		t.Errorf("two Hosts: status %d, handler reached %t, want 400 before it", response.StatusCode, reached)
	}
}

func TestAttackQueryAndHeaderSignature(t *testing.T) {
	r := signed(signing{})
	r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
	refuses(t, "both", newBedrock(), r, inference.IncompleteSignature,
		"authenticate: the request is signed in its query and has an Authorization header: sign it once")
	r.Header.Del("Authorization")
	refuses(t, "query alone", newBedrock(), r, inference.MissingAuth, "Missing Authentication Token")
}

func TestAttackChangedRequest(t *testing.T) {
	for name, change := range map[string]func(*http.Request){
		"path":         func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/model/other/invoke", "" },
		"path, raw":    func(r *http.Request) { r.URL.RawPath = "/model/m:0/invoke" },
		"query":        func(r *http.Request) { r.URL.RawQuery = "a=b" },
		"empty query":  func(r *http.Request) { r.URL.RawQuery = "a" },
		"method":       func(r *http.Request) { r.Method = "PUT" },
		"host":         func(r *http.Request) { r.Host = "bedrock-runtime.us-east-1.amazonaws.com" },
		"content type": func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"region":       func(r *http.Request) { replaceScope(r, "ap-southeast-1", "us-east-1") },
		"service":      func(r *http.Request) { replaceScope(r, "/bedrock/", "/appsync/") },
		"signature":    func(r *http.Request) { replaceScope(r, "Signature=", "Signature=0") },
		"upper case": func(r *http.Request) {
			head, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", head+"Signature="+strings.ToUpper(signature))
		},
	} {
		r := signs(signed(signing{}), func(h http.Header) { h.Set("Content-Type", "application/json") })
		change(r)
		refuses(t, name, newBedrock(), r, inference.InvalidSignature, msgMismatch)
	}
	for _, other := range []string{"", `{"messages":[] }`, string(body) + "\n"} {
		got, err := newBedrock().Authenticate(signed(signing{}), holding([]byte(other)))
		checkError(t, "body", err, inference.InvalidSignature, msgMismatch)
		if got != (inference.Credential{}) {
			t.Errorf("body %q: Authenticate = %+v beside its error", other, got)
		}
	}
}

func replaceScope(r *http.Request, from, to string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
}

// TestTokenAsBearerKey: a token of a configured issuer speaks for its principal, and
// for its user.
func TestTokenAsBearerKey(t *testing.T) {
	b, _ := withSessions()
	i := pool(&oneKey{})
	i.ByGroup = map[string]string{"Cooks": "cook"}
	b.Tokens = auth.NewTokens([]auth.Issuer{i}, clock)
	bearer := func(token string) *http.Request {
		return withHeader(httptest.NewRequest("POST", "/", nil), "Authorization", "Bearer "+token)
	}
	got, err := b.Authenticate(bearer(newToken(t, accessClaims())), holding(body))
	cook, _ := principals("cook")
	want := inference.Credential{Principal: cook, Service: "bedrock", Bearer: true, Caller: inference.Caller{ID: "sub-1", Name: "ann", Group: "Admins"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Authenticate with a token (-want +got), %v:\n%s", err, diff)
	}
	for name, tt := range map[string]struct {
		token   string
		kind    inference.Kind
		message string
	}{
		"of nobody":  {newToken(t, set(accessClaims(), "cognito:groups", []string{"Guests"})), inference.UnrecognizedClient, msgInvalid},
		"expired":    {newToken(t, set(accessClaims(), "exp", now.Unix())), inference.ExpiredToken, msgExpired},
		"of another": {newToken(t, set(accessClaims(), "iss", "x")), inference.UnrecognizedClient, msgInvalid},
		"garbage":    {"a.b.c", inference.UnrecognizedClient, msgInvalid},
	} {
		refuses(t, name, b, bearer(tt.token), tt.kind, tt.message)
	}
	refuses(t, "where no tokens are taken", newBedrock(), bearer(newToken(t, accessClaims())), inference.UnrecognizedClient, msgInvalid)
}

// FuzzSignature: no request but the one that was signed gets a credential.
func FuzzSignature(f *testing.F) {
	good := signed(signing{})
	date, authorization := good.Header.Get("X-Amz-Date"), good.Header.Get("Authorization")
	f.Add("POST", "/model/m:0/invoke", "", "127.0.0.1:20002", date, authorization, "", body)
	f.Add("GET", "/model/m:0/invoke", "X-Amz-Signature=0", "h", date, authorization, "session", []byte{})
	f.Add("POST", "/", "a=b", "", "20261123T000000Z", "Bearer bearer", "", body)
	f.Add("POST", "/", "", "", date, strings.Replace(authorization, "host;", "", 1), "", body)
	b, _ := withSessions()
	f.Fuzz(func(t *testing.T, method, path, query, host, date, authorization, session string, content []byte) {
		r := signed(signing{})
		if method == "" || strings.ContainsAny(date+authorization+session, "\r\n\x00") {
			return // net/http lets none of these in
		}
		r.Method, r.Host, r.URL.Path, r.URL.RawPath, r.URL.RawQuery = method, host, path, "", query
		r.Header = http.Header{"X-Amz-Date": {date}, "Authorization": {authorization}}
		if session != "" {
			r.Header.Set("X-Amz-Security-Token", session)
		}
		got, err := b.Authenticate(r, holding(content))
		if err != nil {
			if _, ok := errors.AsType[*inference.Error](err); !ok || got != (inference.Credential{}) {
				t.Fatalf("Authenticate = %+v, %T, want *inference.Error alone", got, err)
			}
			return
		}
		if got.Bearer {
			return // the key itself
		}
		same := method == "POST" && strings.Trim(host, " \t") == "127.0.0.1:20002" && bytes.Equal(content, body) && session == ""
		at, timeErr := sigv4.Time(r.Header)
		if !same || timeErr != nil || !at.Equal(now) {
			t.Fatalf("Authenticate accepted %s %q %q of %q at %q with %q", method, path, query, host, date, content)
		}
	})
}

// BenchmarkAuthenticate is what it costs to know a caller of the Bedrock API.
func BenchmarkAuthenticate(b *testing.B) {
	known, sessions := withSessions()
	key := issue(b, sessions, inference.TemporarySession{Principal: "cook", Session: inference.Session{Name: "shift"}, Caller: inference.Caller{ID: "sub-1", Name: "ann"}})
	unsigned := httptest.NewRequest("POST", "/", nil)
	shortTerm := readVectors(b)["long-term"]
	for _, bm := range []struct {
		credential string
		request    *http.Request
	}{
		{"access-key", signed(signing{})},
		{"session", signedBy(key)},
		{"long-term-key", withHeader(unsigned.Clone(b.Context()), "Authorization", "Bearer bearer")},
		{"short-term-key", withHeader(unsigned.Clone(b.Context()), "Authorization", "Bearer "+shortTerm)},
	} {
		b.Run("credential="+bm.credential, func(b *testing.B) {
			known := known
			if bm.credential == "short-term-key" {
				known = shortTermKeys()
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := known.Authenticate(bm.request, holding(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
