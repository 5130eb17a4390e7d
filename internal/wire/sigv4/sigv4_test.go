package sigv4_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"fairway/internal/wire/sigv4"
)

const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

var at = time.Date(2026, 11, 22, 10, 44, 6, 0, time.UTC)

func newRequest(t testing.TB, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// targets are the path forms that Bedrock's clients send.
var targets = []string{
	"https://bedrock-runtime.ap-southeast-1.amazonaws.com/model/apac.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke",
	"https://bedrock-runtime.ap-southeast-1.amazonaws.com/model/apac.anthropic.claude-sonnet-4-20250514-v1:0/invoke",
	"http://127.0.0.1:20002/model/arn%3Aaws%3Abedrock%3Aap-southeast-1%3A123456789012%3Ainference-profile%2Fapac.x/invoke",
	"https://bedrock.us-east-1.amazonaws.com/async-invoke?sortOrder=Descending&maxResults=5&submitTimeAfter=2026-11-22T10%3A00%3A00Z&a=b+c",
	"https://bedrock.us-east-1.amazonaws.com",
}

func TestVerifyAcceptsTheSDKSigner(t *testing.T) {
	for _, target := range targets {
		body := `{"messages":[]}`
		r := newRequest(t, target, body)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Amzn-Bedrock-Trace", "  ENABLED   FULL ")
		err := v4.NewSigner().SignHTTP(context.Background(),
			aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret, SessionToken: "token"},
			r, sigv4.HashPayload([]byte(body)), "bedrock", "ap-southeast-1", at)
		if err != nil {
			t.Fatal(err)
		}
		auth, err := sigv4.Parse(r.Header.Get("Authorization"))
		if err != nil {
			t.Fatalf("Parse of the SDK's header = %v", err)
		}
		want := sigv4.Scope{Date: "20261122", Region: "ap-southeast-1", Service: "bedrock"}
		if auth.Scope != want {
			t.Errorf("Scope = %v, want %v", auth.Scope, want)
		}
		if !auth.Verify(sigv4.RequestOf(r, []byte(body)), auth.Scope.Key(secret), at) {
			t.Errorf("Verify(%s) = false, want true", target)
		}
	}
}

func TestSignIsTheSDKsSignature(t *testing.T) {
	for _, target := range targets {
		ours, theirs := newRequest(t, target, "{}"), newRequest(t, target, "{}")
		for _, r := range []*http.Request{ours, theirs} {
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("User-Agent", "not signed")
			r.ContentLength = -1 // the SDK would sign it, Sign leaves it to the transport
		}
		sigv4.Sign(ours, []byte("{}"), sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret}, "us-east-1", "bedrock", at)
		err := v4.NewSigner().SignHTTP(context.Background(),
			aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret},
			theirs, sigv4.HashPayload([]byte("{}")), "bedrock", "us-east-1", at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(theirs.Header, ours.Header); diff != "" {
			t.Errorf("Sign(%s) differs from the SDK's signer (-sdk +ours):\n%s", target, diff)
		}
	}
}

func TestVerifyDetectsEveryChange(t *testing.T) {
	changes := map[string]func(*sigv4.Request){
		"method":  func(r *sigv4.Request) { r.Method = "PUT" },
		"path":    func(r *sigv4.Request) { r.Path += "/" },
		"colon":   func(r *sigv4.Request) { r.Path = strings.Replace(r.Path, "%3A", ":", 1) },
		"query":   func(r *sigv4.Request) { r.RawQuery = "a=b" },
		"host":    func(r *sigv4.Request) { r.Host = "example.com" },
		"header":  func(r *sigv4.Request) { r.Header.Set("X-Amzn-Bedrock-Trace", "DISABLED") },
		"value":   func(r *sigv4.Request) { r.Header.Add("X-Amzn-Bedrock-Trace", "again") },
		"payload": func(r *sigv4.Request) { r.PayloadHash = sigv4.HashPayload(nil) },
	}
	for name, change := range changes {
		r := newRequest(t, targets[0], "{}")
		r.Header.Set("X-Amzn-Bedrock-Trace", "ENABLED")
		sigv4.Sign(r, []byte("{}"), sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret}, "us-east-1", "bedrock", at)
		auth, err := sigv4.Parse(r.Header.Get("Authorization"))
		if err != nil {
			t.Fatal(err)
		}
		signed := sigv4.RequestOf(r, []byte("{}"))
		if !auth.Verify(signed, auth.Scope.Key(secret), at) {
			t.Fatal("Verify of the request as signed = false, want true")
		}
		change(&signed)
		if auth.Verify(signed, auth.Scope.Key(secret), at) {
			t.Errorf("Verify after a change of the %s = true, want false", name)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const scope = "AKID/20261122/us-east-1/bedrock/aws4_request"
	tests := map[string]string{
		"":                                 "Unsupported AWS 'algorithm', expected 'AWS4-HMAC-SHA256'.",
		"Bearer x":                         "Unsupported AWS 'algorithm', expected 'AWS4-HMAC-SHA256'.",
		Algorithm + " x":                   "Authorization header holds a parameter that is not a valid key=value pair (missing equal-sign).",
		Algorithm + " Credential=" + scope: "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.",
		Algorithm + " Credential=AKID/20261122/us-east-1/bedrock, SignedHeaders=host, Signature=0":      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
		Algorithm + " Credential=AKID/20261122/us-east-1/bedrock/aws5, SignedHeaders=host, Signature=0": "Credential should be scoped with a valid terminator: 'aws4_request'.",
		Algorithm + " Credential=" + scope + ", SignedHeaders=host;date, Signature=0":                   "SignedHeaders must be distinct lower-case header names in ascending order.",
		Algorithm + " Credential=" + scope + ", SignedHeaders=Host, Signature=0":                        "SignedHeaders must be distinct lower-case header names in ascending order.",
		Algorithm + " " + strings.Repeat("x", 5000):                                                     "Authorization header is longer than 4096 bytes.",
	}
	for header, want := range tests {
		auth, err := sigv4.Parse(header)
		if err == nil || err.Error() != want {
			t.Errorf("Parse(%.80q) = %v, want %q", header, err, want)
		}
		if !cmp.Equal(auth, sigv4.Authorization{}) {
			t.Errorf("Parse(%.80q) = %v beside its error, want zero", header, auth)
		}
	}
}

const Algorithm = sigv4.Algorithm

func TestTime(t *testing.T) {
	tests := []struct {
		header http.Header
		want   time.Time
	}{
		{http.Header{"X-Amz-Date": {"20261122T104406Z"}}, at},
		{http.Header{"Date": {"Sun, 22 Nov 2026 10:44:06 GMT"}}, at},
		{http.Header{"X-Amz-Date": {"2026-11-22"}, "Date": {"Sun, 22 Nov 2026 10:44:06 GMT"}}, time.Time{}},
		{http.Header{}, time.Time{}},
	}
	for _, tt := range tests {
		got, err := sigv4.Time(tt.header)
		if !got.Equal(tt.want) || (err == nil) == tt.want.IsZero() {
			t.Errorf("Time(%v) = %v, %v, want %v", tt.header, got, err, tt.want)
		}
	}
}

// FuzzParse: what parses prints to a header that parses to the same; what does
// not is zero.
func FuzzParse(f *testing.F) {
	for _, c := range loadSuite(f) {
		r, _ := parseRequest(f, c.SignedRequest)
		f.Add(r.Header.Get("Authorization"))
	}
	f.Fuzz(func(t *testing.T, header string) {
		auth, err := sigv4.Parse(header)
		if err != nil {
			if !cmp.Equal(auth, sigv4.Authorization{}) {
				t.Fatalf("Parse(%q) = %v beside error %v, want zero", header, auth, err)
			}
			return
		}
		again, err := sigv4.Parse(auth.String())
		if err != nil {
			// Printing writes spaces that a header at the limit has no room for.
			if len(auth.String()) > len(header) {
				return
			}
			t.Fatalf("Parse(%q) = %v", auth.String(), err)
		}
		if diff := cmp.Diff(auth, again); diff != "" {
			t.Fatalf("Parse(%q) after String differs:\n%s", header, diff)
		}
		if !slices.IsSorted(auth.SignedHeaders) {
			t.Fatalf("SignedHeaders = %q, want ascending", auth.SignedHeaders)
		}
	})
}

// FuzzCanonical: whatever the path and query hold, the canonical request keeps
// its line structure, so that no field can pass for another.
func FuzzCanonical(f *testing.F) {
	f.Add("/model/a%3A0/invoke", "x=1&y", "v")
	f.Add("/ሴ", "ሴ=bar&%", " a  b ")
	f.Fuzz(func(t *testing.T, path, query, value string) {
		if strings.Contains(value, "\n") {
			return // net/http lets no line break into a header
		}
		r := sigv4.Request{Method: "POST", Path: path, RawQuery: query, Host: "h", Header: http.Header{"X-A": {value}}, PayloadHash: "0"}
		lines := strings.Split(r.Canonical([]string{"host", "x-a"}), "\n")
		if len(lines) != 8 {
			t.Fatalf("Canonical(%q, %q, %q) has %d lines, want 8", path, query, value, len(lines))
		}
		if path != "" {
			if once, err := url.PathUnescape(lines[1]); err != nil || once != path {
				t.Fatalf("canonical path %q decodes to %q, %v, want %q", lines[1], once, err, path)
			}
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	body := []byte(strings.Repeat("x", 1500))
	r := newRequest(b, targets[1], "")
	r.Header.Set("Content-Type", "application/json")
	sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret}, "ap-southeast-1", "bedrock", at)
	key := sigv4.Scope{Date: at.Format(sigv4.DateFormat), Region: "ap-southeast-1", Service: "bedrock"}.Key(secret)
	b.ReportAllocs()
	for b.Loop() {
		auth, err := sigv4.Parse(r.Header.Get("Authorization"))
		if err != nil || !auth.Verify(sigv4.RequestOf(r, body), key, at) {
			b.Fatal("not verified")
		}
	}
}

// TestAuthority: over HTTP/2 the AWS SDK for JavaScript signs :authority where
// others sign host; both are the request's Host.
func TestAuthority(t *testing.T) {
	r := sigv4.Request{Method: "POST", Path: "/model/a/invoke", Host: "127.0.0.1:20002", PayloadHash: "0"}
	want := strings.ReplaceAll(r.Canonical([]string{"host"}), "host", ":authority")
	if got := r.Canonical([]string{":authority"}); got != want {
		t.Errorf("Canonical(:authority) = %q, want %q", got, want)
	}
}
