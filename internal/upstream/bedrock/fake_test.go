package bedrock

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

const (
	model     = "anthropic.claude-sonnet-4-20250514-v1:0"
	singapore = inference.Region("ap-southeast-1")
	secret    = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var keys = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", secret, "")

// fakeAWS stands in for AWS: every region below its own base path, behind signatures.
type fakeAWS struct {
	*httptest.Server
	answer  http.HandlerFunc // in place of the model, nil for none
	mu      sync.Mutex
	calls   []*http.Request
	bodies  []string
	rest    chan struct{} // closed when the test ends
	secrets map[string]string
}

func newAWS(t testing.TB) *fakeAWS {
	f := &fakeAWS{rest: make(chan struct{}), secrets: map[string]string{"AKIDEXAMPLE": secret}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Server.Close)
	t.Cleanup(func() { close(f.rest) }) // first: lets go of calls that hang
	return f
}

// upstream calls the stand-in.
func (f *fakeAWS) upstream(t testing.TB, c Config) *Upstream {
	t.Helper()
	c.Endpoint = cmp.Or(c.Endpoint, f.URL+"/region/{region}")
	c.ControlEndpoint = c.Endpoint
	if c.Credentials == nil {
		c.Credentials = keys
	}
	return open(t, c)
}

func open(t testing.TB, c Config) *Upstream {
	t.Helper()
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, "/dev/null")
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	u, err := New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return u
}

// last is the latest call and its body.
func (f *fakeAWS) last() (*http.Request, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.calls) - 1
	return f.calls[n], f.bodies[n]
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls, f.bodies = append(f.calls, r), append(f.bodies, string(body))
	f.mu.Unlock()
	if problem := f.verify(r, body); problem != "" {
		refuse(w, 403, "InvalidSignatureException", problem)
		return
	}
	if f.answer != nil {
		f.answer(w, r)
		return
	}
	speak(w, r, body)
}

// verify holds the signature against the region of the path. A bearer key is good
// without one.
func (f *fakeAWS) verify(r *http.Request, body []byte) string {
	if r.Header.Get("Authorization") == "Bearer bedrock-key" {
		return ""
	}
	a, err := sigv4.Parse(r.Header.Get("Authorization"))
	if err != nil {
		return err.Error()
	}
	at, err := sigv4.Time(r.Header)
	switch {
	case err != nil:
		return err.Error()
	case a.Scope.Region != strings.Split(r.URL.Path, "/")[2] || a.Scope.Service != "bedrock":
		return "Credential should be scoped to a valid region."
	case !a.Verify(sigv4.RequestOf(r, body), a.Scope.Key(f.secrets[a.AccessKeyID]), at):
		return "The request signature we calculated does not match the signature you provided."
	}
	return ""
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("X-Amzn-Errortype", kind+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// operations are the last segments of paths.
var operations = map[string]inference.Operation{
	"invoke":                      inference.InvokeModel,
	"invoke-with-response-stream": inference.InvokeModelWithResponseStream,
	"converse":                    inference.Converse,
	"converse-stream":             inference.ConverseStream,
	"count-tokens":                inference.CountTokens,
}

// speak answers /region/{region}/model/{id}/{operation} as a model does.
func speak(w http.ResponseWriter, r *http.Request, body []byte) {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	named, err := url.PathUnescape(segments[4])
	if err != nil || len(segments) != 6 {
		refuse(w, 404, "UnknownOperationException", r.URL.Path)
		return
	}
	operation, id := operations[segments[5]], inference.ModelID(named[max(strings.Index(named, "anthropic."), 0):])
	if operation == inference.CountTokens {
		count(w, body, id)
		return
	}
	form, err := invocation.Of(operation, id)
	if err == nil {
		_, err = form.Decode(body)
	}
	if err != nil {
		refuse(w, 400, "ValidationException", inference.AsError(err).Message)
		return
	}
	if operation.Streams() {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	}
	for _, choice := range []string{"X-Amzn-Bedrock-Service-Tier", "X-Amzn-Bedrock-Performanceconfig-Latency"} {
		if values, ok := r.Header[choice]; ok {
			w.Header()[choice] = values
		}
	}
	w.Header().Set("X-Amzn-Bedrock-Input-Token-Count", strconv.Itoa(usage.InputTokens))
	w.Header().Set("X-Amzn-Bedrock-Output-Token-Count", strconv.Itoa(usage.OutputTokens))
	writer := form.Begin(dialect.Head{ID: "00000000000040008000000000000000", Model: "claude-sonnet-4-20250514"})
	for _, e := range events(writer) {
		_, _ = w.Write(e.Raw)
		_ = http.NewResponseController(w).Flush()
	}
}

func count(w http.ResponseWriter, body []byte, id inference.ModelID) {
	if _, err := invocation.Counted(body, id); err != nil {
		refuse(w, 400, "ValidationException", inference.AsError(err).Message)
		return
	}
	_, _ = io.WriteString(w, `{"inputTokens":17}`)
}

var usage = inference.Usage{InputTokens: 17, OutputTokens: 6}

// words are what the model says.
var words = []string{"Fry ", "the ", "chicken ", "with ", "the ", "carrots."}

func events(w *invocation.Writer) (all []inference.Event) {
	pieces := []dialect.Piece{
		{Kind: dialect.Began, Usage: &inference.Usage{InputTokens: usage.InputTokens}},
		{Kind: dialect.BlockBegan, Block: dialect.Block{Type: dialect.Text}},
	}
	for _, word := range words {
		pieces = append(pieces, dialect.Piece{Kind: dialect.Delta, Text: word})
	}
	pieces = append(pieces,
		dialect.Piece{Kind: dialect.BlockEnded},
		dialect.Piece{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: dialect.EndTurn}},
		dialect.Piece{Kind: dialect.Ended, Usage: &usage, LatencyMS: 40})
	for _, p := range pieces {
		events, err := w.Write(p)
		if err != nil {
			panic(err)
		}
		all = append(all, events...)
	}
	return all
}

var target = inference.Target{Region: singapore, Model: model}

// ask is a call of the model, in whose region there is nothing else.
func ask(operation inference.Operation, body string) *inference.Request {
	return &inference.Request{
		ID: "00000000-0000-4000-8000-000000000000", Operation: operation,
		Model: model, SourceRegion: singapore, Body: []byte(body),
	}
}

// read is the events of a stream without signs of life, and what ended it.
func read(ctx context.Context, s inference.Stream) (events []inference.Event, err error) {
	defer s.Close()
	for {
		e, err := s.Next(ctx)
		if err != nil {
			return events, err
		}
		if !e.IsLifeSign() {
			e.Raw = slices.Clone(e.Raw)
			events = append(events, e)
		}
	}
}
