package invocation

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// models has one of each family, and whether calls of it are read here too.
var models = map[inference.ModelID]bool{
	"anthropic.claude-sonnet-4-20250514-v1:0": true,
	"openai.gpt-oss-120b-1:0":                 true,
	"amazon.nova-pro-v1:0":                    false,
	"amazon.titan-text-express-v1":            false,
	"meta.llama3-1-70b-instruct-v1:0":         false,
	"mistral.mistral-large-2402-v1:0":         false,
	"mistral.pixtral-large-2502-v1:0":         true,
}

const claude, novaPro, llama inference.ModelID = "anthropic.claude-sonnet-4-20250514-v1:0", "amazon.nova-pro-v1:0", "meta.llama3-1-70b-instruct-v1:0"

var operations = []inference.Operation{
	inference.InvokeModel, inference.InvokeModelWithResponseStream, inference.Converse, inference.ConverseStream,
}

var head = dialect.Head{ID: "0123456789abcdef", Model: "claude-sonnet-4-20250514", Created: 1_700_000_000}

func answered() *dialect.Answer {
	return &dialect.Answer{
		Head:      head,
		Content:   []dialect.Block{{Type: dialect.Text, Text: "Hi there, \"amazon-bedrock-invocationMetrics\": is only text"}},
		Stop:      dialect.Stop{Reason: dialect.EndTurn},
		Usage:     inference.Usage{InputTokens: 12, OutputTokens: 5},
		LatencyMS: 1043,
	}
}

// write frames the answer.
func write(t testing.TB, op inference.Operation, model inference.ModelID, a *dialect.Answer) []inference.Event {
	t.Helper()
	form, err := Of(op, model)
	if err != nil {
		t.Fatal(err)
	}
	w := form.Begin(a.Head)
	var events []inference.Event
	for _, p := range a.Pieces() {
		written, err := w.Write(p)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, written...)
	}
	return events
}

// TestEveryForm: in each form an answer ends with its one final event, which has
// the usage; Inspector finds of the frames what Writer said of them; and Reader
// makes the answer of them again.
func TestEveryForm(t *testing.T) {
	for model, read := range models {
		for _, op := range operations {
			events := write(t, op, model, answered())
			content := false
			for n, e := range events {
				content = content || e.Content
				if e.Final != (n == len(events)-1) {
					t.Errorf("%s %s: event %d of %d is final: %v", op, model, n, len(events), e.Final)
				}
			}
			last := events[len(events)-1]
			if last.Usage == nil || last.Usage.InputTokens != 12 || last.Usage.OutputTokens != 5 || !content {
				t.Errorf("%s %s: usage %v, content %v, want 12 and 5 tokens and content", op, model, last.Usage, content)
			}
			if op.Streams() {
				inspect(t, op, model, events)
			}
			if read || op != inference.InvokeModel {
				collect(t, op, model, events, answered())
			}
		}
	}
}

func inspect(t *testing.T, op inference.Operation, model inference.ModelID, events []inference.Event) {
	t.Helper()
	i, committed := Inspect(op), false
	for n, want := range events {
		got, err := i.Frame(want.Raw)
		if err != nil {
			t.Fatalf("%s %s: Frame error = %v", op, model, err)
		}
		if got.Final != want.Final || !committed && got.Content != want.Content {
			t.Errorf("%s %s: Frame %d = content %v, final %v, want %v, %v", op, model, n, got.Content, got.Final, want.Content, want.Final)
		}
		if want.Final {
			if diff := cmp.Diff(want.Usage, got.Usage); diff != "" {
				t.Errorf("%s %s: usage (-want +got):\n%s", op, model, diff)
			}
		}
		committed = committed || want.Content
	}
}

func collect(t *testing.T, op inference.Operation, model inference.ModelID, events []inference.Event, want *dialect.Answer) {
	t.Helper()
	r, err := Read(op, model)
	if err != nil {
		t.Fatal(err)
	}
	collector := dialect.NewCollector(want.Head)
	for _, e := range events {
		pieces, err := r.Read(e)
		if err != nil {
			t.Fatalf("%s %s: Read error = %v", op, model, err)
		}
		for _, p := range pieces {
			if err := collector.Add(p); err != nil {
				t.Fatalf("%s %s: %v", op, model, err)
			}
		}
	}
	got, err := collector.Answer()
	if err != nil {
		t.Fatalf("%s %s: %v", op, model, err)
	}
	if op == inference.InvokeModel {
		got.LatencyMS = want.LatencyMS // a header tells it
	}
	got.Usage.Caching = want.Usage.Caching // Anthropic's usage has cached tokens in any case
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s %s (-want +got):\n%s", op, model, diff)
	}
}

func TestOf(t *testing.T) {
	for _, op := range operations {
		_, err := Of(op, "cohere.command-r-v1:0")
		_, readErr := Read(op, "cohere.command-r-v1:0")
		if converse := op == inference.Converse || op == inference.ConverseStream; (err == nil) != converse || (readErr == nil) != converse {
			t.Errorf("Of(%s, cohere) error = %v, Read error = %v, want errors: %v", op, err, readErr, !converse)
		}
		if err != nil && inference.AsError(err).Kind != inference.Validation {
			t.Errorf("Of(%s, cohere) error = %v, want a Validation", op, err)
		}
	}
	if _, err := Read(inference.InvokeModel, llama); inference.AsError(err).Kind != inference.Validation {
		t.Errorf("Read(InvokeModel, llama) error = %v, want a Validation", err)
	}
}

func TestDecode(t *testing.T) {
	for model, body := range map[inference.ModelID]string{
		claude:                            `{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}`,
		novaPro:                           `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`,
		llama:                             `{"prompt":"Hi"}`,
		"openai.gpt-oss-120b-1:0":         `{"messages":[{"role":"user","content":"Hi"}]}`,
		"amazon.titan-text-express-v1":    `{"inputText":"Hi"}`,
		"mistral.mistral-large-2402-v1:0": `{"prompt":"Hi"}`,
	} {
		form, err := Of(inference.InvokeModel, model)
		if err != nil {
			t.Fatal(err)
		}
		c, err := form.Decode([]byte(body))
		if err != nil || c.LastUserText() != "Hi" {
			t.Errorf("Decode(%s) = %+v, %v, want the user's Hi", body, c, err)
		}
		counted := `{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(body)) + `"}}}`
		if c, err = Counted([]byte(counted), model); err != nil || c.LastUserText() != "Hi" {
			t.Errorf("Counted(%s) = %+v, %v, want the user's Hi", counted, c, err)
		}
	}
}

func TestCounted(t *testing.T) {
	c, err := Counted([]byte(`{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"system":[{"text":"s"}]}}}`), "cohere.x")
	if err != nil || c.LastUserText() != "Hi" || c.SystemText() != "s" {
		t.Errorf("Counted(converse) = %+v, %v, want the user's Hi", c, err)
	}
	const malformed = "Malformed input request"
	for body, want := range map[string]string{
		``:   malformed + ", please reformat your input and try again.",
		`{}`: malformed + ": #/input: exactly one of [invokeModel, converse] is wanted, please reformat your input and try again.",
		`{"input":{"invokeModel":{"body":""},"converse":{}}}`: malformed + ": #/input: exactly one of [invokeModel, converse] is wanted, please reformat your input and try again.",
		`{"input":{"invokeModel":{"body":"!"}}}`:              malformed + ": #/input/invokeModel/body: not base64, please reformat your input and try again.",
		`{"input":{"invokeModel":{"body":7}}}`:                malformed + ": #/input/invokeModel/body: expected type: String, found: Number, please reformat your input and try again.",
		`{"input":{"invokeModel":{"body":"e30="}}}`:           "InvokeModel bodies of cohere.x cannot be translated: call it with Converse",
		`{"input":{"converse":{"stream":true}}}`:              malformed + ": #: extraneous key [stream] is not permitted, please reformat your input and try again.",
	} {
		c, err := Counted([]byte(body), "cohere.x")
		if e := inference.AsError(err); c != nil || e.Kind != inference.Validation || e.Message != want {
			t.Errorf("Counted(%s) = %v, %v, want %s", body, c, err, want)
		}
	}
}

// TestMetrics: the last payload of a stream has them at its end.
func TestMetrics(t *testing.T) {
	form, err := Of(inference.InvokeModelWithResponseStream, llama)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		first int64
		usage inference.Usage
		want  string
	}{
		{0, inference.Usage{InputTokens: 1, OutputTokens: 2}, `{"inputTokenCount":1,"outputTokenCount":2,"invocationLatency":40,"firstByteLatency":40}`},
		{7, inference.Usage{InputTokens: 1, OutputTokens: 2, CacheReadTokens: 3, Caching: true},
			`{"inputTokenCount":1,"outputTokenCount":2,"invocationLatency":40,"firstByteLatency":7,"cacheReadInputTokenCount":3,"cacheWriteInputTokenCount":0}`},
	} {
		w := form.Begin(head)
		var last inference.Event
		for _, p := range []dialect.Piece{
			{Kind: dialect.Began, LatencyMS: test.first}, {Kind: dialect.Stopped}, {Kind: dialect.Ended, Usage: &test.usage, LatencyMS: 40},
		} {
			events, err := w.Write(p)
			if err != nil {
				t.Fatal(err)
			}
			if len(events) > 0 {
				last = events[len(events)-1]
			}
		}
		m, err := eventstream.Parse(last.Raw)
		if err != nil {
			t.Fatal(err)
		}
		event, err := appendChunk(nil, m.Payload)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]json.RawMessage
		if err := json.Unmarshal(event, &got); err != nil || string(got["amazon-bedrock-invocationMetrics"]) != test.want {
			t.Errorf("the last event is %s, %v, want metrics %s", event, err, test.want)
		}
	}
	for object, want := range map[string]string{`{}`: `{"amazon-bedrock-invocationMetrics":`, "{ \n} ": "{ \n" + `"amazon-bedrock-invocationMetrics":`, `{"a":1}`: `{"a":1,"amazon`} {
		got := withMetrics([]byte(object), dialect.Piece{}, 0)
		if !json.Valid(got) || string(got[:len(want)]) != want {
			t.Errorf("withMetrics(%s) = %s, want it to begin with %s", object, got, want)
		}
	}
}

// TestWriterRefuses: pieces out of order, and what a family cannot say.
func TestWriterRefuses(t *testing.T) {
	for _, op := range []inference.Operation{inference.InvokeModel, inference.InvokeModelWithResponseStream} {
		form, err := Of(op, llama)
		if err != nil {
			t.Fatal(err)
		}
		w := form.Begin(head)
		a := &dialect.Answer{Content: []dialect.Block{{Type: dialect.ToolUse, ID: "t", Name: "f", Input: json.RawMessage(`{}`)}}}
		var failed error
		for _, p := range a.Pieces() {
			if _, err := w.Write(p); err != nil {
				failed = err
				break
			}
		}
		if failed == nil {
			t.Errorf("%s: Llama called a tool, want an error", op)
		}
	}
	form, _ := Of(inference.Converse, llama)
	if _, err := form.Begin(head).Write(dialect.Piece{Kind: dialect.Delta}); err == nil {
		t.Error("Write(a delta of no block) error = nil, want one")
	}
}

// TestTextless: what writes no text has no form, whatever the operation.
func TestTextless(t *testing.T) {
	for _, model := range []inference.ModelID{
		"amazon.titan-embed-text-v2:0", "amazon.nova-canvas-v1:0", "amazon.nova-reel-v1:1", "amazon.nova-2-multimodal-embeddings-v1:0",
		"cohere.embed-v4:0", "stability.sd3-5-large-v1:0", "amazon.rerank-v1:0",
	} {
		for _, op := range operations {
			_, err := Of(op, model)
			if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation || !strings.Contains(e.Message, "text") {
				t.Errorf("Of(%s, %s) error = %v, want a Validation that says so", op, model, err)
			}
		}
	}
}

// TestWritesAnyARN: a custom model may be called what it likes.
func TestWritesAnyARN(t *testing.T) {
	if model := inference.ModelID("arn:aws:bedrock:us-east-1:123456789012:custom-model/embed"); !Writes(model) {
		t.Errorf("Writes(%s) = false, want true", model)
	}
}

// TestFiller: the frames of a stream are of other lengths than the words in them, and
// the same for the same answer.
func TestFiller(t *testing.T) {
	for _, op := range []inference.Operation{inference.InvokeModelWithResponseStream, inference.ConverseStream} {
		a := answered()
		for range 20 {
			a.Content = append(a.Content, dialect.Block{Type: dialect.Text, Text: "word"})
		}
		lengths := map[int]bool{}
		for n, e := range write(t, op, claude, a) {
			m, err := eventstream.Parse(e.Raw)
			if err != nil {
				t.Fatal(err)
			}
			var padded struct{ P string }
			if err := json.Unmarshal(m.Payload, &padded); err != nil || padded.P == "" {
				t.Errorf("%s: payload %d = %s, %v, want a filler p", op, n, m.Payload, err)
			}
			if e.Content {
				lengths[len(e.Raw)] = true
			}
		}
		if len(lengths) < 5 {
			t.Errorf("%s: the same word is in frames of %d lengths, want more", op, len(lengths))
		}
		if diff := cmp.Diff(write(t, op, claude, a), write(t, op, claude, a)); diff != "" {
			t.Errorf("%s: the same answer is framed otherwise:\n%s", op, diff)
		}
	}
}

// TestServed: the first event of a stream tells how it is served, the one of a unary
// answer also how long it took.
func TestServed(t *testing.T) {
	service := inference.Service{Latency: "standard", Tier: "flex"}
	for _, op := range operations {
		a := answered()
		a.Service = service
		want := &inference.Served{Service: service}
		if !op.Streams() {
			want.MS = a.LatencyMS
		}
		for n, e := range write(t, op, claude, a) {
			if diff := cmp.Diff(want, e.Served); diff != "" {
				t.Errorf("%s: event %d (-want +got):\n%s", op, n, diff)
			}
			want = nil
		}
	}
	header := http.Header{
		"X-Amzn-Bedrock-Service-Tier": {"default"}, "X-Amzn-Bedrock-Performanceconfig-Latency": {"standard"},
		"X-Amzn-Bedrock-Invocation-Latency": {"12"},
	}
	want := &inference.Served{Service: inference.Service{Latency: "standard", Tier: "default"}, MS: 12}
	if got := Inspect(inference.InvokeModel).Body(header, []byte(`{}`)).Served; !cmp.Equal(want, got) {
		t.Errorf("Body(%v).Served = %+v, want %+v", header, got, want)
	}
	if got := Served(http.Header{}); got != nil {
		t.Errorf("Served(no header) = %+v, want nil", got)
	}
}

func TestReadRefuses(t *testing.T) {
	good := write(t, inference.ConverseStream, claude, answered())
	for name, test := range map[string]struct {
		op    inference.Operation
		event inference.Event
	}{
		"a bad frame":         {inference.ConverseStream, inference.Event{Raw: good[0].Raw[1:]}},
		"a body":              {inference.Converse, inference.Event{Raw: []byte(`{`), Final: true}},
		"an early end":        {inference.ConverseStream, inference.Event{Raw: good[0].Raw, Final: true}},
		"a chunk of no JSON":  {inference.InvokeModelWithResponseStream, inference.Event{Raw: eventstream.Event("chunk", "application/json", []byte(`x`))}},
		"a chunk of no bytes": {inference.InvokeModelWithResponseStream, inference.Event{Raw: eventstream.Event("chunk", "application/json", []byte(`{}`))}},
	} {
		r, err := Read(test.op, claude)
		if err != nil {
			t.Fatal(err)
		}
		pieces, err := r.Read(test.event)
		if e, ok := errors.AsType[*inference.Error](err); !ok || pieces != nil || !e.Transport {
			t.Errorf("%s: Read() = %v, %v, want a transport error", name, pieces, err)
		}
	}
	r, _ := Read(inference.ConverseStream, claude)
	if pieces, err := r.Read(inference.Event{}); pieces != nil || err != nil {
		t.Errorf("Read(a sign of life) = %v, %v, want nothing", pieces, err)
	}
	_, err := r.Read(inference.Event{Raw: eventstream.Exception("throttlingException", "slow down")})
	if e := inference.AsError(err); e.Kind != inference.Throttling || e.Message != "slow down" {
		t.Errorf("Read(an exception) error = %v, want it", err)
	}
}

// FuzzAppendText: it finds the text that Read does, or leaves the event to Read.
func FuzzAppendText(f *testing.F) {
	for _, op := range []inference.Operation{inference.InvokeModelWithResponseStream, inference.ConverseStream} {
		for _, p := range []string{"plain", "\"quoted\" \\ \n <b> é 😀 \x00", ""} {
			events := write(f, op, claude, &dialect.Answer{Content: []dialect.Block{{Type: dialect.Text, Text: p}}})
			for _, e := range events {
				if m, err := eventstream.Parse(e.Raw); err == nil {
					f.Add(m.Payload, op == inference.ConverseStream)
				}
			}
		}
	}
	f.Add([]byte(`{"contentBlockIndex":0,"delta":{"text":"a"},"p":"b","x":""}`), true)
	f.Fuzz(func(t *testing.T, payload []byte, converse bool) {
		op, kind := inference.InvokeModelWithResponseStream, "chunk"
		if converse {
			op, kind = inference.ConverseStream, "contentBlockDelta"
		}
		var readers [2]*Reader
		for i := range readers {
			readers[i], _ = Read(op, claude)
			for _, e := range write(t, op, claude, &dialect.Answer{Content: []dialect.Block{{Type: dialect.Text, Text: "a"}}})[:2] {
				_, _ = readers[i].Read(e)
			}
		}
		e := inference.Event{Raw: eventstream.Event(kind, "application/json", payload)}
		text, ok := readers[0].AppendText(nil, e)
		if !ok {
			return
		}
		want := ""
		pieces, err := readers[1].Read(e)
		for _, p := range pieces {
			if want += p.Text; p.Kind != dialect.Delta {
				t.Errorf("AppendText(%q) = %q, want it left to Read, which gives %+v", payload, text, p)
			}
		}
		if err == nil && want != string(text) {
			t.Errorf("AppendText(%q) = %q, want %q", payload, text, want)
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	for _, op := range []inference.Operation{inference.InvokeModelWithResponseStream, inference.ConverseStream} {
		form, err := Of(op, claude)
		if err != nil {
			b.Fatal(err)
		}
		w := form.Begin(head)
		for _, p := range answered().Pieces()[:2] {
			if _, err := w.Write(p); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(string(op), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Write(dialect.Piece{Kind: dialect.Delta, Text: " and so on"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
