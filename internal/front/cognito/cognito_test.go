package cognito

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fairway/internal/front"
	"fairway/internal/identitypool"
	"fairway/internal/inference"
	"fairway/internal/userpool"
)

func TestServes(t *testing.T) {
	for _, c := range []struct {
		method, path, target string
		want                 bool
	}{
		{"POST", "/", "AWSCognitoIdentityProviderService.SignUp", true},
		{"POST", "/", "AWSCognitoIdentityService.GetId", true},
		{"POST", "/", "AWSCognitoIdentityService.", true},
		{"GET", "/", "AWSCognitoIdentityProviderService.SignUp", false},
		{"OPTIONS", "/", "AWSCognitoIdentityProviderService.SignUp", false},
		{"POST", "/graphql", "AWSCognitoIdentityProviderService.SignUp", false},
		{"POST", "/", "DynamoDB_20120810.GetItem", false},
		{"POST", "/", "", false},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("X-Amz-Target", c.target)
		if got := Serves(r); got != c.want {
			t.Errorf("Serves(%s %s, %s) = %t, want %t", c.method, c.path, c.target, got, c.want)
		}
	}
}

func failure(t *testing.T, w *httptest.ResponseRecorder) (kind, message string) {
	t.Helper()
	var body map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body) != 2 {
		t.Fatalf("%v in %s, want __type and message", err, w.Body)
	}
	if got := w.Header().Get("X-Amzn-Errortype"); got != body["__type"]+":" {
		t.Errorf("x-amzn-errortype = %q, want that of the body, %s", got, body["__type"])
	}
	for name, want := range map[string]string{"Content-Type": contentType, "Cache-Control": "no-store"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if len(w.Header().Get("X-Amzn-Requestid")) != 36 {
		t.Errorf("x-amzn-requestid = %q, want a UUID", w.Header().Get("X-Amzn-Requestid"))
	}
	return body["__type"], body["message"]
}

func TestRefusals(t *testing.T) {
	world := newWorld(t)
	up := userPoolTarget + "SignUp"
	for _, c := range []struct {
		name, target, body string
		header             map[string]string
		kind               string
	}{
		{"unknown operation", userPoolTarget + "AdminDeleteUser", "{}", nil, unknownOperation},
		{"no operation", userPoolTarget, "{}", nil, unknownOperation},
		{"operation of the other service", identityPoolTarget + "SignUp", "{}", nil, unknownOperation},
		{"operation in lower case", userPoolTarget + "signup", "{}", nil, unknownOperation},
		{"a form", up, "ClientId=x", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, serialization},
		{"plain text, as a foreign page can send", up, "{}", map[string]string{"Content-Type": "text/plain"}, serialization},
		{"no content type", up, "{}", map[string]string{"Content-Type": ""}, serialization},
		{"nothing", up, "", nil, serialization},
		{"no JSON", up, "{", nil, serialization},
		{"a list", up, "[]", nil, serialization},
		{"a string", up, `"{}"`, nil, serialization},
		{"null", up, "null", nil, serialization},
		{"two objects", up, "{}{}", nil, serialization},
		{"another type", up, `{"Username":{"a":1}}`, nil, serialization},
		{"no text", up, "{\"Username\":\"\xff\"}", nil, serialization},
		{"deep", up, `{"X":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + "}", nil, serialization},
		{"very deep and no JSON", up, strings.Repeat("{", 60_000), nil, serialization},
		{"long", up, `{"Username":"` + strings.Repeat("x", 64<<10) + `"}`, nil, tooLarge},
		{"another client", up, `{"ClientId":"x","Username":"a@example.com","Password":"Passw0rd!x"}`, nil, "ResourceNotFoundException"},
		{"no token", userPoolTarget + "GetUser", "{}", nil, "NotAuthorizedException"},
		{"no token to delete by", userPoolTarget + "DeleteUserAttributes", `{"UserAttributeNames":["email"]}`, nil, "NotAuthorizedException"},
		{"another identity pool", identityPoolTarget + "GetId", `{"IdentityPoolId":"ap-southeast-1:00000000-0000-0000-0000-000000000000"}`, nil, "ResourceNotFoundException"},
		{"no identity", identityPoolTarget + "GetCredentialsForIdentity", `{"IdentityId":"x"}`, nil, "InvalidParameterException"},
		{"nobody's login", identityPoolTarget + "GetId", `{"IdentityPoolId":"` + world.users.IdentityPoolID() + `","Logins":{"accounts.example.com":"x"}}`, nil, "NotAuthorizedException"},
	} {
		w := post(world, c.target, c.body, c.header)
		kind, message := failure(t, w)
		if w.Code != http.StatusBadRequest || kind != c.kind || message == "" {
			t.Errorf("%s: %d %s %q, want 400 %s", c.name, w.Code, kind, message, c.kind)
		}
	}
	if !strings.Contains(world.log.String(), "kind="+serialization) || strings.Contains(world.log.String(), "xxx") {
		t.Errorf("the log tells too little or too much: %s", world.log)
	}
}

func TestUnknownMembersArePassedOver(t *testing.T) {
	world := newWorld(t)
	w := post(world, userPoolTarget+"SignUp", `{"ClientId":"`+world.users.ClientID()+`","Username":"ana@example.com","Password":"Passw0rd!x",
		"UserAttributes":[{"Name":"email","Value":"ana@example.com"}],"ClientMetadata":{"a":"b"},"New":{"x":[1]}}`, nil)
	if w.Code != http.StatusOK {
		t.Errorf("SignUp with members that are not known: %d %s", w.Code, w.Body)
	}
	if m := <-world.mail; m.Code == "" {
		t.Error("no code was mailed")
	}
}

func TestTargetTwice(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	r.Header["X-Amz-Target"] = []string{userPoolTarget + "GetUser", userPoolTarget + "SignUp"}
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	newWorld(t).ServeHTTP(w, r)
	if kind, _ := failure(t, w); kind != unknownOperation {
		t.Errorf("two targets: %s, want %s", kind, unknownOperation)
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", brokenBody())
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Amz-Target", userPoolTarget+"SignUp")
	w := httptest.NewRecorder()
	newWorld(t).ServeHTTP(w, r)
	if kind, _ := failure(t, w); kind != serialization {
		t.Errorf("a body that breaks off: %s, want %s", kind, serialization)
	}
}

func TestWithoutIdentityPool(t *testing.T) {
	world := newWorld(t)
	f := New(Config{Users: world.users, Log: world.Front.log, Now: world.Front.now})
	if kind, _ := failure(t, post(f, identityPoolTarget+"GetId", "{}", nil)); kind != unknownOperation {
		t.Errorf("GetId without an identity pool: %s, want %s", kind, unknownOperation)
	}
}

// TestFailures is the table from errors to answers.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		err           error
		status        int
		kind, message string
	}{
		{front.Refuse(serialization, "m"), 400, serialization, "m"},
		{&userpool.Error{Kind: userpool.CodeMismatch, Message: "m", Err: errors.New("secret")}, 400, "CodeMismatchException", "m"},
		{fmt.Errorf("more: %w", &userpool.Error{Kind: userpool.TooManyRequests, Message: "m"}), 400, tooManyRequests, "m"},
		{&userpool.Error{Kind: userpool.InternalError, Message: "m", Err: errors.New("secret")}, 500, internalError, "Something went wrong"},
		{&identitypool.Error{Kind: identitypool.NotAuthorized, Message: "m", Err: errors.New("secret")}, 400, "NotAuthorizedException", "m"},
		{&inference.Error{Kind: inference.ResourceNotFound, Message: "m"}, 500, internalError, "Something went wrong"},
		{&inference.Error{Kind: inference.ServiceUnavailable, Message: "m"}, 500, internalError, "Something went wrong"},
		{errors.New("secret"), 500, internalError, "Something went wrong"},
		{context.Canceled, 500, internalError, "Something went wrong"},
	} {
		w := httptest.NewRecorder()
		w.Header().Set("X-Amzn-Requestid", strings.Repeat("x", 36))
		send(w, failureOf(c.err))
		if kind, message := failure(t, w); w.Code != c.status || kind != c.kind || message != c.message {
			t.Errorf("%v: %d %s %q, want %d %s %q", c.err, w.Code, kind, message, c.status, c.kind, c.message)
		}
	}
}

// FuzzDecode wants an error to give nothing, and what is taken to be one JSON object of
// bounded depth.
func FuzzDecode(f *testing.F) {
	for _, e := range exchanges(f) {
		body, err := json.Marshal(e.RequestBody)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"UserAttributes":[{"Name":"a","Value":"\"}]"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := decode[userpool.SignUpInput](body)
		var object map[string]any
		if err == nil && (json.Unmarshal(body, &object) != nil || object == nil || depth(object) > maxDepth) {
			t.Errorf("decode(%q) = %+v", body, in)
		}
		if err != nil && (in.Username != "" || in.Password != "" || in.UserAttributes != nil) {
			t.Errorf("decode(%q) fails with %+v", body, in)
		}
	})
}

// depth is how deep a JSON value nests.
func depth(v any) int {
	most := 0
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			most = max(most, depth(inner))
		}
	case []any:
		for _, inner := range v {
			most = max(most, depth(inner))
		}
	default:
		return 0
	}
	return most + 1
}

// FuzzOperations sends any body to any operation and wants it to be refused, or
// answered, in the service's form, and never an error of ours.
func FuzzOperations(f *testing.F) {
	world := newWorld(f)
	endless := front.NewLimiter(front.Rate{Burst: 1e9, Every: time.Nanosecond})
	world.guesses, world.others = endless, endless
	operations := targetsOf(world.Front)
	for _, e := range exchanges(f) {
		e.RequestBody["ClientId"] = world.users.ClientID()
		body, err := json.Marshal(e.RequestBody)
		if err != nil {
			f.Fatal(err)
		}
		for i, target := range operations {
			if target == e.Target {
				f.Add(uint(i), body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, operation uint, body []byte) {
		target := operations[operation%uint(len(operations))]
		w := post(world, target, string(body), nil)
		for len(world.mail) > 0 {
			<-world.mail
		}
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%s %q = %d %s\n%s", target, body, w.Code, w.Body, world.log)
		}
		var object map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &object); err != nil || object == nil {
			t.Errorf("%s %q = %s", target, body, w.Body)
		}
		if w.Code != http.StatusOK {
			failure(t, w)
		}
		world.log.Reset()
	})
}

func BenchmarkGuest(b *testing.B) {
	world := newWorld(b)
	world.others = front.NewLimiter(front.Rate{Burst: 1e9, Every: time.Nanosecond})
	body := `{"IdentityPoolId":"` + world.users.IdentityPoolID() + `","Logins":{}}`
	b.ReportAllocs()
	for b.Loop() {
		if w := post(world, identityPoolTarget+"GetId", body, nil); w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
		world.log.Reset()
	}
}
