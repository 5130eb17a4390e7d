package sigv4_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"fairway/internal/wire/sigv4"
)

// TestPresignedSuite is the test suite's query form. Where the session token was added
// after signing nothing verifies: a token has to be signed.
func TestPresignedSuite(t *testing.T) {
	for name, c := range loadSuite(t) {
		r, _ := parseRequest(t, c.QuerySignedRequest)
		r.Normalize = c.Context.Normalize
		p, err := sigv4.ParsePresigned(r.RawQuery)
		if err != nil {
			t.Errorf("%s: ParsePresigned = %v", name, err)
			continue
		}
		if p.Signature != c.QuerySignature || !p.At.Equal(c.Context.Timestamp) || p.Expires != time.Hour || p.SessionToken != c.Context.Credentials.Token {
			t.Errorf("%s: ParsePresigned = %+v", name, p)
		}
		secret := c.Context.Credentials.SecretAccessKey
		if got, want := p.Verify(r, p.Scope.Key(secret)), !c.Context.OmitSessionToken; got != want {
			t.Errorf("%s: Verify = %t, want %t", name, got, want)
		}
		if p.Verify(r, p.Scope.Key(secret+"x")) {
			t.Errorf("%s: Verify with another secret = true", name)
		}
		r.RawQuery += "&more=1"
		if p.Verify(r, p.Scope.Key(secret)) {
			t.Errorf("%s: Verify with one more parameter = true", name)
		}
	}
}

func TestVerifyAcceptsTheSDKsPresigner(t *testing.T) {
	for _, target := range targets {
		r := newRequest(t, target, "")
		query := r.URL.Query()
		query.Set("X-Amz-Expires", "900")
		r.URL.RawQuery = query.Encode()
		signed, _, err := v4.NewSigner().PresignHTTP(context.Background(),
			aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret, SessionToken: "token"},
			r, sigv4.HashPayload(nil), "bedrock", "ap-southeast-1", at)
		if err != nil {
			t.Fatal(err)
		}
		r, err = http.NewRequest("POST", signed, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, err := sigv4.ParsePresigned(r.URL.RawQuery)
		if err != nil || p.SessionToken != "token" || p.Expires != 15*time.Minute {
			t.Errorf("ParsePresigned(%s) = %+v, %v", target, p, err)
			continue
		}
		if !p.Verify(sigv4.RequestOf(r, nil), p.Scope.Key(secret)) {
			t.Errorf("Verify(%s) = false, want true", target)
		}
	}
}

// presignedParameters are those of a good query.
func presignedParameters() []string {
	return []string{
		"X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=AKID%2F20261122%2Fus-east-1%2Fbedrock%2Faws4_request",
		"X-Amz-Date=20261122T104406Z", "X-Amz-Expires=60", "X-Amz-SignedHeaders=host", "X-Amz-Signature=00",
	}
}

func TestParsePresignedErrors(t *testing.T) {
	good := strings.Join(presignedParameters(), "&")
	if _, err := sigv4.ParsePresigned(good); err != nil {
		t.Fatalf("ParsePresigned(%s) = %v", good, err)
	}
	bad := map[string]string{
		"encoding": good + "&a=%zz", "twice": good + "&X-Amz-Expires=60", "too long": good + "&a=" + strings.Repeat("a", 13<<10),
		"a week and more": strings.Replace(good, "Expires=60", "Expires=604801", 1), "no time": strings.Replace(good, "Expires=60", "Expires=0", 1),
	}
	for i, parameter := range presignedParameters() {
		rest := presignedParameters()
		bad["without "+parameter] = strings.Join(append(rest[:i], rest[i+1:]...), "&")
	}
	for name, query := range bad {
		p, err := sigv4.ParsePresigned(query)
		if _, ok := err.(sigv4.IncompleteError); !ok || !cmp.Equal(p, sigv4.Presigned{}) {
			t.Errorf("%s: ParsePresigned = %+v, %v, want an IncompleteError alone", name, p, err)
		}
	}
}

// TestParametersComeOnce: of two the one that is checked could be the other.
func TestParametersComeOnce(t *testing.T) {
	const header = Algorithm + " Credential=AKID/20261122/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0"
	for _, more := range []string{", Signature=1", ", Credential=X/20261122/us-east-1/bedrock/aws4_request", ", SignedHeaders=host", ", Other=1", ", " + header} {
		if a, err := sigv4.Parse(header + more); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", header+more, a)
		}
	}
}

// FuzzPresigned: what parses verifies as the holder of the key would sign it, and with
// no other signature.
func FuzzPresigned(f *testing.F) {
	for _, c := range loadSuite(f) {
		r, _ := parseRequest(f, c.QuerySignedRequest)
		f.Add(r.RawQuery)
	}
	f.Add(strings.Join(presignedParameters(), "&"))
	f.Fuzz(func(t *testing.T, query string) {
		p, err := sigv4.ParsePresigned(query)
		if err != nil {
			if !cmp.Equal(p, sigv4.Presigned{}) {
				t.Fatalf("ParsePresigned(%q) = %+v beside error %v, want zero", query, p, err)
			}
			return
		}
		r := sigv4.Request{Method: "POST", Path: "/", RawQuery: query, Host: "h", Header: http.Header{}, PayloadHash: "0"}
		key := p.Scope.Key("secret")
		p.Signature = p.Sign(r, key)
		if !p.Verify(r, key) {
			t.Fatalf("Verify of what Sign made of %q = false", query)
		}
		p.Signature = p.Signature[1:] + "0"
		if p.Signature != p.Sign(r, key) && p.Verify(r, key) {
			t.Fatalf("Verify of another signature of %q = true", query)
		}
	})
}
