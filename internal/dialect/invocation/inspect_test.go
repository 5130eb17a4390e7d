package invocation

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// chunk is the frame of a model's own event.
func chunk(event string) []byte {
	payload := `{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(event)) + `","p":"abcdefgh"}`
	return eventstream.Event("chunk", "application/json", []byte(payload))
}

// What an event is; content and final may both be so.
const neither, content, final = "-", "c", "f"

func classified(e inference.Event) string {
	switch {
	case e.Content && e.Final:
		return content + final
	case e.Content:
		return content
	case e.Final:
		return final
	}
	return neither
}

const invocationMetrics = `"amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":7,"invocationLatency":9,"firstByteLatency":1,"cacheReadInputTokenCount":2,"cacheWriteInputTokenCount":0}`

var metered = &inference.Usage{InputTokens: 3, OutputTokens: 7, CacheReadTokens: 2, Caching: true}

// TestFrameOfChunks: each is the first of its stream.
func TestFrameOfChunks(t *testing.T) {
	for event, want := range map[string]string{
		`{"type":"ping"}`: neither,
		`{"type":"message_start","message":{"usage":{"input_tokens":3}}}`:                            neither,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`:         neither,
		`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"tool_use"}}`: neither,
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"f"}}`:    content,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}`:          content,
		` { "type" : "content_block_delta" }`:                                                        content,
		`{"index":0,"type":"content_block_delta"}`:                                                   content,
		`{"type":"content_block_stop","index":0}`:                                                    neither,
		`{"type":"message_delta","delta":{},"usage":{"output_tokens":5}}`:                            neither,
		`{"type":"message_stop"}`:                                                  final,
		`{"type":"message_stop",` + invocationMetrics + `}`:                        final,
		`{` + invocationMetrics + `,"type":"message_stop"}`:                        final,
		`{"type":"later_event"}`:                                                   neither,
		`{"messageStart":{"role":"assistant"}}`:                                    neither,
		`{"contentBlockStart":{"start":{"toolUse":{}}}}`:                           content,
		`{"contentBlockDelta":{"delta":{"text":"a"}}}`:                             content,
		`{"contentBlockStop":{}}`:                                                  neither,
		`{"messageStop":{"stopReason":"end_turn"}}`:                                neither,
		`{"metadata":{"usage":{"inputTokens":3}}}`:                                 final,
		`{"metadata":{},` + invocationMetrics + `}`:                                final,
		`{"outputText":"a","index":0}`:                                             content,
		`{"outputText":"","completionReason":"FINISH",` + invocationMetrics + `}`:  final,
		`{"outputText":"a","completionReason":"FINISH",` + invocationMetrics + `}`: content + final,
		`{"generation":"a"}`:                                                       content,
		`{"generation":"","stop_reason":"stop"}`:                                   neither,
		`{"outputs":[{"text":"a","stop_reason":null}]}`:                            content,
		`{"outputs":[{"text":""}]}`:                                                neither,
		`{"id":"x","choices":[{"delta":{"role":"assistant","content":""}}]}`:       neither,
		`{"id":"x","choices":[{"delta":{"content":"a"}}]}`:                         content,
		`{"id":"x","choices":[{"delta":{"tool_calls":[{"index":0}]}}]}`:            content,
		`{"id":"x","choices":[],` + invocationMetrics + `}`:                        final,
		`{"generation":"\"amazon-bedrock-invocationMetrics\":{}"}`:                 content,
		`{"generation":"amazon-bedrock-invocationMetrics"}`:                        content,
		`{"type":"content_block_delta","delta":{"text":"amazon-bedrock-invocationMetrics"},"type2":"message_stop"}`: content,
		`{}`: neither,
	} {
		e, err := Inspect(inference.InvokeModelWithResponseStream).Frame(chunk(event))
		if err != nil || classified(e) != want {
			t.Errorf("Frame(%s) = %s, %v, want %s", event, classified(e), err, want)
			continue
		}
		if strings.Contains(want, final) && strings.Contains(event, invocationMetrics) {
			if diff := cmp.Diff(metered, e.Usage); diff != "" {
				t.Errorf("Frame(%s) usage (-want +got):\n%s", event, diff)
			}
		}
	}
}

// TestFrameAfterContent: what ends a stream is found after content too.
func TestFrameAfterContent(t *testing.T) {
	for event, want := range map[string]string{
		`{"id":"x","choices":[{"delta":{"content":"b"}}]}`: content,
		`{"index":0,"type":"message_stop"}`:                final,
		`{"type":"message_stop"}`:                          final,
		`{"outputText":"",` + invocationMetrics + `}`:      content + final,
	} {
		i := Inspect(inference.InvokeModelWithResponseStream)
		if _, err := i.Frame(chunk(`{"outputText":"a"}`)); err != nil {
			t.Fatal(err)
		}
		if e, err := i.Frame(chunk(event)); err != nil || classified(e) != want {
			t.Errorf("Frame(%s) = %s, %v, want %s", event, classified(e), err, want)
		}
	}
}

// TestUsageSoFar: without metrics the usage of Anthropic's own events counts.
func TestUsageSoFar(t *testing.T) {
	start := inference.Usage{InputTokens: 3, OutputTokens: 1, CacheReadTokens: 2, CacheWriteTokens: 1, Caching: true}
	end := start
	end.OutputTokens = 7
	i := Inspect(inference.InvokeModelWithResponseStream)
	for _, test := range []struct {
		event string
		want  inference.Usage
	}{
		{`{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":2,"cache_creation_input_tokens":1,"output_tokens":1}}}`, start},
		{`{"type":"message_delta","usage":{"output_tokens":7}}`, end},
		{`{"type":"message_stop"}`, end},
	} {
		e, err := i.Frame(chunk(test.event))
		if err != nil || e.Usage == nil || *e.Usage != test.want {
			t.Errorf("Frame(%s) usage = %+v, %v, want %+v", test.event, e.Usage, err, test.want)
		}
	}
}

// TestHourSoFar: how long the cache keeps what it wrote is told before the metrics,
// which do not tell it.
func TestHourSoFar(t *testing.T) {
	i := Inspect(inference.InvokeModelWithResponseStream)
	for _, event := range []string{
		`{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_creation_input_tokens":9,"output_tokens":1,` +
			`"cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":4}}}}`,
		`{"type":"message_delta","usage":{"output_tokens":7}}`,
		`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":3,"outputTokenCount":7,"cacheWriteInputTokenCount":9}}`,
	} {
		e, err := i.Frame(chunk(event))
		if err != nil || e.Usage == nil || e.Usage.CacheWriteTokens != 9 || e.Usage.CacheWrite1h != 4 {
			t.Errorf("Frame(%s) usage = %+v, %v, want 9 tokens written, 4 for an hour", event, e.Usage, err)
		}
	}
}

func TestFrameOfConverse(t *testing.T) {
	for event, want := range map[string]string{
		"messageStart": neither, "contentBlockStart": content, "contentBlockDelta": content, "contentBlockStop": neither,
		"messageStop": neither, "metadata": final, "laterEvent": neither, "chunk": neither,
	} {
		payload := []byte(`{"metrics":{"latencyMs":9},"p":"abc","usage":{"inputTokens":3,"outputTokens":7,"totalTokens":12,"cacheReadInputTokens":2,"cacheWriteInputTokens":0}}`)
		e, err := Inspect(inference.ConverseStream).Frame(eventstream.Event(event, "application/json", payload))
		if err != nil || classified(e) != want {
			t.Errorf("Frame(%s) = %s, %v, want %s", event, classified(e), err, want)
		}
		if diff := cmp.Diff(metered, e.Usage); want == final && diff != "" {
			t.Errorf("Frame(%s) usage (-want +got):\n%s", event, diff)
		}
	}
}

func exception(kind, payload string) []byte {
	return eventstream.Append(nil, eventstream.ExceptionHeaders(kind), []byte(payload))
}

func unmodelled(code, message string) []byte {
	h := eventstream.Headers(nil).With(eventstream.ErrorCode, code).With(eventstream.ErrorMessage, message).With(eventstream.MessageType, "error")
	return eventstream.Append(nil, h, nil)
}

func TestFrameFailures(t *testing.T) {
	for _, test := range []struct {
		frame     []byte
		kind      inference.Kind
		message   string
		original  int
		transport bool
	}{
		{exception("throttlingException", `{"message":"slow down"}`), inference.Throttling, "slow down", 0, false},
		{exception("validationException", `{"message":"Input is too long for requested model."}`), inference.Validation, "Input is too long for requested model.", 0, false},
		{exception("modelStreamErrorException", `{"message":"m","originalStatusCode":503,"originalMessage":"o"}`), inference.ModelStreamError, "m", 503, false},
		{exception("modelTimeoutException", `{}`), inference.ModelTimeout, "", 0, false},
		{exception("serviceUnavailableException", `no JSON`), inference.ServiceUnavailable, "", 0, false},
		{exception("laterException", `{"message":"m"}`), inference.InternalServer, "m", 0, false},
		{unmodelled("InternalFailure", "m"), inference.InternalServer, "m", 0, false},
		{unmodelled("ServiceUnavailable", "m"), inference.ServiceUnavailable, "m", 0, false},
		{eventstream.Append(nil, nil, nil), inference.ServiceUnavailable, "Bedrock is unable to process your request.", 0, true},
		{chunk("{}")[1:], inference.ServiceUnavailable, "Bedrock is unable to process your request.", 0, true},
		{chunk("[]"), inference.ServiceUnavailable, "Bedrock is unable to process your request.", 0, true},
		{chunk(`{"type":"message_start","message":7}`), inference.ServiceUnavailable, "Bedrock is unable to process your request.", 0, true},
		{eventstream.Event("chunk", "", []byte(`{"bytes":"!"}`)), inference.ServiceUnavailable, "Bedrock is unable to process your request.", 0, true},
		{eventstream.Event("chunk", "", []byte(`{"p":"bytes"}`)), inference.ServiceUnavailable, "Bedrock is unable to process your request.", 0, true},
		{eventstream.Event("chunk", "", []byte(`{`)), inference.ServiceUnavailable, "Bedrock is unable to process your request.", 0, true},
	} {
		e, err := Inspect(inference.InvokeModelWithResponseStream).Frame(test.frame)
		got, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Raw != nil || got.Kind != test.kind || got.Message != test.message || got.OriginalStatus != test.original || got.Transport != test.transport {
			t.Errorf("Frame(%q) = %+v, %v, want %s %q", test.frame, e, err, test.kind, test.message)
		}
	}
}

// TestNoWordsOfTheRegionInLogs: what a region says may quote the prompt, also what it
// says that the model said.
func TestNoWordsOfTheRegionInLogs(t *testing.T) {
	for _, frame := range [][]byte{
		exception("modelStreamErrorException", `{"message":"SECRET","originalMessage":"SECRET"}`),
		exception("laterException", `{"message":"SECRET"}`),
		unmodelled("InternalFailure", "SECRET"),
	} {
		_, err := Inspect(inference.InvokeModelWithResponseStream).Frame(frame)
		if line := inference.AsError(err).LogValue().String(); strings.Contains(line, "SECRET") || !strings.Contains(line, "Exception") {
			t.Errorf("Frame(%q) is logged as %q, want its kind alone", frame, line)
		}
	}
}

func TestChunkOfAnyJSON(t *testing.T) {
	for _, payload := range []string{`{"bytes":"e30="}`, ` { "p" : "x" , "bytes" : "e30=" }`, `{"bytes":"e30\u003d"}`} {
		if got, err := appendChunk(nil, []byte(payload)); err != nil || string(got) != "{}" {
			t.Errorf("appendChunk(%s) = %s, %v, want {}", payload, got, err)
		}
	}
}

func TestBody(t *testing.T) {
	header := http.Header{}
	header.Set("X-Amzn-Bedrock-Input-Token-Count", "3")
	header.Set("X-Amzn-Bedrock-Output-Token-Count", "7")
	cached := header.Clone()
	cached.Set("X-Amzn-Bedrock-Cache-Read-Input-Token-Count", "2")
	cached.Set("X-Amzn-Bedrock-Cache-Write-Input-Token-Count", "0")
	wrote := header.Clone()
	wrote.Set("X-Amzn-Bedrock-Cache-Write-Input-Token-Count", "9")
	hourly := &inference.Usage{InputTokens: 3, OutputTokens: 7, CacheWriteTokens: 9, CacheWrite1h: 4, Caching: true}
	for _, test := range []struct {
		name   string
		op     inference.Operation
		header http.Header
		body   string
		want   *inference.Usage
	}{
		{"headers", inference.InvokeModel, cached, `{"usage":{"input_tokens":99}}`, metered},
		{"headers without cache", inference.InvokeModel, header, `{}`, &inference.Usage{InputTokens: 3, OutputTokens: 7}},
		{"Anthropic, for an hour", inference.InvokeModel, nil, `{"usage":{"input_tokens":3,"output_tokens":7,"cache_creation_input_tokens":9,` +
			`"cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":4}}}`, hourly},
		{"headers, and an hour in the body", inference.InvokeModel, wrote, `{"usage":{"cache_creation":{"ephemeral_1h_input_tokens":4}}}`, hourly},
		{"headers, and no JSON", inference.InvokeModel, wrote, `x`, &inference.Usage{InputTokens: 3, OutputTokens: 7, CacheWriteTokens: 9, Caching: true}},
		{"more for an hour than written", inference.InvokeModel, cached, `{"usage":{"cache_creation":{"ephemeral_1h_input_tokens":4}}}`, metered},
		{"Converse, for an hour", inference.Converse, nil, `{"usage":{"inputTokens":3,"outputTokens":7,"cacheWriteInputTokens":9,` +
			`"cacheDetails":[{"ttl":"1h","inputTokens":4},{"ttl":"5m","inputTokens":5}]}}`, hourly},
		{"Anthropic", inference.InvokeModel, nil, `{"usage":{"input_tokens":3,"output_tokens":7,"cache_read_input_tokens":2,"cache_creation_input_tokens":0}}`, metered},
		{"OpenAI", inference.InvokeModel, nil, `{"usage":{"prompt_tokens":5,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":2}}}`, metered},
		{"Nova", inference.InvokeModel, nil, `{"usage":{"inputTokens":3,"outputTokens":7,"cacheReadInputTokenCount":2}}`, metered},
		{"Converse", inference.Converse, http.Header{}, `{"usage":{"inputTokens":3,"outputTokens":7,"totalTokens":12,"cacheReadInputTokens":2}}`, metered},
		{"nothing told", inference.InvokeModel, nil, `{"outputs":[]}`, nil},
		{"no JSON", inference.InvokeModel, nil, `x`, nil},
		{"CountTokens", inference.CountTokens, nil, `{"inputTokens":3,"usage":{"inputTokens":3}}`, nil},
	} {
		got := Inspect(test.op).Body(test.header, []byte(test.body))
		want := inference.Event{Raw: []byte(test.body), Content: true, Final: true, Usage: test.want}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: Body() (-want +got):\n%s", test.name, diff)
		}
	}
}

// FuzzFrame: whatever model event comes, an error means no event, and Inspector and
// Reader agree on what cannot be read at all.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"type":"message_stop",`+invocationMetrics+`}`), true)
	f.Add([]byte(`{"type":"message_start","message":{"usage":{"input_tokens":3}}}`), true)
	f.Add([]byte(`{"metadata":{"usage":{}}}`), true)
	f.Add([]byte(`{"bytes":"e30="}`), false)
	f.Fuzz(func(t *testing.T, event []byte, wrap bool) {
		frame := eventstream.Event("chunk", "application/json", event)
		if wrap {
			frame = chunk(string(event))
		}
		i := Inspect(inference.InvokeModelWithResponseStream)
		for range 2 {
			e, err := i.Frame(frame)
			if err == nil {
				continue
			}
			if known, ok := errors.AsType[*inference.Error](err); !ok || !known.Transport || e.Raw != nil {
				t.Fatalf("Frame(%q) = %+v, %v, want a transport error and nothing else", event, e, err)
			}
		}
		r, err := Read(inference.InvokeModelWithResponseStream, claude)
		if err != nil {
			t.Fatal(err)
		}
		if pieces, err := r.Read(inference.Event{Raw: frame}); err != nil && pieces != nil {
			t.Fatalf("Read(%q) = %v, %v, want exactly one", event, pieces, err)
		}
	})
}

func BenchmarkInspector(b *testing.B) {
	for name, test := range map[string]struct {
		op    inference.Operation
		frame []byte
	}{
		"anthropic": {inference.InvokeModelWithResponseStream, chunk(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" and so on"}}`)},
		"llama":     {inference.InvokeModelWithResponseStream, chunk(`{"generation":" and so on","prompt_token_count":null,"generation_token_count":4,"stop_reason":null}`)},
		"converse": {inference.ConverseStream, eventstream.Event("contentBlockDelta", "application/json",
			[]byte(`{"contentBlockIndex":0,"delta":{"text":" and so on"},"p":"abcdefghijklmnop"}`))},
	} {
		b.Run(name, func(b *testing.B) {
			i := Inspect(test.op)
			if _, err := i.Frame(test.frame); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := i.Frame(test.frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestServedBySimulation: another Fairway's simulated region is known for one.
func TestServedBySimulation(t *testing.T) {
	if told := Served(http.Header{"X-Fairway-Simulated": {"true"}}); told == nil || !told.Simulated {
		t.Errorf("Served = %+v, want simulated", told)
	}
	if told := Served(http.Header{"X-Fairway-Simulated": {"maybe"}}); told != nil {
		t.Errorf("Served = %+v, want nothing told", told)
	}
}
