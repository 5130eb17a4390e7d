package amplify

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// FuzzLoad evaluates any text as backend.ts: Load never panics, and refuses with
// at least one error that has a file.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{
		"", "defineBackend(", "throw null", "throw new Proxy({}, {})", "globalThis.__recording = 7",
		`import { defineBackend } from "@aws-amplify/backend"; defineBackend({})`,
		`import * as iam from "aws-cdk-lib/aws-iam"; new iam.PolicyStatement({ actions: [7] })`,
		`import x from "./backend"; console.log(x); export default () => x`,
		`import { defineAuth, defineBackend } from "@aws-amplify/backend";
const { auth } = defineBackend({ auth: defineAuth({ loginWith: { email: { verificationEmailBody: (c) => c() } }, groups: ["a"] }) });
auth.resources.cfnResources.cfnUserPool.addPropertyOverride("Policies.PasswordPolicy", { MinimumLength: 9 });`,
		"\x00", "import('./x')", "label: for (;;) break label",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := Load(t.Context(), fstest.MapFS{entryPoint: {Data: []byte(text)}}, WithTimeout(time.Second))
		if b == nil {
			t.Fatalf("Load = nil, %v", err)
		}
		failure, ok := errors.AsType[*LoadError](err)
		if err != nil && !ok {
			t.Fatalf("Load = %v, want a *LoadError", err)
		}
		if ok && failure.Error() == "" {
			t.Errorf("LoadError has no error among %v", failure.Findings)
		}
		for _, finding := range b.Findings {
			if finding.File == "" || finding.Code == "" || finding.Message == "" {
				t.Errorf("finding = %+v, want a file, a code and a message", finding)
			}
		}
	})
}

// FuzzPosition reads what String writes.
func FuzzPosition(f *testing.F) {
	f.Add("amplify/backend.ts", 10)
	f.Add("amplify/with:colon.ts", 0)
	f.Add("a", -1)
	f.Fuzz(func(t *testing.T, file string, line int) {
		want := position{file, line}
		if file == "" || line < 0 || line == 0 && strings.Contains(file, ":") {
			return // not a position in a file
		}
		if got := parsePosition(want.String()); got != want {
			t.Errorf("parsePosition(%q) = %v, want %v", want.String(), got, want)
		}
	})
}

// FuzzTexts takes any JSON for at least one text, or for the empty list.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{`"a"`, `["a","b"]`, `true`, `[1,false]`, `[]`, `null`, `{"a":[1]}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got texts
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			if len(got) != 0 {
				t.Errorf("texts of %q = %v with %v, want none", text, got, err)
			}
			return
		}
		var many []json.RawMessage
		want := 1
		if json.Unmarshal([]byte(text), &many) == nil {
			want = len(many)
		}
		if len(got) != want {
			t.Errorf("texts of %q = %q, want %d", text, got, want)
		}
	})
}

// FuzzAgreement prefers a line that spells a resource out to one that does not.
func FuzzAgreement(f *testing.F) {
	f.Add("arn:aws:bedrock:us-east-1::foundation-model/a", 12)
	f.Fuzz(func(t *testing.T, resource string, cut int) {
		if len(resource) < minMatch || cut < 0 || cut >= len(resource) || strings.ContainsAny(resource, "\"'`\n") {
			return
		}
		whole := agreement(`x("`+resource+`")`, resource)
		part := agreement("x(`"+resource[:cut]+"${y}`)", resource)
		if whole <= part {
			t.Errorf("agreement = %d for all of %q and %d for %d of it", whole, resource, part, cut)
		}
	})
}
