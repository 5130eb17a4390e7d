package sim

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

// quoted is s as a JSON text.
func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// prompts are a call of each family with the same prompt.
var prompts = map[string]string{
	sonnet4:      `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":` + quoted(prompt) + `}]}`,
	novaPro:      `{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":` + quoted(prompt) + `}]}]}`,
	titanText:    `{"inputText":` + quoted(prompt) + `}`,
	llama31:      `{"prompt":` + quoted(prompt) + `}`,
	mistralLarge: `{"prompt":` + quoted(prompt) + `}`,
	gptOSS:       `{"messages":[{"role":"user","content":` + quoted(prompt) + `}]}`,
	pixtral:      `{"max_tokens":1000,"messages":[{"role":"user","content":[{"type":"text","text":` + quoted(prompt) + `}]}]}`,
}

// talk is a Converse body of one user message, with more members put in front.
func talk(text, more string) string {
	return `{` + more + `"messages":[{"role":"user","content":[{"text":` + quoted(text) + `}]}]}`
}

// run calls an operation and gives its events, signs of life left out, and what
// ended them.
func run(t testing.TB, w *World, region inference.Region, op inference.Operation, model, body string) ([]inference.Event, error) {
	t.Helper()
	r := request(model, body)
	r.Operation = op
	s, err := w.Invoke(context.Background(), target(region, model), r)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var events []inference.Event
	for {
		switch event, err := s.Next(context.Background()); {
		case err == io.EOF:
			return events, nil
		case err != nil:
			return events, err
		case !event.IsLifeSign():
			events = append(events, event)
		}
	}
}

// collected is the whole answer that a front of another dialect reads.
func collected(t testing.TB, op inference.Operation, model string, events []inference.Event) *dialect.Answer {
	t.Helper()
	r, err := invocation.Read(op, inference.ModelID(model))
	if err != nil {
		t.Fatal(err)
	}
	whole := dialect.NewCollector(dialect.Head{})
	for _, e := range events {
		pieces, err := r.Read(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pieces {
			if err := whole.Add(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, err := whole.Answer()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func answerTo(t testing.TB, op inference.Operation, model, body string) *dialect.Answer {
	t.Helper()
	events, err := run(t, New(config()), singapore, op, model, body)
	if err != nil {
		t.Fatalf("%s of %s: %v", op, model, err)
	}
	return collected(t, op, model, events)
}

// Every family answers its own body and Converse, whole and in pieces, and streams
// the same bytes for the same first call. The clock stands still, because a chat
// completion tells the second in which it was made.
func TestEveryFamily(t *testing.T) { synctest.Test(t, everyFamily) }

func everyFamily(t *testing.T) {
	bodies := map[inference.Operation]func(model string) string{
		inference.InvokeModel:                   func(model string) string { return prompts[model] },
		inference.InvokeModelWithResponseStream: func(model string) string { return prompts[model] },
		inference.Converse:                      func(string) string { return talk(prompt, "") },
		inference.ConverseStream:                func(string) string { return talk(prompt, "") },
	}
	for model := range prompts {
		for op, body := range bodies {
			events, err := run(t, New(config()), singapore, op, model, body(model))
			if err != nil {
				t.Errorf("%s of %s: %v", op, model, err)
				continue
			}
			again, _ := run(t, New(config()), singapore, op, model, body(model))
			if !slices.EqualFunc(events, again, func(a, b inference.Event) bool { return string(a.Raw) == string(b.Raw) }) {
				t.Errorf("%s of %s: the same first call of two worlds was answered twice differently", op, model)
			}
			last, content := events[len(events)-1], 0
			for _, e := range events {
				if _, err := eventstream.Parse(e.Raw); op.Streams() && err != nil {
					t.Errorf("%s of %s: %q is no frame: %v", op, model, e.Raw, err)
				}
				if e.Content {
					content++
				}
			}
			if want := map[bool]int{true: minPieces, false: 1}[op.Streams()]; content < want {
				t.Errorf("%s of %s: %d events of content, want at least %d", op, model, content, want)
			}
			if u := last.Usage; !last.Final || u == nil || u.InputTokens == 0 || u.OutputTokens < 40 {
				t.Errorf("%s of %s ends with %+v, usage %+v, want the final event with counts", op, model, last, u)
			}
			if !op.Streams() && !strings.Contains(string(last.Raw), "[simulated] "+english.notice) {
				t.Errorf("%s of %s = %s, want the notice", op, model, last.Raw)
			}
		}
	}
}

// A reply is the same whether it is streamed or not, and by either API.
func TestStreamedOrNot(t *testing.T) {
	whole := answerTo(t, inference.InvokeModel, sonnet4, prompts[sonnet4])
	for op, body := range map[inference.Operation]string{
		inference.InvokeModelWithResponseStream: prompts[sonnet4],
		inference.Converse:                      talk(prompt, ""),
		inference.ConverseStream:                talk(prompt, `"inferenceConfig":{"maxTokens":1000},`),
	} {
		got := answerTo(t, op, sonnet4, body)
		if len(got.Content) != 1 || got.Content[0].Text != whole.Content[0].Text || got.Stop != whole.Stop {
			t.Errorf("%s answered %+v and stopped by %+v, want %+v by %+v", op, got.Content, got.Stop, whole.Content, whole.Stop)
		}
		if got.Usage.InputTokens != whole.Usage.InputTokens || got.Usage.OutputTokens != whole.Usage.OutputTokens {
			t.Errorf("%s used %+v, want %+v", op, got.Usage, whole.Usage)
		}
	}
}

// TestToldBeside: Converse tells how it served, and the stop sequence to who asks.
func TestToldBeside(t *testing.T) {
	const asked = `"inferenceConfig":{"stopSequences":["model"]},"performanceConfig":{"latency":"optimized"},"serviceTier":{"type":"flex"},` +
		`"additionalModelResponseFieldPaths":["/stop_sequence"],`
	for _, op := range []inference.Operation{inference.Converse, inference.ConverseStream} {
		events, err := run(t, New(config()), singapore, op, sonnet4, talk(prompt, asked))
		if err != nil {
			t.Fatal(err)
		}
		service := inference.Service{Latency: "optimized", Tier: "flex"}
		if served := events[0].Served; served == nil || served.Service != service {
			t.Errorf("%s: served as %+v, want %+v", op, served, service)
		}
		answer := collected(t, op, sonnet4, events)
		if want := (dialect.Stop{Reason: dialect.StopSequence, Sequence: "model"}); answer.Service != service || answer.Stop != want {
			t.Errorf("%s told of %+v and %+v, want %+v and %+v", op, answer.Service, answer.Stop, service, want)
		}
	}
	events, err := run(t, New(config()), singapore, inference.InvokeModel, sonnet4, prompts[sonnet4])
	if err != nil || events[0].Served == nil || events[0].Served.MS == 0 {
		t.Errorf("InvokeModel: served = %+v, %v, want the time it took", events[0].Served, err)
	}
}

func TestUnsupported(t *testing.T) {
	for _, c := range []struct {
		op          inference.Operation
		model, body string
		want        string
	}{
		{inference.ConverseStream, mute, talk("hi", ""), "The model is unsupported for streaming."},
		{inference.CountTokens, sonnet5, `{}`, "The provided model doesn't support counting tokens."},
		{inference.InvokeModel, cohere, `{"message":"hi"}`, "InvokeModel bodies of cohere.command-r-v1:0 cannot be translated: call it with Converse"},
		{inference.InvokeModel, titanEmbed, `{"inputText":"hi"}`, "InvokeModel of a model that writes no text cannot be answered here: call a text model"},
		{inference.CountTokens, sonnet4, `{"input":{}}`, oneInput},
		{inference.CountTokens, sonnet4, `{"input":{"invokeModel":{"body":"e30="}}}`, "anthropic_version: Field required"},
		{inference.Converse, sonnet4, talk("hi", `"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},`), noGuardrail},
	} {
		refused(t, c.op, c.model, c.body, c.want)
	}
	for _, op := range []inference.Operation{inference.Converse, inference.ConverseStream} {
		if got := answerTo(t, op, cohere, talk("hi", "")); got.Stop.Reason != dialect.EndTurn {
			t.Errorf("%s of a model that only speaks Converse stopped by %q, want end_turn", op, got.Stop.Reason)
		}
	}
}

// refused is a call that a region answers with a Validation of that text.
func refused(t *testing.T, op inference.Operation, model, body, want string) {
	t.Helper()
	_, err := run(t, New(config()), singapore, op, model, body)
	e, ok := errors.AsType[*inference.Error](err)
	switch {
	case !ok || e.Kind != inference.Validation || e.Region != singapore:
		t.Errorf("%s of %s, %.200s: error = %v, want a validation error in %s", op, model, body, err, singapore)
	case e.Message != want:
		t.Errorf("%s of %s, %.200s:\n got %q\nwant %q", op, model, body, e.Message, want)
	}
}

func TestCountTokens(t *testing.T) {
	used := answerTo(t, inference.InvokeModel, sonnet4, prompts[sonnet4]).Usage.InputTokens
	w := New(config())
	for _, body := range []string{
		`{"input":{"invokeModel":{"body":"` + base64.StdEncoding.EncodeToString([]byte(prompts[sonnet4])) + `"}}}`,
		`{"input":{"converse":` + talk(prompt, "") + `}}`,
	} {
		events, err := run(t, w, singapore, inference.CountTokens, sonnet4, body)
		if err != nil || len(events) != 1 || !events[0].Final || events[0].Usage != nil {
			t.Fatalf("CountTokens = %+v, %v, want one final event that uses nothing", events, err)
		}
		if got, want := string(events[0].Raw), `{"inputTokens":`+quotedInt(used)+`}`; got != want {
			t.Errorf("CountTokens = %s, want %s as the call itself counts", got, want)
		}
	}
	if status := w.Status()[0]; len(status.Quotas) != 0 || status.InFlight != 0 {
		t.Errorf("status after counting = %+v, want no quota touched and nothing in flight", status)
	}
}

func quotedInt(n int) string { text, _ := json.Marshal(n); return string(text) }

// A stream that is cut has begun: content first, then the connection drops.
func TestCutStream(t *testing.T) {
	w := New(config())
	w.Set(singapore, Cut)
	whole := answerTo(t, inference.ConverseStream, sonnet4, talk(prompt, ""))
	events, err := run(t, w, singapore, inference.ConverseStream, sonnet4, talk(prompt, ""))
	if e, ok := errors.AsType[*inference.Error](err); !ok || !e.Transport || !errors.Is(err, errCut) {
		t.Fatalf("a cut stream ended with %v, want a transport error", err)
	}
	said := 0
	for _, e := range events {
		if e.Final {
			t.Error("a cut stream has its final event")
		}
		if e.Content {
			said++
		}
	}
	if words := len(strings.Fields(whole.Content[0].Text)); said < words/4 || said > 3*words/4 {
		t.Errorf("cut after %d pieces of some %d, want about half", said, words)
	}
}

// A stream takes as long as the unary answer and its pieces come at the model's
// pace, never all at once.
func TestStreamsAtPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := func(op inference.Operation, between func(time.Duration)) time.Duration {
			c := config()
			c.Speed = 1
			r := request(sonnet4, talk(prompt, ""))
			r.Operation = op
			began := time.Now()
			s, err := New(c).Invoke(t.Context(), target(singapore, sonnet4), r)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for last := time.Now(); ; last = time.Now() {
				_, err := s.Next(t.Context())
				if err == io.EOF {
					return time.Since(began)
				}
				if err != nil {
					t.Fatal(err)
				}
				between(time.Since(last))
			}
		}
		longest := time.Duration(0)
		streamed := took(inference.ConverseStream, func(d time.Duration) { longest = max(longest, d) })
		unary := took(inference.Converse, func(time.Duration) {})
		if streamed != unary || longest <= 0 || longest > time.Second {
			t.Errorf("a stream took %s with %s between two events at most, the unary answer %s, want the same and under a second", streamed, longest, unary)
		}
	})
}

const thinkingBody = `"max_tokens":4000,"thinking":{"type":"enabled","budget_tokens":2000},`

func TestThinking(t *testing.T) {
	plain := answerTo(t, inference.InvokeModel, sonnet4, prompts[sonnet4])
	for op, body := range map[inference.Operation]string{
		inference.InvokeModel:                   body(prompt, thinkingBody),
		inference.InvokeModelWithResponseStream: body(prompt, thinkingBody),
		inference.Converse:                      talk(prompt, `"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}},`),
		inference.ConverseStream:                talk(prompt, `"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}},`),
	} {
		got := answerTo(t, op, sonnet4, body)
		if len(got.Content) != 2 || got.Content[0].Type != dialect.Reasoning || got.Content[1].Text != plain.Content[0].Text {
			t.Errorf("%s answered %+v, want reasoning and then the text without it", op, got.Content)
			continue
		}
		if r := got.Content[0]; !strings.HasPrefix(r.Text, marker) || r.Signature == "" {
			t.Errorf("%s reasoned %+v, want the marker and a signature", op, r)
		}
	}
}

func TestStreamedToolCall(t *testing.T) {
	tools := `"toolConfig":{"toolChoice":{"any":{}},"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":` +
		`{"type":"object","required":["city","unit"],"properties":{"city":{"type":"string"},"unit":{"enum":["celsius","fahrenheit"]}}}}}}]},`
	events, err := run(t, New(config()), singapore, inference.ConverseStream, sonnet4, talk(prompt, tools))
	if err != nil {
		t.Fatal(err)
	}
	got := collected(t, inference.ConverseStream, sonnet4, events)
	if len(got.Content) != 1 || string(got.Content[0].Input) != `{"city":"chicken","unit":"celsius"}` || got.Stop.Reason != dialect.StopToolUse {
		t.Errorf("answer = %+v by %s, want a call of weather", got.Content, got.Stop.Reason)
	}
	if id := got.Content[0].ID; !strings.HasPrefix(id, "tooluse_") || len(id) != 30 {
		t.Errorf("id of the call = %q, want tooluse_ and 22 characters", id)
	}
	parts := 0
	for _, e := range events {
		if strings.Contains(string(e.Raw), `"toolUse":{"input"`) {
			parts++
		}
	}
	if parts < 2 {
		t.Errorf("the input came in %d pieces, want several", parts)
	}
}

func TestOutputFormat(t *testing.T) {
	schema := `{"type":"object","required":["dish"],"properties":{"dish":{"type":"string"}}}`
	got := answerTo(t, inference.Converse, sonnet45, talk(prompt,
		`"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"recipe","schema":`+quoted(schema)+`}}}},`))
	if len(got.Content) != 1 || got.Content[0].Text != `{"dish":"chicken"}` {
		t.Errorf("answer in a schema = %+v, want a dish", got.Content)
	}
	got = answerTo(t, inference.InvokeModel, gptOSS, `{"response_format":{"type":"json_object"},"messages":[{"role":"user","content":`+quoted(prompt)+`}]}`)
	var object struct {
		Notice   string
		Mentions []string
	}
	if err := json.Unmarshal([]byte(got.Content[0].Text), &object); err != nil || object.Notice != marker+english.notice || len(object.Mentions) != 3 {
		t.Errorf("answer as JSON = %s, %v, want the notice and what the prompt mentions", got.Content[0].Text, err)
	}
}

// What only Claude itself would act on is accepted, since no model runs.
func TestAcceptsClaudesOwn(t *testing.T) {
	for _, more := range []string{
		`"anthropic_beta":["context-1m-2025-08-07"],"metadata":{"user_id":"u","more":1},`,
		`"context_management":{"edits":[]},"output_config":{"effort":"low","other":1},`,
		`"tools":[{"type":"web_search_20250305","name":"web_search","max_uses":3}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},`,
	} {
		got := answerTo(t, inference.InvokeModel, sonnet4, body(prompt, `"max_tokens":1000,`+more))
		if got.Stop.Reason != dialect.EndTurn || !strings.HasPrefix(got.Content[0].Text, marker) {
			t.Errorf("with %s: %+v by %s, want text", more, got.Content, got.Stop.Reason)
		}
	}
	for _, list := range []string{
		`{"role":"user","content":[{"type":"container_upload","file_id":"f"},{"type":"text","text":"hi","citations":[]}]}`,
		`{"role":"user","content":[{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"found"}]},{"type":"text","text":"hi"}]}`,
		`{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"server_tool_use","id":"a","name":"web_search","input":{}},` +
			`{"type":"web_search_tool_result","tool_use_id":"a","content":[{"type":"web_search_result","url":"u","title":"t"}]}]},{"role":"user","content":"and?"}`,
	} {
		b := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[` + list + `]}`
		if got := answerTo(t, inference.InvokeModel, sonnet4, b); got.Stop.Reason != dialect.EndTurn {
			t.Errorf("%s: stop reason %s, want end_turn", list, got.Stop.Reason)
		}
	}
}
