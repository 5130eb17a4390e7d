package auth_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/google/go-cmp/cmp"

	"fairway/internal/auth"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

var (
	now       = time.Date(2026, 11, 22, 10, 44, 6, 0, time.UTC)
	developer = inference.Principal{Name: "developer", ARN: "arn:aws:iam::123456789012:user/developer"}
	body      = []byte(`{"messages":[]}`)
)

func clock() time.Time { return now }

// newBedrock knows a long-term key, a temporary one, an expired one and a bearer key.
func newBedrock() auth.Bedrock {
	keys := auth.NewKeys()
	keys.AddAccessKey(auth.AccessKey{ID: "AKID", Secret: "secret", Principal: developer})
	keys.AddAccessKey(auth.AccessKey{ID: "TEMP", Secret: "secret", SessionToken: "session", Expires: now.Add(time.Hour), Principal: developer})
	keys.AddAccessKey(auth.AccessKey{ID: "OLD", Secret: "secret", SessionToken: "session", Expires: now, Principal: developer})
	keys.AddBearerKey("bearer", developer)
	return auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: clock}}
}

// signing is how a test request is signed; the zero value signs as AKID, now,
// for Bedrock.
type signing struct {
	id, secret, session, region, service string
	at                                   time.Time
}

func signed(s signing) *http.Request {
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	if s.at.IsZero() {
		s.at = now
	}
	r := httptest.NewRequest("POST", "http://127.0.0.1:20002/model/m%3A0/invoke", bytes.NewReader(body))
	sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: or(s.id, "AKID"), SecretAccessKey: or(s.secret, "secret"), SessionToken: s.session},
		or(s.region, "ap-southeast-1"), or(s.service, "bedrock"), s.at)
	return r
}

// holding is a request's body that is there to be read.
func holding(body []byte) func() ([]byte, error) {
	return func() ([]byte, error) { return body, nil }
}

func withHeader(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	return r
}

func TestBedrockAccepts(t *testing.T) {
	credential := func(service string, region inference.Region) inference.Credential {
		c := inference.Credential{Principal: developer, Service: service, Region: region}
		if c.Bearer = region == ""; c.Bearer {
			c.BearerType, c.Caller.Key = inference.LongTerm, developer.Name
		} else {
			c.PayloadHash = sigv4.HashPayload(body)
		}
		return c
	}
	unsigned := httptest.NewRequest("POST", "/", nil)
	tests := map[string]struct {
		request *http.Request
		want    inference.Credential
	}{
		"long-term key":     {signed(signing{}), credential("bedrock", "ap-southeast-1")},
		"temporary key":     {signed(signing{id: "TEMP", session: "session"}), credential("bedrock", "ap-southeast-1")},
		"another scope":     {signed(signing{region: "eu-west-1", service: "appsync"}), credential("appsync", "eu-west-1")},
		"skew of 5 minutes": {signed(signing{at: now.Add(-5 * time.Minute)}), credential("bedrock", "ap-southeast-1")},
		"payload hash":      {withHeader(signed(signing{}), "X-Amz-Content-Sha256", sigv4.HashPayload(body)), credential("bedrock", "ap-southeast-1")},
		"bearer":            {withHeader(unsigned.Clone(t.Context()), "Authorization", "Bearer bearer"), credential("bedrock", "")},
		"bearer lower case": {withHeader(unsigned.Clone(t.Context()), "Authorization", "bearer  bearer"), credential("bedrock", "")},
	}
	for name, tt := range tests {
		got, err := newBedrock().Authenticate(tt.request, holding(body))
		if err != nil || got != tt.want {
			t.Errorf("%s: Authenticate = %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
}

func TestBedrockRefuses(t *testing.T) {
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	const invalid = "The security token included in the request is invalid."
	hostUnsigned := signed(signing{})
	hostUnsigned.Header.Set("Authorization", strings.Replace(hostUnsigned.Header.Get("Authorization"), "host;", "", 1))
	wrongDate := signed(signing{})
	wrongDate.Header.Set("X-Amz-Date", "20261123T000000Z")
	noDate := signed(signing{})
	noDate.Header.Del("X-Amz-Date")

	tests := map[string]struct {
		request *http.Request
		kind    inference.Kind
		message string
	}{
		"nothing":         {httptest.NewRequest("POST", "/", nil), inference.MissingAuth, "Missing Authentication Token"},
		"another scheme":  {withHeader(signed(signing{}), "Authorization", "Basic YTpi"), inference.MissingAuth, "Missing Authentication Token"},
		"unknown bearer":  {withHeader(signed(signing{}), "Authorization", "Bearer other"), inference.UnrecognizedClient, invalid},
		"empty bearer":    {withHeader(signed(signing{}), "Authorization", "Bearer "), inference.UnrecognizedClient, invalid},
		"unknown key":     {signed(signing{id: "NONE"}), inference.UnrecognizedClient, invalid},
		"no session":      {signed(signing{id: "TEMP"}), inference.UnrecognizedClient, invalid},
		"other session":   {signed(signing{id: "TEMP", session: "x"}), inference.UnrecognizedClient, invalid},
		"needless token":  {signed(signing{session: "x"}), inference.UnrecognizedClient, invalid},
		"expired":         {signed(signing{id: "OLD", session: "session"}), inference.ExpiredToken, "The security token included in the request is expired"},
		"other secret":    {signed(signing{secret: "x"}), inference.InvalidSignature, mismatch},
		"other payload":   {withHeader(signed(signing{}), "X-Amz-Content-Sha256", sigv4.HashPayload(nil)), inference.InvalidSignature, mismatch},
		"no payload hash": {withHeader(signed(signing{}), "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"), inference.InvalidSignature, mismatch},
		"too late": {signed(signing{at: now.Add(-6 * time.Minute)}), inference.InvalidSignature,
			"Signature expired: 20261122T103806Z is now earlier than 20261122T103906Z (20261122T104406Z - 5 min.)"},
		"too early": {signed(signing{at: now.Add(6 * time.Minute)}), inference.InvalidSignature,
			"Signature not yet current: 20261122T105006Z is still later than 20261122T104906Z (20261122T104406Z + 5 min.)"},
		"another day": {wrongDate, inference.InvalidSignature,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != '20261123', from '20261123T000000Z'."},
		"host unsigned": {hostUnsigned, inference.InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		"no date":       {noDate, inference.IncompleteSignature, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		"half a header": {withHeader(signed(signing{}), "Authorization", "AWS4-HMAC-SHA256 Credential=AKID"), inference.IncompleteSignature,
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
	}
	for name, tt := range tests {
		got, err := newBedrock().Authenticate(tt.request, holding(body))
		checkError(t, name, err, tt.kind, tt.message)
		if got != (inference.Credential{}) {
			t.Errorf("%s: Authenticate = %+v beside its error, want zero", name, got)
		}
	}
}

func checkError(t *testing.T, name string, err error, kind inference.Kind, message string) {
	t.Helper()
	e, ok := errors.AsType[*inference.Error](err)
	if !ok || e.Kind != kind || e.Message != message {
		t.Errorf("%s: error = %v, want %s %q", name, err, kind, message)
	}
}

// TestBodyIsReadForASignatureOnly: what the header settles is settled without it.
func TestBodyIsReadForASignatureOnly(t *testing.T) {
	gone := errors.New("the client went away")
	unsigned := httptest.NewRequest("POST", "/", nil)
	hostUnsigned := signed(signing{})
	hostUnsigned.Header.Set("Authorization", strings.Replace(hostUnsigned.Header.Get("Authorization"), "host;", "", 1))
	for name, tt := range map[string]struct {
		request *http.Request
		reads   bool
	}{
		"nothing":        {unsigned, false},
		"bearer":         {withHeader(unsigned.Clone(t.Context()), "Authorization", "Bearer bearer"), false},
		"unknown bearer": {withHeader(unsigned.Clone(t.Context()), "Authorization", "Bearer other"), false},
		"another scheme": {withHeader(unsigned.Clone(t.Context()), "Authorization", "Basic YTpi"), false},
		"half a header":  {withHeader(signed(signing{}), "Authorization", "AWS4-HMAC-SHA256 Credential=AKID"), false},
		"unknown key":    {signed(signing{id: "NONE"}), false},
		"no session":     {signed(signing{id: "TEMP"}), false},
		"expired":        {signed(signing{id: "OLD", session: "session"}), false},
		"too late":       {signed(signing{at: now.Add(-6 * time.Minute)}), false},
		"host unsigned":  {hostUnsigned, false},
		"signed":         {signed(signing{}), true},
		"other secret":   {signed(signing{secret: "x"}), true},
	} {
		read := false
		got, err := newBedrock().Authenticate(tt.request, func() ([]byte, error) { read = true; return nil, gone })
		if read != tt.reads {
			t.Errorf("%s: Authenticate read the body: %t, want %t", name, read, tt.reads)
		}
		if read && (err != gone || got != (inference.Credential{})) {
			t.Errorf("%s: Authenticate = %+v, %v, want the body's error", name, got, err)
		}
	}
}

func TestChangedBodyIsRefused(t *testing.T) {
	_, err := newBedrock().Authenticate(signed(signing{}), holding([]byte(`{"messages":[1]}`)))
	if e := inference.AsError(err); e.Kind != inference.InvalidSignature {
		t.Errorf("Authenticate over another body = %v, want InvalidSignature", err)
	}
}

// TestBedrockAcceptsTheSDK runs the real client over a socket.
func TestBedrockAcceptsTheSDK(t *testing.T) {
	b := newBedrock()
	b.Now = time.Now
	var got inference.Credential
	var failure error
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got, failure = b.Authenticate(r, holding(content))
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte("{}"))
	}))
	defer server.Close()

	for _, model := range []string{
		"apac.anthropic.claude-sonnet-4-20250514-v1:0",
		"arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac.anthropic.claude-sonnet-4-20250514-v1:0",
	} {
		client := bedrockruntime.New(bedrockruntime.Options{
			BaseEndpoint: aws.String(server.URL),
			Region:       "ap-southeast-1",
			HTTPClient:   server.Client(),
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
			}),
		})
		_, err := client.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
			ModelId: aws.String(model), Body: body,
			ContentType: aws.String("application/json"), GuardrailIdentifier: aws.String("g 1"), GuardrailVersion: aws.String("1"),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := inference.Credential{Principal: developer, Service: "bedrock", Region: "ap-southeast-1", PayloadHash: sigv4.HashPayload(body)}
		if diff := cmp.Diff(want, got); diff != "" || failure != nil {
			t.Errorf("Authenticate of the SDK's request for %s = %+v, %v, want %+v", model, got, failure, want)
		}
	}
}

func TestNewKeys(t *testing.T) {
	a, b := auth.NewAccessKey(developer), auth.NewAccessKey(developer)
	if len(a.ID) != 20 || len(a.Secret) != 40 || a.ID == b.ID || a.Secret == b.Secret {
		t.Errorf("NewAccessKey = %q (secret of %d), %q, want distinct 20 characters with secrets of 40", a.ID, len(a.Secret), b.ID)
	}
	keys := auth.NewKeys()
	keys.AddAccessKey(a)
	bearer := auth.NewBearerKey()
	keys.AddBearerKey(bearer, developer)
	known := auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: clock}}
	for name, r := range map[string]*http.Request{
		"access key": signed(signing{id: a.ID, secret: a.Secret}),
		"bearer key": withHeader(signed(signing{}), "Authorization", "Bearer "+bearer),
	} {
		if got, err := known.Authenticate(r, holding(body)); err != nil || got.Principal != developer {
			t.Errorf("Authenticate with a new %s = %v, %v", name, got, err)
		}
	}
}

// TestSecretsAreReplaced: what is remembered of a good signature is of no use to
// others, nor when the secret has been replaced.
func TestSecretsAreReplaced(t *testing.T) {
	keys := auth.NewKeys()
	known := auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: clock}}
	key := auth.AccessKey{ID: "AKID", Secret: "secret", Principal: developer}
	keys.AddAccessKey(key)
	check := func(when, secret string, good bool) {
		for range 2 {
			if _, err := known.Authenticate(signed(signing{secret: secret}), holding(body)); (err == nil) != good {
				t.Errorf("%s: Authenticate with %q = %v, want good %t", when, secret, err, good)
			}
		}
	}
	check("at first", "secret", true)
	check("at first", "other", false)
	key.Secret = "other"
	keys.AddAccessKey(key)
	check("then", "other", true)
	check("then", "secret", false)
}

func BenchmarkBedrockSignature(b *testing.B) {
	known, r := newBedrock(), signed(signing{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := known.Authenticate(r, holding(body)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestSignaturesAlone: where a signature is wanted no bearer key is one.
func TestSignaturesAlone(t *testing.T) {
	b := newBedrock()
	if _, err := b.Signatures.Authenticate(signed(signing{}), holding(body)); err != nil {
		t.Errorf("Authenticate of a signed request = %v", err)
	}
	for name, request := range map[string]*http.Request{"bearer key": bearing("bearer"), "nothing": httptest.NewRequest("POST", "/", nil)} {
		_, err := b.Signatures.Authenticate(request, holding(nil))
		wantKind(t, name+": Authenticate()", err, inference.MissingAuth)
	}
}
