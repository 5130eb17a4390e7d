package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fairway/backend"
	"fairway/internal/amplify"
	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/outputs"
	"fairway/internal/sample"
	"fairway/internal/seed"
)

func loaded(t *testing.T, files fs.FS) *backend.Backend {
	t.Helper()
	b, err := amplify.Load(context.Background(), files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// instant is a server whose simulated regions do not wait.
func instant(t *testing.T, b *backend.Backend, change ...func(*Options)) *Server {
	t.Helper()
	cfg := config.Default()
	cfg.Retry.Wait = 0
	cfg.Simulate.Speed = config.Instant
	o := Options{Config: cfg, Backend: b, Development: true}
	for _, c := range change {
		c(&o)
	}
	s, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// response is a GraphQL answer with its trace.
type response struct {
	Status int
	Header http.Header
	Data   map[string]*struct{ Body, Error *string }
	Errors []struct{ ErrorType, Message string }

	Extensions struct {
		Fairway struct{ Calls []inference.Record }
	}
}

// post sends a query with the headers given as "name: value".
func post(t *testing.T, s *Server, query string, headers ...string) response {
	t.Helper()
	w := send(t, s, query, append(headers, "X-Fairway-Trace: 1"))
	out := response{Status: w.Code, Header: w.Header()}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("answer %d %s: %v", w.Code, w.Body, err)
	}
	return out
}

// raw is the body of the answer, without a trace.
func raw(t *testing.T, s *Server, query string, headers ...string) string {
	t.Helper()
	return strings.TrimSpace(send(t, s, query, headers).Body.String())
}

func send(t *testing.T, s *Server, query string, headers []string) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:20002/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func token(t *testing.T, s *Server) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	if err := s.SignIn(t.Context(), r, backend.UserPool); err != nil {
		t.Fatal(err)
	}
	return "Authorization: " + r.Header.Get("Authorization")
}

const askBedrock = `{ askBedrock(ingredients: ["rice", "egg"]) { body error } }`

// TestWhoMayAsk is AppSync's treatment of each kind of caller of askBedrock,
// which only signed-in users may call while the API's default mode is API key.
func TestWhoMayAsk(t *testing.T) {
	var later atomic.Int64 // by how much the clock is ahead, which loops of the server read too
	s := instant(t, loaded(t, sample.Files()), func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	})
	signedIn := token(t, s)
	apiKey := "X-Api-Key: " + s.Outputs().GraphQL.APIKey

	for _, c := range []struct {
		name, header string
		status       int
		errorType    string
		message      string
	}{
		{"signed in", signedIn, 200, "", ""},
		{"API key", apiKey, 200, "Unauthorized", "Not Authorized to access askBedrock on type Query"},
		{"unknown API key", "X-Api-Key: da2-aaaaaaaaaaaaaaaaaaaaaaaaaa", 401, "UnauthorizedException", "You are not authorized to make this call."},
		{"nothing", "X-Nothing: 1", 401, "UnauthorizedException", "Valid authorization header not provided."},
		{"no token", "Authorization: garbage", 401, "UnauthorizedException", "Unable to parse JWT token."},
	} {
		t.Run(c.name, func(t *testing.T) { want(t, post(t, s, askBedrock, c.header), c.status, c.errorType, c.message) })
	}
	later.Store(int64(31 * 24 * time.Hour))
	t.Run("expired API key", func(t *testing.T) {
		want(t, post(t, s, askBedrock, apiKey), 401, "UnauthorizedException", "You are not authorized to make this call.")
	})
	t.Run("expired token", func(t *testing.T) {
		want(t, post(t, s, askBedrock, signedIn), 401, "UnauthorizedException", "Token has expired.")
	})
}

func want(t *testing.T, got response, status int, errorType, message string) {
	t.Helper()
	if got.Status != status {
		t.Errorf("status = %d, want %d", got.Status, status)
	}
	if errorType == "" {
		if len(got.Errors) > 0 || got.Data["askBedrock"] == nil || got.Data["askBedrock"].Body == nil {
			t.Errorf("answer = %+v, want a body", got)
		}
		return
	}
	if len(got.Errors) != 1 || got.Errors[0].ErrorType != errorType || got.Errors[0].Message != message {
		t.Errorf("errors = %+v, want %s: %s", got.Errors, errorType, message)
	}
	if status == 401 && got.Header.Get("X-Amzn-Errortype") != errorType {
		t.Errorf("x-amzn-errortype = %q, want %q", got.Header.Get("X-Amzn-Errortype"), errorType)
	}
}

// TestSeedPlan is the order that the guide's own files ask for.
func TestSeedPlan(t *testing.T) {
	s := instant(t, loaded(t, seed.Files(t)))
	regions := []string{"ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-4"}
	for _, r := range regions[:7] {
		if err := s.SetFault(inference.Region(r), "down"); err != nil {
			t.Fatal(err)
		}
	}
	got := post(t, s, askBedrock, token(t, s))
	if len(got.Extensions.Fairway.Calls) != 1 {
		t.Fatalf("calls = %+v, want one", got.Extensions.Fairway.Calls)
	}
	var tried []string
	for _, a := range got.Extensions.Fairway.Calls[0].Attempts {
		tried = append(tried, string(a.Region))
	}
	if strings.Join(tried, " ") != strings.Join(regions, " ") {
		t.Errorf("attempts = %v, want %v", tried, regions)
	}
	want(t, got, 200, "", "")
}

// TestWorkshopForm is the older form: two data sources in two regions on a bare
// model, two queries over one resolver file.
func TestWorkshopForm(t *testing.T) {
	s := instant(t, loaded(t, os.DirFS("../../testdata/amplify/workshop")))
	b := loaded(t, os.DirFS("../../testdata/amplify/workshop"))
	signedIn := token(t, s)
	var regions []string
	for _, op := range b.Operations {
		got := post(t, s, `{ `+op.Field+`(ingredients: ["rice"]) { body error } }`, signedIn)
		if len(got.Errors) > 0 || len(got.Extensions.Fairway.Calls) != 1 {
			t.Fatalf("%s = %+v, want an answer of one call", op.Field, got)
		}
		call := got.Extensions.Fairway.Calls[0]
		if call.Profile != nil || call.Model != "anthropic.claude-3-5-sonnet-20240620-v1:0" {
			t.Errorf("%s called %v %s, want the bare model", op.Field, call.Profile, call.Model)
		}
		regions = append(regions, string(call.DestinationRegion))
	}
	if strings.Join(regions, " ") != "ap-southeast-1 ap-northeast-1" {
		t.Errorf("answered from %v, want each from its own data source's region", regions)
	}
}

// TestRoleWithoutStatements: a data source that was given no permission is denied
// in the service's words.
func TestRoleWithoutStatements(t *testing.T) {
	b := *loaded(t, sample.Files())
	b.Principals = nil
	s := instant(t, &b)
	want(t, post(t, s, askBedrock, token(t, s)), 200, "AccessDeniedException",
		"User: arn:aws:sts::123456789012:assumed-role/bedrockDSServiceRole/APPSYNC_ASSUME_ROLE is not authorized to perform: bedrock:InvokeModel "+
			"on resource: arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac.anthropic.claude-sonnet-4-20250514-v1:0 "+
			"because no identity-based policy allows the bedrock:InvokeModel action")
}

// TestReload: what runs keeps its backend, what comes gets the new one, and keys
// and breakers stay.
func TestReload(t *testing.T) {
	b := loaded(t, sample.Files())
	s := instant(t, b)
	before := s.Outputs()
	renamed := *b
	renamed.Deployed = strings.ReplaceAll(b.Deployed, "askBedrock", "askAgain")
	renamed.Operations = []backend.Operation{b.Operations[0]}
	renamed.Operations[0].Field = "askAgain"
	if err := s.Reload(&renamed); err != nil {
		t.Fatal(err)
	}
	if got := post(t, s, `{ askAgain(ingredients: ["rice"]) { body } }`, token(t, s)); len(got.Errors) > 0 {
		t.Errorf("the new field answers %+v", got.Errors)
	}
	if s.Outputs() != before {
		t.Errorf("Outputs changed with the backend: %+v, want %+v", s.Outputs(), before)
	}
	broken := renamed
	broken.Deployed = "type Query {"
	if err := s.Reload(&broken); err == nil {
		t.Error("Reload of a schema that does not parse = nil, want an error")
	}
	if got := post(t, s, `{ askAgain(ingredients: ["rice"]) { body } }`, token(t, s)); len(got.Errors) > 0 {
		t.Errorf("after a bad reload the last good backend answers %+v", got.Errors)
	}
}

// TestKeysAreKept: a restarted server knows the credentials it gave out.
func TestKeysAreKept(t *testing.T) {
	state := t.TempDir()
	inState := func(o *Options) { o.State = state }
	b := loaded(t, sample.Files())
	run := func(name string, options ...func(*Options)) (got outputs.Fairway) {
		t.Run(name, func(t *testing.T) { got = instant(t, b, append(options, inState)...).Outputs() })
		return got
	}
	first := run("first")
	if second := run("second"); second != first {
		t.Errorf("after a restart Outputs = %+v, want %+v", second, first)
	}
	served := run("served", func(o *Options) { o.Development = false })
	if served.BearerKey != "" || served.AWS.SecretAccessKey != "" {
		t.Errorf("outside of development Outputs = %+v, want no key of the developer", served)
	}
	if third := run("third"); third != first {
		t.Errorf("after a run outside of development Outputs = %+v, want %+v", third, first)
	}
}

// TestAdmin is the admin API that fairway regions speaks.
func TestAdmin(t *testing.T) {
	s := instant(t, loaded(t, sample.Files()))
	from := "127.0.0.1:5000"
	put := func(region, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPut, "http://localhost/api/regions/"+region, strings.NewReader(body))
		r.RemoteAddr = from
		s.ServeHTTP(w, r)
		return w
	}
	if w := put("ap-southeast-1", `{"fault":"down"}`); w.Code != 200 || !strings.Contains(w.Body.String(), `"fault":"down"`) {
		t.Errorf("PUT down = %d %s, want the region down", w.Code, w.Body)
	}
	for _, c := range []struct{ region, body, want string }{
		{"nowhere", `{"fault":"down"}`, `no region is called`},
		{"ap-southeast-1", `{"fault":"sideways"}`, `no fault is called`},
		{"ap-southeast-1", `{"falt":"down"}`, `the body is not`},
	} {
		if w := put(c.region, c.body); w.Code != 400 || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("PUT %s %s = %d %s, want 400 with %q", c.region, c.body, w.Code, w.Body, c.want)
		}
	}
}

// TestAdminIsLocal: whoever is not on this machine gets no admin API.
func TestAdminIsLocal(t *testing.T) {
	s := instant(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		path := map[string]string{http.MethodGet: "/api/regions", http.MethodPut: "/api/regions/us-east-1"}[method]
		r := httptest.NewRequest(method, "http://192.0.2.7"+path, strings.NewReader(`{"fault":"down"}`))
		r.RemoteAddr = "192.0.2.1:5000"
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s %s from elsewhere = %d, want 403", method, path, w.Code)
		}
	}
}

func TestProbesAndUnknownPaths(t *testing.T) {
	s := instant(t, nil)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/nothing": 404, "/graphql": 404} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost"+path, nil))
		if w.Code != want {
			t.Errorf("GET %s = %d, want %d", path, w.Code, want)
		}
	}
}
