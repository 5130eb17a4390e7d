package bedrock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

// serveBearer sends a request with the bearer key straight to the handler.
func serveBearer(g front.Gateway, target string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", target, body)
	r.Header = jsonHeader()
	r.Header.Set("Authorization", "Bearer bearer")
	w := httptest.NewRecorder()
	newFront(g, time.Now).ServeHTTP(w, r)
	return w
}

func TestSourceRegionOfBearerKeys(t *testing.T) {
	for target, want := range map[string]inference.Region{
		"http://127.0.0.1:20002/model/m/invoke":                                                 "us-east-1", // the default
		"http://127.0.0.1:20002/region/eu-west-1/model/m/invoke":                                "eu-west-1",
		"http://bedrock-runtime.ap-south-2.amazonaws.com/model/m/invoke":                        "ap-south-2",
		"http://bedrock-runtime.us-gov-west-1.amazonaws.com/model/m/invoke":                     "us-gov-west-1",
		"http://bedrock-runtime-fips.us-west-2.amazonaws.com/model/m/invoke":                    "us-west-2",
		"http://bedrock-runtime.eu-north-1:8443/model/m/invoke":                                 "eu-north-1",
		"http://BEDROCK.ca-central-1.amazonaws.com/model/m/invoke":                              "ca-central-1",
		"http://bedrock-runtime.ap-south-2.amazonaws.com/region/eu-west-1/model/m/invoke":       "ap-south-2", // Host before base path
		"http://bedrock-runtime.localhost/model/m/invoke":                                       "us-east-1",
		"http://bedrock-agent-runtime.ap-south-2.amazonaws.com/region/eu-west-1/model/m/invoke": "eu-west-1",
	} {
		g := &scriptedGateway{Answer: answer}
		if w := serveBearer(g, target, strings.NewReader(prompt)); w.Code != 200 || g.request.SourceRegion != want {
			t.Errorf("POST %s = %d with source region %v, want %s", target, w.Code, g.request, want)
		}
	}
}

// TestHeaderCase: two names go out in the service's own case.
func TestHeaderCase(t *testing.T) {
	g := &scriptedGateway{Error: &inference.Error{Kind: inference.Throttling, Message: "m"}}
	var header map[string][]string = serveBearer(g, "/model/m/invoke", strings.NewReader(prompt)).Header()
	if got, want := header["x-amzn-ErrorType"], "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"; len(got) != 1 || got[0] != want {
		t.Errorf("x-amzn-ErrorType = %q, want %q", got, want)
	}
	if got := header["x-amzn-RequestId"]; len(got) != 1 || got[0] != g.request.ID {
		t.Errorf("x-amzn-RequestId = %q, want the request's %q", got, g.request.ID)
	}
}

func TestBodyLimit(t *testing.T) {
	g := &scriptedGateway{Answer: answer}
	if w := serveBearer(g, "/model/m/invoke", bytes.NewReader(make([]byte, front.MaxBody))); w.Code != 200 {
		t.Errorf("a body of the limit = %d, want 200", w.Code)
	}
	// Of unknown length, as httptest has it for other readers.
	w := serveBearer(&scriptedGateway{unexpected: true}, "/model/m/invoke", io.MultiReader(bytes.NewReader(make([]byte, front.MaxBody+1))))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "less than or equal to 25000000") {
		t.Errorf("a body over the limit = %d %s, want 400", w.Code, w.Body)
	}
	response, _, err := newFront(&scriptedGateway{unexpected: true}, time.Now).Send(t.Context(),
		inference.Credential{Principal: developer, Service: "bedrock"}, inference.Caller{}, inference.Steering{},
		&inference.HTTPRequest{Method: "POST", URL: "/model/m/invoke", Header: jsonHeader(), Body: make([]byte, front.MaxBody+1)})
	if err != nil || response.Status != 400 || !strings.Contains(string(response.Body), "less than or equal to 25000000") {
		t.Errorf("Send of a body over the limit = %v, %v, want 400", response, err)
	}
	w = serveBearer(&scriptedGateway{unexpected: true}, "/model/"+strings.Repeat("m", 2049)+"/invoke", strings.NewReader(prompt))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "The provided model identifier is invalid.") {
		t.Errorf("a model id of 2049 characters = %d %s, want 400", w.Code, w.Body)
	}
}

// unread is a body that is not to be read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// TestRefusedBeforeTheBodyIsRead: nobody makes the front hold 25 MB by sending
// them where they do not belong.
func TestRefusedBeforeTheBodyIsRead(t *testing.T) {
	signed := func(id, region string) http.Header {
		r := httptest.NewRequest("POST", "/model/m/invoke", nil)
		sigv4.Sign(r, nil, sigv4.Credentials{AccessKeyID: id, SecretAccessKey: "secret"}, region, "bedrock", time.Now())
		return r.Header
	}
	bearer := func(key string) http.Header { return http.Header{"Authorization": {"Bearer " + key}} }
	const tooLong = front.MaxBody + 1
	for name, tt := range map[string]struct {
		method, target string
		header         http.Header
		length         int64
		status         int
		answer         string
	}{
		"no operation":              {"POST", "/model/m/dance", bearer("bearer"), 1, 404, "not recognized"},
		"no path of ours":           {"POST", "/models", bearer("bearer"), 1, 404, "not recognized"},
		"method":                    {"PUT", "/model/m/invoke", bearer("bearer"), 1, 405, "not recognized"},
		"nobody":                    {"POST", "/model/m/invoke", http.Header{}, 1, 403, "Missing Authentication Token"},
		"another scheme":            {"POST", "/model/m/invoke", http.Header{"Authorization": {"Basic YTpi"}}, 1, 403, "Missing Authentication Token"},
		"unknown bearer key":        {"POST", "/model/m/invoke", bearer("other"), 1, 403, "security token"},
		"unknown access key":        {"POST", "/model/m/invoke", signed("NONE", "eu-west-1"), 1, 403, "security token"},
		"too long, by bearer key":   {"POST", "/model/m/invoke", bearer("bearer"), tooLong, 400, "less than or equal to 25000000"},
		"too long, signed":          {"POST", "/model/m/invoke", signed("AKID", "eu-west-1"), tooLong, 400, "less than or equal to 25000000"},
		"nobody, of unknown length": {"POST", "/model/m/invoke", http.Header{}, -1, 403, "Missing Authentication Token"},
	} {
		r := httptest.NewRequest(tt.method, tt.target, unread{t})
		r.Header, r.ContentLength = tt.header, tt.length
		w := httptest.NewRecorder()
		newFront(&scriptedGateway{unexpected: true}, time.Now).ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.answer) {
			t.Errorf("%s: %d %s, want %d and %q", name, w.Code, w.Body, tt.status, tt.answer)
		}
	}
}

// A client that goes away while it sends is not answered.
func TestAClientThatStopsSending(t *testing.T) {
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("ServeHTTP panicked with %v, want http.ErrAbortHandler", cause)
		}
	}()
	serveBearer(&scriptedGateway{unexpected: true}, "/model/m/invoke", io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	t.Error("ServeHTTP returned, want it aborted")
}

func TestSendHandsOverTheCaller(t *testing.T) {
	g := &scriptedGateway{Answer: answer}
	caller := inference.Caller{ID: "sub-1", Name: "ann"}
	response, record, err := send(t.Context(), g, caller)
	if err != nil || response.Status != 200 {
		t.Fatalf("Send = %v, %v", response, err)
	}
	if g.request.Caller != caller || g.request.Principal != developer {
		t.Errorf("the gateway was asked by %v behind %v, want %v behind %v", g.request.Caller, g.request.Principal, caller, developer)
	}
	if id := response.Header.Get("X-Amzn-RequestId"); id != record.ID || id == "" {
		t.Errorf("x-amzn-RequestId = %q, want the record's %q", id, record.ID)
	}
}

// TestSendIsSteered: a request inside the process is steered like the one that it
// answers, except where its own header says otherwise.
func TestSendIsSteered(t *testing.T) {
	above := inference.Steering{Policy: inference.Cost, Session: "kitchen", Trace: true}
	for value, want := range map[string]inference.Steering{
		"":        above,
		"latency": {Policy: inference.Latency, Session: "kitchen", Trace: true},
		"fastest": {},
	} {
		g := &scriptedGateway{Answer: answer, unexpected: value == "fastest"}
		header := jsonHeader()
		header.Set("X-Fairway-Policy", value)
		response, _, err := newFront(g, time.Now).Send(t.Context(), inference.Credential{Principal: developer, Service: "bedrock"}, inference.Caller{}, above,
			&inference.HTTPRequest{Method: "POST", URL: "/model/" + model + "/invoke", Header: header, Body: []byte(prompt)})
		switch {
		case err != nil:
			t.Errorf("Send with policy %q = %v", value, err)
		case g.unexpected && response.Status != 400:
			t.Errorf("Send with policy %q = %d, want 400", value, response.Status)
		case !g.unexpected && g.request.Steering != want:
			t.Errorf("Send with policy %q is steered by %+v, want %+v", value, g.request.Steering, want)
		}
	}
}

func send(ctx context.Context, g front.Gateway, caller inference.Caller) (*inference.HTTPResponse, *inference.Record, error) {
	return newFront(g, time.Now).Send(ctx,
		inference.Credential{Principal: developer, Service: "bedrock", Region: "ap-southeast-1"}, caller, inference.Steering{},
		&inference.HTTPRequest{
			Method: "POST", URL: "https://bedrock-runtime.ap-southeast-1.amazonaws.com/model/" + model + "/invoke",
			Header: jsonHeader(), Body: []byte(prompt),
		})
}

func TestSendRefusesAURLItCannotRead(t *testing.T) {
	_, _, err := newFront(&scriptedGateway{unexpected: true}, time.Now).Send(t.Context(), inference.Credential{}, inference.Caller{}, inference.Steering{},
		&inference.HTTPRequest{Method: "POST", URL: "http://%zz"})
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation {
		t.Errorf("Send of a bad URL = %v, want Validation", err)
	}
}

func TestACallerWhoWentAwayGetsNothing(t *testing.T) {
	g := &scriptedGateway{Error: &inference.Error{Kind: inference.Canceled}}
	response, record, err := send(t.Context(), g, inference.Caller{})
	if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Canceled || response != nil || record == nil {
		t.Errorf("Send = %v, %v, %v, want Canceled with a record", response, record, err)
	}
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler {
			t.Errorf("ServeHTTP panicked with %v, want http.ErrAbortHandler", cause)
		}
	}()
	serveBearer(g, "/model/m/invoke", strings.NewReader(prompt))
	t.Error("ServeHTTP returned, want it aborted")
}

// brokenGateway answers with a stream that fails, or panics.
type brokenGateway struct {
	err    error // of Next; nil panics
	closed int
}

func (g *brokenGateway) Invoke(context.Context, *inference.Request) (inference.Stream, *inference.Record, error) {
	return g, &inference.Record{}, nil
}

func (g *brokenGateway) Next(context.Context) (inference.Event, error) {
	if g.err == nil {
		panic("secret of the panic")
	}
	return inference.Event{}, g.err
}

func (g *brokenGateway) Close() error { g.closed++; return nil }

func TestBrokenGateways(t *testing.T) {
	const internal = `{"message":"The system encountered an unexpected error during processing. Try your request again."}`
	for _, tt := range []struct {
		err    error
		status int
		body   string
		logged string
	}{
		{nil, 500, internal, "secret of the panic"},
		{io.EOF, 500, internal, "the stream ended before its one event"},
		{errors.New("not ours"), 500, internal, "not ours"},
		{&inference.Error{Kind: inference.ModelTimeout, Message: "m"}, 408, `{"message":"m"}`, ""},
	} {
		var log bytes.Buffer
		g := &brokenGateway{err: tt.err}
		door := newFrontWith(g, time.Now, slog.New(slog.NewTextHandler(&log, nil)))
		response, _, err := door.Send(t.Context(), inference.Credential{Service: "bedrock"}, inference.Caller{}, inference.Steering{},
			&inference.HTTPRequest{Method: "POST", URL: "/model/m/invoke", Header: jsonHeader(), Body: []byte(prompt)})
		if err != nil {
			t.Fatal(err)
		}
		if response.Status != tt.status || string(response.Body) != tt.body {
			t.Errorf("%v: response = %d %s, want %d %s", tt.err, response.Status, response.Body, tt.status, tt.body)
		}
		if g.closed != 1 {
			t.Errorf("%v: the stream was closed %d times, want 1", tt.err, g.closed)
		}
		if !strings.Contains(log.String(), tt.logged) || tt.logged == "" && log.Len() > 0 {
			t.Errorf("%v: log = %q, want %q in it", tt.err, &log, tt.logged)
		}
	}
}

// TestRefusalsAreLogged: the gateway logs what it sees, the front the rest, and
// never what a caller sent.
func TestRefusalsAreLogged(t *testing.T) {
	var log bytes.Buffer
	door := newFrontWith(&scriptedGateway{unexpected: true}, time.Now, slog.New(slog.NewTextHandler(&log, nil)))
	r := httptest.NewRequest("POST", "/model/m/invoke", strings.NewReader(prompt))
	r.Header.Set("Authorization", "Bearer sesame")
	door.ServeHTTP(httptest.NewRecorder(), r)
	if got := log.String(); !strings.Contains(got, "UnrecognizedClientException") || strings.Contains(got, "sesame") {
		t.Errorf("log = %q, want the kind and not the key", got)
	}
	log.Reset()
	r = httptest.NewRequest("POST", "/model/m/invoke", strings.NewReader(prompt))
	r.Header.Set("Authorization", "Bearer bearer")
	r.Header.Set("X-Amzn-Bedrock-Trace", "sesame")
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	if got := log.String(); !strings.Contains(got, "ValidationException") || strings.Contains(got, "sesame") || !strings.Contains(w.Body.String(), "sesame") {
		t.Errorf("log = %q after the answer %s, want the kind and not the value that the answer quotes", got, w.Body)
	}
	log.Reset()
	r = httptest.NewRequest("POST", "/model/m/invoke", strings.NewReader(prompt))
	r.Header.Set("Authorization", "Bearer bearer")
	r.Header.Set("X-Fairway-Policy", "sesame")
	door.ServeHTTP(httptest.NewRecorder(), r)
	if got := log.String(); !strings.Contains(got, "x-fairway-policy") || !strings.Contains(got, "principal=developer") || strings.Contains(got, "sesame") {
		t.Errorf("log = %q, want the header and whose it is, and not its value", got)
	}
}

// TestDeadlineIsPassedOn as the client told it.
func TestDeadlineIsPassedOn(t *testing.T) {
	for ttl, ahead := range map[string]time.Duration{"": 0, "ttl=" + time.Now().Add(time.Hour).UTC().Format("20060102T150405Z"): time.Hour} {
		g := &scriptedGateway{Answer: answer}
		r := httptest.NewRequest("POST", "/model/m/invoke", strings.NewReader(prompt))
		r.Header.Set("Authorization", "Bearer bearer")
		r.Header.Set("Amz-Sdk-Request", "attempt=1; max=3; "+ttl)
		newFront(g, time.Now).ServeHTTP(httptest.NewRecorder(), r)
		if got := g.request.Deadline; got.IsZero() != (ahead == 0) || ahead > 0 && time.Until(got).Round(time.Minute) != ahead {
			t.Errorf("the gateway is given the deadline %s for %q, want one in %s", got, ttl, ahead)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	g := &scriptedGateway{Answer: answer, Usage: &inference.Usage{InputTokens: 12, OutputTokens: 5}}
	door := newFront(g, time.Now)
	credential := inference.Credential{Principal: developer, Service: "bedrock", Region: "ap-southeast-1"}
	request := &inference.HTTPRequest{
		Method: "POST", URL: "https://bedrock-runtime.ap-southeast-1.amazonaws.com/model/" + model + "/invoke",
		Header: jsonHeader(), Body: []byte(prompt),
	}
	b.ReportAllocs()
	for b.Loop() {
		if response, _, err := door.Send(b.Context(), credential, inference.Caller{}, inference.Steering{}, request); err != nil || response.Status != 200 {
			b.Fatal(response, err)
		}
	}
}

// BenchmarkServeHTTP is the same call with its signature verified, without a socket.
func BenchmarkServeHTTP(b *testing.B) {
	at := time.Now()
	door := newFront(&scriptedGateway{Answer: answer}, func() time.Time { return at })
	r := httptest.NewRequest("POST", "/model/"+model+"/invoke", strings.NewReader(prompt))
	r.Header = jsonHeader()
	sigv4.Sign(r, []byte(prompt), sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, "ap-southeast-1", "bedrock", at)
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(prompt))
		w := httptest.NewRecorder()
		if door.ServeHTTP(w, r); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}
