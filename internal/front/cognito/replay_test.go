package cognito

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fairway/internal/srp"
)

// exchange is one request of aws-amplify 6.22.1 with the answer that it was content
// with, from testdata/client_wire.json: the Cognito part of a recording of the real
// client against a server of our own writing.
type exchange struct {
	Step            string            `json:"step"`
	Target          string            `json:"target"`
	RequestHeaders  map[string]string `json:"request_headers"`
	RequestBody     map[string]any    `json:"request_body"`
	Status          int               `json:"status"`
	ResponseHeaders map[string]string `json:"response_headers"`
	ResponseBody    map[string]any    `json:"response_body"`
}

func exchanges(t testing.TB) []exchange {
	t.Helper()
	text, err := os.ReadFile("testdata/client_wire.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []exchange
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// replay is the client's memory while its requests are sent again: what it answers
// is made of what it was told this time.
type replay struct {
	*world
	t        *testing.T
	password string
	heard    map[string]any // members of the last answers, by name
	client   *srp.Client
}

// TestReplay sends what the real client sent to real pools, and wants answers of the
// same shape.
func TestReplay(t *testing.T) {
	r := &replay{world: newWorld(t), t: t, password: "Passw0rd!x", heard: map[string]any{}}
	for i, e := range exchanges(t) {
		if e.Status != 200 {
			r.password = "not the password"
			r.heard["wrong"] = true
		}
		where := fmt.Sprintf("%d %s, %s", i, e.Step, e.Target)
		body, err := json.Marshal(r.request(e.RequestBody))
		if err != nil {
			t.Fatal(err)
		}
		w := post(r, e.Target, string(body), e.RequestHeaders)
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v in %s", where, err, w.Body)
		}
		if w.Code != e.Status {
			t.Fatalf("%s: %d %s, want %d", where, w.Code, w.Body, e.Status)
		}
		for name, want := range e.ResponseHeaders {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: header %s = %q, want %q", where, name, got, want)
			}
		}
		if e.Status != 200 && fmt.Sprint(got) != fmt.Sprint(e.ResponseBody) {
			t.Errorf("%s: %v, want %v", where, got, e.ResponseBody)
		}
		for _, different := range differences(e.ResponseBody, got, "answer") {
			t.Errorf("%s: %s", where, different)
		}
		r.hear(got)
	}
	if len(r.sessions) != 3 || r.sessions[0].Principal != "visitor" || r.sessions[1].Principal != "member" || r.sessions[1].Session.Name != r.sessions[2].Session.Name {
		t.Errorf("sessions %+v, want a guest's and two of one member", r.sessions)
	}
	for _, secret := range []string{"Passw0rd", "hunter2", "eyJ", "ana@example.com"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// request is what was recorded with the values of this run.
func (r *replay) request(recorded map[string]any) map[string]any {
	body := maps.Clone(recorded)
	values := map[string]func() any{
		"ClientId":           func() any { return r.users.ClientID() },
		"IdentityPoolId":     func() any { return r.users.IdentityPoolID() },
		"IdentityId":         func() any { return r.heard["IdentityId"] },
		"AccessToken":        func() any { return r.heard["AccessToken"] },
		"RefreshToken":       func() any { return r.heard["RefreshToken"] },
		"Token":              func() any { return r.heard["RefreshToken"] },
		"ConfirmationCode":   r.code,
		"AuthParameters":     r.parameters,
		"ChallengeResponses": r.responses,
	}
	for name, value := range values {
		if _, ok := body[name]; ok {
			body[name] = value()
		}
	}
	if logins, _ := body["Logins"].(map[string]any); len(logins) > 0 {
		_, provider, _ := strings.Cut(r.users.Issuer(), "://")
		body["Logins"] = map[string]any{provider: r.heard["IdToken"]}
	}
	return body
}

// code is the newest that was mailed.
func (r *replay) code() any {
	for {
		m := <-r.mail
		select {
		case newer := <-r.mail:
			r.mail <- newer
		default:
			return m.Code
		}
	}
}

func (r *replay) parameters() any {
	r.client = srp.NewClient()
	return map[string]any{"USERNAME": "ana@example.com", "SRP_A": r.client.A()}
}

func (r *replay) responses() any {
	text := func(name string) string { s, _ := r.heard[name].(string); return s }
	_, pool, _ := strings.Cut(r.users.ID(), "_")
	at := time.Now().UTC().Format("Mon Jan 2 15:04:05 UTC 2006")
	block, err := base64.StdEncoding.DecodeString(text("SECRET_BLOCK"))
	if err != nil {
		r.t.Fatal(err)
	}
	signature, err := r.client.Answer(r.password, text("SALT"), text("SRP_B"), srp.Claim{
		Pool: pool, User: text("USER_ID_FOR_SRP"), Block: block, Timestamp: at,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return map[string]any{
		"USERNAME": text("USER_ID_FOR_SRP"), "PASSWORD_CLAIM_SECRET_BLOCK": text("SECRET_BLOCK"),
		"TIMESTAMP": at, "PASSWORD_CLAIM_SIGNATURE": signature,
	}
}

// hear remembers every member of an answer, at any depth.
func (r *replay) hear(answer map[string]any) {
	for name, value := range answer {
		if inner, ok := value.(map[string]any); ok {
			r.hear(inner)
		}
		r.heard[name] = value
	}
}

// optional are members that an answer may have beside those of the recording, by the
// API Reference.
var optional = []string{"Session", "RefreshToken", "ChallengeParameters"}

// differences are where got is not of want's shape: the same members of the same types.
func differences(want, got any, at string) (all []string) {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s = %v, want an object", at, got)}
		}
		for name := range object {
			if _, ok := want[name]; !ok && !slices.Contains(optional, name) {
				all = append(all, at+"."+name+" is more than the client knows")
			}
		}
		for name, value := range want {
			if _, ok := object[name]; !ok {
				all = append(all, at+"."+name+" is missing")
				continue
			}
			all = append(all, differences(value, object[name], at+"."+name)...)
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) == 0 {
			return []string{fmt.Sprintf("%s = %v, want a list with something in it", at, got)}
		}
		for _, item := range list {
			all = append(all, differences(want[0], item, at+"[]")...)
		}
	default:
		if fmt.Sprintf("%T", want) != fmt.Sprintf("%T", got) || got == "" {
			all = append(all, fmt.Sprintf("%s = %v (%T), want a %T", at, got, got, want))
		}
	}
	return all
}

// TestDifferencesBite makes sure that the comparison finds what it looks for.
func TestDifferencesBite(t *testing.T) {
	want := map[string]any{"a": "x", "b": map[string]any{"c": 1.0}, "d": []any{map[string]any{"e": true}}}
	for _, c := range []struct {
		got  map[string]any
		want int
	}{
		{want, 0},
		{map[string]any{}, 3},
		{map[string]any{"a": "", "b": map[string]any{"c": "1"}, "d": []any{}}, 3},
		{map[string]any{"a": 1.0, "b": "c", "d": []any{map[string]any{}}}, 3},
		{map[string]any{"a": "y", "b": map[string]any{"c": 2.0}, "d": []any{map[string]any{"e": false}}, "f": 1.0, "Session": "s"}, 1},
	} {
		if got := differences(want, c.got, "answer"); len(got) != c.want {
			t.Errorf("differences(%v) = %v, want %d", c.got, got, c.want)
		}
	}
}
