package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// adminAPI is a server whose regions are real, behind an admin token.
func adminAPI(t *testing.T, token string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Write([]byte(`{"simulated": false, "regions": [], "targets": [
			{"region": "ap-southeast-1", "model": "anthropic.claude-x", "account": "111122223333", "state": "open", "failures": 3},
			{"region": "us-east-1", "model": "amazon.nova-lite-v1:0", "state": "closed", "failures": 0,
			 "in_flight": 4, "first_content_ms": 612, "quota_left": 0.25, "tokens_per_minute": 180000, "quota_learned": true}]}`))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRegionsOfRealServer(t *testing.T) {
	url := adminAPI(t, "open sesame")
	const table = "" +
		"REGION          ACCOUNT       MODEL                  STATE   FAILURES  IN FLIGHT  FIRST CONTENT  QUOTA LEFT\n" +
		"ap-southeast-1  111122223333  anthropic.claude-x     open    3         0          -              -\n" +
		"us-east-1       -             amazon.nova-lite-v1:0  closed  0         4          612 ms         25% of 180000, learned\n"
	for _, tt := range []struct {
		name   string
		env    map[string]string
		args   []string
		stdout string
		stderr string
	}{
		{"flag", map[string]string{"TOKEN": "open sesame"}, []string{"--token", "env:TOKEN"}, table, ""},
		{"environment", map[string]string{"FAIRWAY_ADMIN_TOKEN": "env:TOKEN", "TOKEN": "open sesame"}, nil, table, ""},
		{"none", nil, nil, "", "does not take the admin token"},
		{"wrong", map[string]string{"TOKEN": "guess"}, []string{"--token", "env:TOKEN"}, "", "does not take the admin token"},
		{"unset", nil, []string{"--token", "env:TOKEN"}, "", `--token: read secret: nothing at "env:TOKEN"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			s := surroundings(&stdout, &stderr)
			s.Getenv = func(name string) string { return tt.env[name] }
			code := run(t.Context(), append([]string{"regions", "--url", url}, tt.args...), s)
			if (code == exitDone) != (tt.stderr == "") || stdout.String() != tt.stdout || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("exit %d, stdout %q, stderr %q, want %q, %q", code, &stdout, &stderr, tt.stdout, tt.stderr)
			}
		})
	}
}

func TestRegionsAsJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	s := surroundings(&stdout, &stderr)
	s.Getenv = func(name string) string { return map[string]string{"TOKEN": "open sesame"}[name] }
	if code := run(t.Context(), []string{"regions", "--json", "--url", adminAPI(t, "open sesame"), "--token", "env:TOKEN"}, s); code != exitDone {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	var out struct {
		Targets []struct{ Account string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil || len(out.Targets) != 2 || out.Targets[0].Account != "111122223333" {
		t.Errorf("prints %s, %v, want the server's JSON", &stdout, err)
	}
}
