package auth_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/backend"
	"fairway/internal/auth"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

var query = []byte(`{"query":"{a}"}`)

// withIAM is an API whose only mode is AWS_IAM, in ap-southeast-1.
func withIAM(s auth.Signatures) auth.GraphQL {
	return auth.GraphQL{Modes: backend.Authorization{Default: backend.IAM}, Signatures: &s, Region: "ap-southeast-1"}
}

func signedQuery(k auth.AccessKey, region, service string) *http.Request {
	r := httptest.NewRequest("POST", "http://127.0.0.1:20002/graphql", strings.NewReader(string(query)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "test")
	sigv4.Sign(r, query, sigv4.Credentials{AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.SessionToken}, region, service, now)
	return r
}

// TestClientsSignature is a request as the real client signed it.
func TestClientsSignature(t *testing.T) {
	text, err := os.ReadFile("testdata/appsync_iam.json")
	if err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Method, URL, Body string
		Header            map[string]string
	}
	if err := json.Unmarshal(text, &sent); err != nil {
		t.Fatal(err)
	}
	keys := auth.NewKeys()
	keys.AddAccessKey(auth.AccessKey{ID: "ASIALOCAL", Secret: "secret", SessionToken: "session", Principal: developer})
	at := time.Date(2026, 11, 22, 10, 45, 18, 0, time.UTC)
	g := withIAM(auth.Signatures{Keys: keys, Now: func() time.Time { return at }})
	request := func() *http.Request {
		r := httptest.NewRequest(sent.Method, sent.URL, strings.NewReader(sent.Body))
		for name, value := range sent.Header {
			if name == "host" {
				r.Host = value
				continue
			}
			r.Header.Set(name, value)
		}
		return r
	}
	got, err := g.Identify(request(), []byte(sent.Body))
	if err != nil || got.Mode != string(backend.IAM) || got.Principal != "developer" || got.Credential.Service != "appsync" {
		t.Errorf("Identify of the client's request = %+v, %v", got, err)
	}
	for name, change := range map[string]func(*http.Request) []byte{
		"another query":  func(*http.Request) []byte { return []byte(strings.Replace(sent.Body, "rice", "ice", 1)) },
		"another path":   func(r *http.Request) []byte { r.URL.Path = "/graphql/"; return []byte(sent.Body) },
		"another client": func(r *http.Request) []byte { r.Header.Set("X-Amz-User-Agent", "x"); return []byte(sent.Body) },
	} {
		r := request()
		_, err := g.Identify(r, change(r))
		checkError(t, name, err, inference.InvalidSignature, msgMismatch)
	}
}

func TestIAMIdentity(t *testing.T) {
	b, sessions := withSessions()
	g := withIAM(b.Signatures)
	const role = "arn:aws:sts::123456789012:assumed-role/cook/CognitoIdentityCredentials"
	const provider = "cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_Local1234"
	pool := func(methods ...string) inference.TemporarySession {
		return inference.TemporarySession{Principal: "cook", ARN: role, Session: inference.Session{Name: "CognitoIdentityCredentials", Keys: map[string][]string{
			"cognito-identity.amazonaws.com:aud": {"pool"}, "cognito-identity.amazonaws.com:sub": {"identity"}, "cognito-identity.amazonaws.com:amr": methods,
		}}}
	}
	user := pool("authenticated", provider, provider+":CognitoSignIn:sub-1")
	user.Caller = inference.Caller{ID: "sub-1", Name: "ann"}
	inPool := map[string]any{
		"accountId": "123456789012", "userArn": role, "username": "cook:CognitoIdentityCredentials",
		"cognitoIdentityPoolId": "pool", "cognitoIdentityId": "identity", "cognitoIdentityAuthType": "unauthenticated",
	}
	signedIn := map[string]any{"cognitoIdentityAuthType": "authenticated", "cognitoIdentityAuthProvider": `"` + provider + `","` + provider + `:CognitoSignIn:sub-1"`}
	for name, value := range inPool {
		if signedIn[name] == nil {
			signedIn[name] = value
		}
	}
	for name, tt := range map[string]struct {
		key    auth.AccessKey
		caller inference.Caller
		claims map[string]any
	}{
		"user": {auth.AccessKey{ID: "AKID", Secret: "secret"}, inference.Caller{Name: "developer"},
			map[string]any{"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:user/developer", "username": "developer"}},
		"role session": {issue(t, sessions, inference.TemporarySession{Principal: "cook", Session: inference.Session{Name: "shift"}}), inference.Caller{Name: "cook:shift"},
			map[string]any{"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:role/cook", "username": "cook:shift"}},
		"guest":     {issue(t, sessions, pool("unauthenticated")), inference.Caller{Name: "cook:CognitoIdentityCredentials"}, inPool},
		"signed in": {issue(t, sessions, user), user.Caller, signedIn},
	} {
		got, err := g.Identify(signedQuery(tt.key, "ap-southeast-1", "appsync"), query)
		if err != nil {
			t.Errorf("%s: Identify = %v", name, err)
			continue
		}
		if diff := cmp.Diff(tt.claims, got.Claims); diff != "" || got.Caller != tt.caller {
			t.Errorf("%s: Identify = caller %+v, want %+v, claims (-want +got):\n%s", name, got.Caller, tt.caller, diff)
		}
		want := inference.Circumstances{SourceIP: "192.0.2.1", UserAgent: "test", Session: got.Credential.Session}
		if got.Circumstances != want || got.SourceIP != "192.0.2.1" {
			t.Errorf("%s: circumstances %+v from %s, want %+v", name, got.Circumstances, got.SourceIP, want)
		}
	}
}

func TestIAMRefuses(t *testing.T) {
	b, _ := withSessions()
	key := auth.AccessKey{ID: "AKID", Secret: "secret"}
	for name, tt := range map[string]struct {
		request *http.Request
		kind    inference.Kind
		message string
	}{
		"another service": {signedQuery(key, "ap-southeast-1", "bedrock"), inference.InvalidSignature, "Credential should be scoped to correct service: 'appsync'."},
		"another region":  {signedQuery(key, "us-east-1", "appsync"), inference.InvalidSignature, "Credential should be scoped to a valid region."},
		"another secret":  {signedQuery(auth.AccessKey{ID: "AKID", Secret: "x"}, "ap-southeast-1", "appsync"), inference.InvalidSignature, msgMismatch},
		"unknown key":     {signedQuery(auth.AccessKey{ID: "NONE", Secret: "x"}, "ap-southeast-1", "appsync"), inference.UnrecognizedClient, msgInvalid},
		"two headers": {func() *http.Request {
			r := signedQuery(key, "ap-southeast-1", "appsync")
			r.Header.Add("Authorization", "x")
			return r
		}(), inference.MissingAuth, "Valid authorization header not provided."},
		"bearer key": {bearing("bearer"), inference.UnrecognizedClient, notAuthorized},
	} {
		got, err := withIAM(b.Signatures).Identify(tt.request, query)
		checkError(t, name, err, tt.kind, tt.message)
		if got.Mode != "" || got.Credential != nil {
			t.Errorf("%s: Identify = %+v beside its error", name, got)
		}
	}
}
