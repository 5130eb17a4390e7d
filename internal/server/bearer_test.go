package server

import (
	"net/http"
	"strings"
	"testing"
)

// TestBearerKeysNeedPermission: at every door who comes with a bearer key needs the
// action of its own for that, and who signs does not.
func TestBearerKeysNeedPermission(t *testing.T) {
	const (
		text   = "region: ap-southeast-1\nsimulate: {speed: instant}\n" + caller
		action = "bedrock:CallWithBearerToken"
		denied = "User: arn:aws:iam::123456789012:user/app is not authorized to perform: " + action +
			" on resource: * because no identity-based policy allows the " + action + " action"
	)
	allowing := func(actions string) string { return strings.Replace(text, `"bedrock:*"`, actions, 1) }
	doors := map[string]string{
		"/model/" + profile + "/invoke":                      prompt,
		"/model/" + profile + "/invoke-with-response-stream": prompt,
		"/v1/chat/completions":                               `{"model":"` + profile + `","messages":[{"role":"user","content":"Hi"}]}`,
		"/v1/messages":                                       `{"model":"` + profile + `","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]}`,
		"/listTagsForResource":                               `{"resourceARN":"arn:aws:bedrock:ap-southeast-1:123456789012:application-inference-profile/abcdef123456"}`,
	}
	s, tr := listening(t, allowing(`["bedrock:Invoke*", "bedrock:List*"]`)), transport(t, false)
	for path, body := range doors {
		if answer, text := askBearer(t, tr, s.url()+path, body); answer.StatusCode != http.StatusForbidden || !strings.Contains(text, denied) {
			t.Errorf("%s without the permission = %d %s, want 403 %s", path, answer.StatusCode, text, denied)
		}
	}
	if line := s.wait(t, "call denied"); !strings.Contains(line["error"], denied) || line["request_id"] == "" {
		t.Errorf("log = %v, want the denial", line)
	}
	if got := invoked(t, modelClient(s.url(), tr)); got == "" {
		t.Error("a signed call gets an empty answer")
	}

	s = listening(t, allowing(`["bedrock:Invoke*", "bedrock:List*", "`+action+`"]`))
	for path, body := range doors {
		if answer, text := askBearer(t, tr, s.url()+path, body); answer.StatusCode == http.StatusForbidden {
			t.Errorf("%s with the permission = %d %s, want it let in", path, answer.StatusCode, text)
		}
	}
}
