package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fairway/internal/sample"
)

// profile is what the sample calls.
const profile = "apac.anthropic.claude-sonnet-4-20250514-v1:0"

// fairway runs a command and gives what it wrote.
func fairway(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(t.Context(), args, surroundings(&out, &errs)); got != code {
		t.Fatalf("fairway %s exits %d, want %d:\n%s%s", strings.Join(args, " "), got, code, &out, &errs)
	}
	return out.String(), errs.String()
}

// TestUsers adds, changes and removes a user of a running server, by the outputs here.
func TestUsers(t *testing.T) {
	dir := copyProject(t, sample.Files())
	startDev(t, dir)
	t.Chdir(dir)
	added, _ := fairway(t, exitDone, "users", "add", "ana@example.com", "--attribute", "name=Ana")
	password := strings.TrimSpace(added[strings.Index(added, "password")+len("password"):])
	if len(password) < 20 {
		t.Fatalf("users add = %q, want a password that was made", added)
	}
	_, stderr := fairway(t, exitFailed, "users", "add", "ANA@example.com")
	if !strings.Contains(stderr, "HTTP 409") {
		t.Errorf("users add of a taken name says %q, want HTTP 409", stderr)
	}
	fairway(t, exitDone, "users", "group", "ana@example.com", "Cooks", "Admin", "a/b", "..")
	fairway(t, exitDone, "users", "group", "ana@example.com", "Admin", "a/b", "..", "--remove")
	fairway(t, exitDone, "users", "disable", "ana@example.com")
	list, _ := fairway(t, exitDone, "users", "list")
	if !strings.Contains(list, "ana@example.com        confirmed, disabled  Cooks") {
		t.Errorf("users list = %s, want ana disabled, in Cooks", list)
	}
	for _, verb := range [][]string{{"enable", "ana@example.com"}, {"group", "ana@example.com", "Cooks"}, {"password", "ana@example.com", "--temporary"}, {"disable", "ana@example.com"}} {
		var person struct {
			Username string
			Groups   []string
		}
		out, _ := fairway(t, exitDone, append(append([]string{"users"}, verb...), "--json")...)
		if err := json.Unmarshal([]byte(out), &person); err != nil || person.Username == "" || !slices.Equal(person.Groups, []string{"Cooks"}) {
			t.Errorf("users %v --json = %s, want the user", verb, out)
		}
	}
	fairway(t, exitDone, "users", "enable", "ana@example.com")
	reset, _ := fairway(t, exitDone, "users", "password", "ana@example.com")
	if was := password; !strings.Contains(reset, "password  ") || strings.Contains(reset, was) {
		t.Errorf("users password = %q, want another password", reset)
	}
	if err := os.WriteFile("password", []byte("Mango-Tree-77"), 0o600); err != nil {
		t.Fatal(err)
	}
	password = "Mango-Tree-77"
	if out, _ := fairway(t, exitDone, "users", "password", "ana@example.com", "--password", "file:"+filepath.Join(dir, "password")); strings.Contains(out, password) {
		t.Errorf("users password --password = %q, want no password", out)
	}

	// She signs in as the outputs' user does.
	as(t, dir, func(user map[string]any) { user["username"], user["password"] = "ana@example.com", password })
	url := outputsObject(t, filepath.Join(dir, "fairway_outputs.json"))["endpoint"].(string)
	answer, _ := fairway(t, exitDone, "ask", "--url", url, "--json", "rice")
	var got struct {
		Text  string
		Route struct{ Profile string }
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.Text == "" || got.Route.Profile != profile {
		t.Errorf("ask --url = %s (%v), want an answer and its route", answer, err)
	}
	as(t, dir, func(user map[string]any) { user["password"] = "not " + password })
	if _, stderr := fairway(t, exitFailed, "ask", "--url", url, "rice"); !strings.Contains(stderr, "Incorrect username or password.") {
		t.Errorf("ask --url with a wrong password says %q", stderr)
	}
	if _, stderr := fairway(t, exitUsage, "ask", "--url", url, "--speed", "instant", "rice"); !strings.Contains(stderr, "--speed") {
		t.Errorf("ask --url --speed says %q, want which flag it cannot take", stderr)
	}
	fairway(t, exitDone, "users", "rotate-key")
	fairway(t, exitDone, "users", "remove", "ana@example.com")
	if _, stderr := fairway(t, exitFailed, "users", "confirm", "ana@example.com"); !strings.Contains(stderr, "HTTP 404") {
		t.Errorf("users confirm of nobody says %q, want HTTP 404", stderr)
	}
}

// as changes the user in the outputs.
func as(t *testing.T, dir string, change func(user map[string]any)) {
	t.Helper()
	path := filepath.Join(dir, "fairway_outputs.json")
	out := outputsObject(t, path)
	change(out["user"].(map[string]any))
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestKeys makes a key of each kind; what is taken back is refused from then on.
func TestKeys(t *testing.T) {
	dir := copyProject(t, sample.Files())
	d := startDev(t, dir)
	t.Chdir(dir)
	made := map[string]string{}
	for _, kind := range []string{"bearer", "api"} {
		out, stderr := fairway(t, exitDone, "keys", "create", kind+"-1", "--kind", kind, "--principal", "developer", "--expires", "90d")
		made[kind] = strings.TrimSpace(out)
		if !strings.Contains(stderr, "not shown again") {
			t.Errorf("keys create says %q, want that the key is not shown again", stderr)
		}
	}
	allowed := func(want int) {
		t.Helper()
		if got := statusOf(t, d.base+"/v1/models", "Authorization", "Bearer "+made["bearer"]); got != want {
			t.Errorf("GET /v1/models with the key = %d, want %d", got, want)
		}
	}
	allowed(200)
	old := made["bearer"]
	rotated, told := fairway(t, exitDone, "keys", "rotate", "bearer-1", "--overlap", "1h")
	in90days, in1hour := time.Now().Add(90*24*time.Hour).UTC().Format(time.DateOnly), time.Now().Add(time.Hour).UTC().Format("2006-01-02 15:")
	if !strings.Contains(told, "expires "+in90days) || !strings.Contains(told, "good until "+in1hour) {
		t.Errorf("keys rotate says %q, want the life of the old key, and its end in an hour", told)
	}
	if list, _ := fairway(t, exitDone, "keys", "list"); !strings.Contains(list, "BEFORE UNTIL") || !strings.Contains(list, in1hour) {
		t.Errorf("keys list = %s, want until when the key before is good", list)
	}
	allowed(200) // for an hour
	made["bearer"] = strings.TrimSpace(rotated)
	allowed(200)
	fairway(t, exitDone, "keys", "expire", "bearer-1")
	allowed(401)
	made["bearer"] = old
	allowed(401)
	list, _ := fairway(t, exitDone, "keys", "list")
	for _, want := range []string{"bearer-1  bearer  developer", "expired", "api-1     api     developer"} {
		if !strings.Contains(list, want) {
			t.Errorf("keys list = %s, want %q in it", list, want)
		}
	}
	if strings.Contains(list, made["api"]) {
		t.Errorf("keys list shows a key: %s", list)
	}
	fairway(t, exitDone, "keys", "delete", "api-1")
	if _, stderr := fairway(t, exitDone, "keys", "create", "short", "--kind", "api"); !strings.Contains(stderr, "expires "+time.Now().Add(30*24*time.Hour).UTC().Format(time.DateOnly)) {
		t.Errorf("keys create says %q, want it good for 30 days", stderr)
	}
	if _, stderr := fairway(t, exitDone, "keys", "create", "long", "--kind", "api", "--expires", "never"); !strings.Contains(stderr, "expires never") {
		t.Errorf("keys create --expires never says %q", stderr)
	}
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{exitUsage, []string{"create", "x"}, "--principal"},
		{exitUsage, []string{"create", "x", "--principal", "developer", "--expires", "soon"}, `"soon" is no life`},
		{exitUsage, []string{"create", "x", "--principal", "developer", "--expires", "none"}, `"none" is no life`},
		{exitUsage, []string{"rotate", "bearer-1", "--overlap", "never"}, `or none`},
		{exitFailed, []string{"rotate", "bearer-1"}, "is over"},
		{exitUsage, []string{"create", "x", "--principal", "developer", "--kind", "cookie"}, "cookie"},
		{exitFailed, []string{"create", "x", "--principal", "nobody"}, `no principal "nobody"`},
		{exitFailed, []string{"create", "bearer-1", "--principal", "developer"}, "HTTP 409"},
		{exitFailed, []string{"rotate", "api-1"}, `no key is called "api-1"`},
		// In development without a master key none of its secret can be kept.
		{exitFailed, []string{"create", "x", "--kind", "access", "--principal", "developer"}, "there is no master key: set master_key"},
	} {
		if _, stderr := fairway(t, c.code, append([]string{"keys"}, c.args...)...); !strings.Contains(stderr, c.want) {
			t.Errorf("keys %s says %q, want %q", strings.Join(c.args, " "), stderr, c.want)
		}
	}
}

// statusOf is the status that a GET with a header is answered with.
func statusOf(t *testing.T, url, name, value string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(name, value)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestExplain says the same of a folder and of the server that runs it.
func TestExplain(t *testing.T) {
	dir := copyProject(t, sample.Files())
	d := startDev(t, dir)
	args := []string{"--principal", "bedrockDS", "--profile", profile, "--json"}
	ofFolder, _ := fairway(t, exitDone, append([]string{"explain", dir}, args...)...)
	ofServer, _ := fairway(t, exitDone, append([]string{"explain", "--url", d.base}, args...)...)
	if ofFolder != ofServer {
		t.Errorf("explain differs:\n%s\n%s", ofFolder, ofServer)
	}
	strictly, _ := fairway(t, exitDone, append([]string{"explain", dir, "--strict"}, args...)...)
	if got, _ := fairway(t, exitDone, append([]string{"explain", "--url", d.base, "--strict"}, args...)...); got != strictly || got == ofServer {
		t.Errorf("explain --strict differs:\n%s\n%s", strictly, got)
	}
	if _, stderr := fairway(t, exitUsage, append([]string{"explain", "--url", d.base, "--config", "f.yaml"}, args...)...); !strings.Contains(stderr, "--config is about a server that explain starts itself") {
		t.Errorf("explain --url --config says %q, want which flag it cannot take", stderr)
	}
	text, _ := fairway(t, exitDone, "explain", "--principal", "bedrockDS", "--profile", profile)
	if want := "ap-northeast-1  allowed"; !strings.Contains(text, want) {
		t.Errorf("explain = %s, want %q in it", text, want)
	}
	if _, stderr := fairway(t, exitFailed, "explain", "--principal", "nobody", "--profile", profile); !strings.Contains(stderr, "bedrockDS") {
		t.Errorf("explain of an unknown principal says %q, want the names there are", stderr)
	}
	denied, _ := fairway(t, exitFailed, "explain", "--principal", "bedrockDS", "--profile", "apac.amazon.nova-pro-v1:0")
	if want := "new PolicyStatement"; !strings.Contains(denied, want) {
		t.Errorf("explain of a denied call = %s, want %q in it", denied, want)
	}
}

// TestExplainNeedsNoSecrets: what a folder allows has nothing to do with the keys of its
// configuration.
func TestExplainNeedsNoSecrets(t *testing.T) {
	dir := copyProject(t, sample.Files())
	file := filepath.Join(t.TempDir(), "production.yaml")
	text := "master_key: env:NOT_SET\nprincipals:\n  - name: checkout\n    bearer_keys: [env:NOT_SET_EITHER]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	fairway(t, exitDone, "explain", dir, "--config", file, "--principal", "bedrockDS", "--profile", profile)
}

// TestAdminElsewhere: what answers at --url but has no admin API is told apart from an
// admin API that refuses.
func TestAdminElsewhere(t *testing.T) {
	for _, answer := range []func(http.ResponseWriter){
		func(w http.ResponseWriter) { http.Error(w, "not found", http.StatusNotFound) },
		func(w http.ResponseWriter) {
			w.Header().Set("X-Amzn-Errortype", "UnknownOperationException")
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"message": "The requested operation is not recognized by the service."}`))
		},
	} {
		elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
		defer elsewhere.Close()
		for _, args := range [][]string{{"users", "list"}, {"keys", "list"}, {"regions"}} {
			if _, stderr := fairway(t, exitFailed, append(args, "--url", elsewhere.URL)...); !strings.Contains(stderr, "no admin API at "+elsewhere.URL+": name its admin listener") {
				t.Errorf("%v --url of a public listener says %q, want that it has no admin API", args, stderr)
			}
		}
	}
}

// TestAskGoesToURL: everything goes where --url says, whatever the outputs name.
func TestAskGoesToURL(t *testing.T) {
	named := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s went to the endpoint of the outputs", r.Method, r.URL)
	}))
	defer named.Close()
	dir := copyProject(t, sample.Files())
	d := startDev(t, dir)
	t.Chdir(dir)
	raw, err := os.ReadFile("fairway_outputs.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("fairway_outputs.json", bytes.ReplaceAll(raw, []byte(d.base), []byte(named.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _ := fairway(t, exitDone, "ask", "--url", d.base+"/", "rice"); !strings.Contains(out, "rice") {
		t.Errorf("ask --url = %s, want an answer", out)
	}
}

func TestServerURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:1": "http://127.0.0.1:1", "https://example.com/": "https://example.com",
		"bogus": "", "": "", "localhost:20002": "", "ftp://example.com": "", "http://": "", "http://[": "",
	} {
		got, err := serverURL(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("serverURL(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

// TestRoundTripIsBounded: a server cannot fill the memory.
func TestRoundTripIsBounded(t *testing.T) {
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for page := make([]byte, 1<<20); ; {
			if _, err := w.Write(page); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	_, err := roundTrip(t.Context(), http.MethodGet, endless.URL, nil, func(*http.Request) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("roundTrip() = %v, want a refusal of what is too long", err)
	}
}
