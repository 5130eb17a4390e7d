package bedrock

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"

	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	upstreamtest.Run(t, func(t *testing.T) upstreamtest.Subject {
		f := newAWS(t)
		return upstreamtest.Subject{
			Upstream: f.upstream(t, Config{}),
			Target:   target,
			Guards:   true,
			Hang:     func() { f.answer = func(_ http.ResponseWriter, r *http.Request) { hang(f, r) } },
		}
	})
}

func hang(f *fakeAWS, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-f.rest:
	}
}

// TestRequest: what goes over the wire for each operation and form of name.
func TestRequest(t *testing.T) {
	const arn = "arn:aws:bedrock:ap-southeast-1:123456789012:application-inference-profile/abcdef123456"
	f := newAWS(t)
	f.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }
	u := f.upstream(t, Config{})
	for _, test := range []struct {
		operation inference.Operation
		model     string
		path      string
	}{
		{inference.InvokeModel, "apac." + model, "/model/apac.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke"},
		{inference.Converse, arn, "/model/arn%3Aaws%3Abedrock%3Aap-southeast-1%3A123456789012%3Aapplication-inference-profile%2Fabcdef123456/converse"},
		{inference.CountTokens, "a b+c", "/model/a%20b%2Bc/count-tokens"},
		{inference.CountTokens, "../../x", "/model/..%2F..%2Fx/count-tokens"},
	} {
		r := ask(test.operation, `{"b" : 1,  "a":"ü"}`)
		r.Header = http.Header{
			"Accept":                             {"application/json"},
			"Authorization":                      {"Bearer the caller's"},
			"X-Amzn-Bedrock-Guardrailidentifier": {"g1"},
			"X-Fairway-Cost":                     {"1"},
		}
		stream, err := u.Invoke(t.Context(), inference.Target{Region: singapore, Model: test.model}, r)
		if err != nil {
			t.Errorf("%s of %s: %v", test.operation, test.model, err)
			continue
		}
		stream.Close()
		got, body := f.last()
		if want := "/region/ap-southeast-1" + test.path; got.RequestURI != want || got.Method != "POST" {
			t.Errorf("%s of %s = %s %s, want POST %s", test.operation, test.model, got.Method, got.RequestURI, want)
		}
		if body != string(r.Body) {
			t.Errorf("body = %s, want it byte for byte", body)
		}
		h := got.Header
		accept, guardrail := "", ""
		if test.operation == inference.InvokeModel { // the others have it in their bodies
			accept, guardrail = "application/json", "g1"
		}
		if h.Get("Content-Type") != "application/json" || h.Get("Accept") != accept ||
			h.Get("X-Amzn-Bedrock-Guardrailidentifier") != guardrail || h.Get("X-Fairway-Cost") != "" ||
			h.Get("Accept-Encoding") != "" || h["Idempotency-Key"] != nil || !strings.HasPrefix(h.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
			t.Errorf("%s: headers = %v, want the service's own of the caller's, signed", test.operation, h)
		}
	}
}

// TestInvocationID: a region is told the call's id, the same by each attempt and under
// the signature, and none where the call has none.
func TestInvocationID(t *testing.T) {
	f := newAWS(t)
	f.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }
	u := f.upstream(t, Config{})
	for _, id := range []string{"00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000", ""} {
		r := ask(inference.InvokeModel, upstreamtest.Body)
		r.ID = id
		stream, err := u.Invoke(t.Context(), target, r)
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
		got, _ := f.last()
		signed := strings.Contains(got.Header.Get("Authorization"), "amz-sdk-invocation-id;")
		if told := got.Header.Get("Amz-Sdk-Invocation-Id"); told != id || signed != (id != "") {
			t.Errorf("call %q: amz-sdk-invocation-id = %q, signed: %v, want the call's", id, told, signed)
		}
	}
}

// TestBearerKey: a key stands in for the signature, and only where nobody can read
// it on the way.
func TestBearerKey(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{BearerKey: func() string { return "bedrock-key" }})
	stream, err := u.Invoke(t.Context(), target, ask(inference.InvokeModel, upstreamtest.Body))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if r, _ := f.last(); r.Header.Get("Authorization") != "Bearer bedrock-key" || r.Header.Get("X-Amz-Date") != "" {
		t.Errorf("headers = %v, want the bearer key and no signature", r.Header)
	}
	if _, err := New(t.Context(), Config{Endpoint: "http://bedrock.internal", BearerKey: u.bearer}); err == nil {
		t.Error("New(a bearer key over http) = nil, want an error")
	}
}

// TestTraceContext: a region that is another Fairway goes on with the trace.
func TestTraceContext(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	ctx, span := sdktrace.NewTracerProvider().Tracer("test").Start(t.Context(), "attempt")
	defer span.End()
	stream, err := u.Invoke(ctx, target, ask(inference.InvokeModel, upstreamtest.Body))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	r, _ := f.last()
	if got := r.Header.Get("Traceparent"); !strings.Contains(got, span.SpanContext().SpanID().String()) {
		t.Errorf("traceparent = %q, want span %s in it", got, span.SpanContext().SpanID())
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []Config{
		{Endpoint: "bedrock.internal"},
		{Endpoint: "ftp://bedrock.internal"},
		{Endpoint: "https://bedrock.internal/?x=1"},
		{ControlEndpoint: "https://user@bedrock.internal"},
		{Endpoints: map[inference.Region]string{"eu-west-1": "bedrock.internal"}},
		{Accounts: []Account{{Role: "arn:aws:iam::111122223333:role/fairway"}}},
	} {
		if u, err := New(t.Context(), c); err == nil || u != nil {
			t.Errorf("New(%+v) = %v, %v, want an error", c, u, err)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for _, test := range []struct {
		template string
		region   inference.Region
		want     string // empty is an error
	}{
		{"", "eu-west-1", "https://bedrock-runtime.eu-west-1.amazonaws.com"},
		{"https://vpce-1.bedrock-runtime.{region}.vpce.amazonaws.com", "eu-west-1", "https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com"},
		{"http://127.0.0.1:20002/region/{region}/", "eu-west-1", "http://127.0.0.1:20002/region/eu-west-1"},
		{"", "", ""},
		{"", "eu-west-1.evil.example/", ""},
		{"", "EU", ""},
	} {
		e, err := parseEndpoint(test.template, "bedrock-runtime", false)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.at(test.region)
		if (err != nil) != (test.want == "") || err == nil && got.String() != test.want {
			t.Errorf("at(%q, %q) = %v, %v, want %q", test.template, test.region, got, err, test.want)
		}
	}
}

// TestEndpointsOfRegions: a region with an endpoint of its own is called there.
func TestEndpointsOfRegions(t *testing.T) {
	all, err := parseEndpoints("https://{region}.internal", map[inference.Region]string{"eu-west-1": "https://vpce-1.internal"}, "bedrock", false)
	if err != nil {
		t.Fatal(err)
	}
	for region, want := range map[inference.Region]string{"eu-west-1": "https://vpce-1.internal", "eu-west-2": "https://eu-west-2.internal"} {
		if got, err := all.at(region); err != nil || got.String() != want {
			t.Errorf("at(%s) = %v, %v, want %s", region, got, err, want)
		}
	}
}

// TestConnectionRefused: nothing answers, and the error says that and no more.
func TestConnectionRefused(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	f.Server.Close()
	for operation := range suffixes {
		_, err := u.Invoke(t.Context(), target, ask(operation, upstreamtest.Body))
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != inference.ServiceUnavailable || !e.Transport || e.Region != singapore || e.Message != unavailable {
			t.Errorf("Invoke(%s) = %v, want a transport error of %s", operation, err, singapore)
		}
	}
}

// TestStaleConnection: a connection that the other side has closed meanwhile is
// not a region in trouble.
func TestStaleConnection(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	for range 5 {
		stream, err := u.Invoke(t.Context(), target, ask(inference.InvokeModel, upstreamtest.Body))
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
		f.CloseClientConnections()
	}
}

// TestConnectionsAreKept: an answer that was read to its end, streamed or not,
// leaves its connection for the next call; so does Warm.
func TestConnectionsAreKept(t *testing.T) {
	f := newAWS(t)
	opened := map[string]bool{}
	u := f.upstream(t, Config{Warm: 1})
	u.Warm(t.Context(), []inference.Region{singapore})
	for _, operation := range []inference.Operation{inference.ConverseStream, inference.InvokeModelWithResponseStream, inference.InvokeModel, inference.Converse} {
		body := upstreamtest.Body
		if strings.HasPrefix(string(operation), "Converse") {
			body = upstreamtest.ConverseBody
		}
		stream, err := u.Invoke(t.Context(), target, ask(operation, body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(t.Context(), stream); err != io.EOF {
			t.Fatalf("%s ended with %v, want EOF", operation, err)
		}
	}
	for _, r := range f.calls {
		opened[r.RemoteAddr] = true
	}
	if len(f.calls) != 5 || len(opened) != 1 {
		t.Errorf("%d calls over %d connections, want 5 over 1", len(f.calls), len(opened))
	}
}
