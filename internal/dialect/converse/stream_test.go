package converse

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// answers draws answers as Collector makes them.
func answers() *rapid.Generator[*dialect.Answer] {
	return rapid.Custom(func(t *rapid.T) *dialect.Answer {
		text := rapid.StringN(0, 12, -1)
		a := &dialect.Answer{LatencyMS: rapid.Int64Range(0, 1e6).Draw(t, "latency")}
		a.Stop.Reason = rapid.SampledFrom([]dialect.StopReason{dialect.EndTurn, dialect.StopToolUse, dialect.MaxTokens}).Draw(t, "stop")
		a.Usage = inference.Usage{InputTokens: rapid.IntRange(0, 9).Draw(t, "in"), OutputTokens: rapid.IntRange(0, 9).Draw(t, "out")}
		if a.Usage.Caching = rapid.Bool().Draw(t, "caching"); a.Usage.Caching {
			a.Usage.CacheReadTokens, a.Usage.CacheWriteTokens = rapid.IntRange(0, 9).Draw(t, "read"), rapid.IntRange(0, 9).Draw(t, "write")
			a.Usage.CacheWrite1h = rapid.IntRange(0, a.Usage.CacheWriteTokens).Draw(t, "hour")
		}
		for range rapid.IntRange(0, 4).Draw(t, "blocks") {
			var b dialect.Block
			switch b.Type = rapid.SampledFrom([]dialect.BlockType{dialect.Text, dialect.Reasoning, dialect.Redacted, dialect.ToolUse}).Draw(t, "type"); b.Type {
			case dialect.Text:
				b.Text = text.Draw(t, "text")
			case dialect.Reasoning:
				b.Text, b.Signature = text.Draw(t, "thought")+"!", text.Draw(t, "signature")
			case dialect.Redacted:
				b.Text = "QUJD"
			case dialect.ToolUse:
				b.ID, b.Name = text.Draw(t, "id"), text.Draw(t, "name")
				b.Input = json.RawMessage(rapid.SampledFrom([]string{`{}`, `{"a":1}`}).Draw(t, "input"))
			}
			a.Content = append(a.Content, b)
		}
		return a
	})
}

func TestAnswerRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := answers().Draw(t, "answer")
		body, err := Dialect{}.EncodeAnswer(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Dialect{}.DecodeAnswer(body)
		if err != nil {
			t.Fatalf("DecodeAnswer(%s) error = %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	})
}

func TestStreamRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := answers().Draw(t, "answer")
		encoder, decoder, collector := Dialect{}.NewEncoder(dialect.Head{}), Dialect{}.NewDecoder(), dialect.NewCollector(dialect.Head{})
		for _, p := range want.Pieces() {
			payloads, err := encoder.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, payload := range payloads {
				pieces, err := decoder.Decode(payload)
				if err != nil {
					t.Fatalf("Decode(%s) error = %v", payload.JSON, err)
				}
				for _, p := range pieces {
					if err := collector.Add(p); err != nil {
						t.Fatalf("Decode(%s): %v", payload.JSON, err)
					}
				}
			}
		}
		got, err := collector.Answer()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// events are a stream as a vector: a line for each event.
func events(t *testing.T, payloads []dialect.Payload) string {
	t.Helper()
	var lines []string
	for _, p := range payloads {
		lines = append(lines, p.Type+" "+string(p.JSON))
	}
	return strings.Join(lines, "\n")
}

// filler is what is of another length in each event.
var filler = regexp.MustCompile(`"p":"[a-zA-Z0-9]+"`)

// TestStreamVector: the events as facts bedrock.md 1.9 has them.
func TestStreamVector(t *testing.T) {
	answer := &dialect.Answer{
		Content: []dialect.Block{
			{Type: dialect.Reasoning, Text: "hm", Signature: "s"},
			{Type: dialect.Redacted, Text: "QUJD"},
			{Type: dialect.Text, Text: "Hi <b>"},
			{Type: dialect.ToolUse, ID: "tooluse_1", Name: "f", Input: json.RawMessage(`{"a":1}`)},
		},
		Stop:      dialect.Stop{Reason: "tool_use"},
		Usage:     inference.Usage{InputTokens: 12, OutputTokens: 5, CacheReadTokens: 3, Caching: true},
		LatencyMS: 1043,
	}
	encoder := Dialect{}.NewEncoder(dialect.Head{})
	var got []dialect.Payload
	for _, p := range answer.Pieces() {
		payloads, err := encoder.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, payloads...)
	}
	want := strings.Join([]string{
		`messageStart {"p":"","role":"assistant"}`,
		`contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}},"p":""}`,
		`contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s"}},"p":""}`,
		`contentBlockStop {"contentBlockIndex":0,"p":""}`,
		`contentBlockDelta {"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"QUJD"}},"p":""}`,
		`contentBlockStop {"contentBlockIndex":1,"p":""}`,
		`contentBlockDelta {"contentBlockIndex":2,"delta":{"text":"Hi <b>"},"p":""}`,
		`contentBlockStop {"contentBlockIndex":2,"p":""}`,
		`contentBlockStart {"contentBlockIndex":3,"p":"","start":{"toolUse":{"toolUseId":"tooluse_1","name":"f"}}}`,
		`contentBlockDelta {"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"a\":1}"}},"p":""}`,
		`contentBlockStop {"contentBlockIndex":3,"p":""}`,
		`messageStop {"p":"","stopReason":"tool_use"}`,
		`metadata {"metrics":{"latencyMs":1043},"p":"","usage":{"inputTokens":12,"outputTokens":5,"totalTokens":20,"cacheReadInputTokens":3,"cacheWriteInputTokens":0}}`,
	}, "\n")
	if diff := cmp.Diff(want, filler.ReplaceAllString(events(t, got), `"p":""`)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswerVector(t *testing.T) {
	answer := &dialect.Answer{
		Content: []dialect.Block{{Type: dialect.Text, Text: "Hi"}}, Stop: dialect.Stop{Reason: dialect.EndTurn},
		Usage: inference.Usage{InputTokens: 12, OutputTokens: 5}, LatencyMS: 9,
	}
	want := `{"metrics":{"latencyMs":9},"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn",` +
		`"usage":{"inputTokens":12,"outputTokens":5,"totalTokens":17}}`
	if got, err := (Dialect{}).EncodeAnswer(answer); err != nil || string(got) != want {
		t.Errorf("EncodeAnswer() = %s, %v, want %s", got, err, want)
	}
}

// TestToldBeside: how the call was served and which stop sequence ended it, whole and
// streamed; the sequence only where it was asked for.
func TestToldBeside(t *testing.T) {
	for _, test := range []struct {
		fields       []string
		sequence     string
		whole, stops string
	}{
		{[]string{"/x", "/stop_sequence"}, "END", `{"additionalModelResponseFields":{"stop_sequence":"END"},"metrics"`, `{"additionalModelResponseFields":{"stop_sequence":"END"},"p":`},
		{[]string{"/x"}, "", `{"metrics"`, `{"p":`},
	} {
		want := &dialect.Answer{
			Head: dialect.Head{Service: inference.Service{Latency: "optimized", Tier: "flex"}},
			Stop: dialect.Stop{Reason: dialect.StopSequence, Sequence: test.sequence},
		}
		asked := *want
		asked.Fields, asked.Stop.Sequence = test.fields, "END"
		body, err := Dialect{}.EncodeAnswer(&asked)
		if err != nil || !strings.HasPrefix(string(body), test.whole) ||
			!strings.Contains(string(body), `"performanceConfig":{"latency":"optimized"},"serviceTier":{"type":"flex"}`) {
			t.Errorf("EncodeAnswer() = %s, %v, want what served, and %s", body, err, test.whole)
		}
		got, err := Dialect{}.DecodeAnswer(body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s, %v (-want +got):\n%s", body, err, diff)
		}

		encoder, decoder, collector := Dialect{}.NewEncoder(asked.Head), Dialect{}.NewDecoder(), dialect.NewCollector(dialect.Head{})
		for _, p := range asked.Pieces() {
			p.Service = inference.Service{} // the head tells it
			payloads, err := encoder.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, payload := range payloads {
				if payload.Type == messageStop && !strings.HasPrefix(string(payload.JSON), test.stops) {
					t.Errorf("messageStop = %s, want it to begin with %s", payload.JSON, test.stops)
				}
				pieces, err := decoder.Decode(payload)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range pieces {
					if err := collector.Add(p); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		got, err = collector.Answer()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("streamed, %v (-want +got):\n%s", err, diff)
		}
	}
}

func decodeAll(lines ...string) ([]dialect.Piece, error) {
	decoder := Dialect{}.NewDecoder()
	var all []dialect.Piece
	for _, line := range lines {
		kind, text, _ := strings.Cut(line, " ")
		pieces, err := decoder.Decode(dialect.Payload{Type: kind, JSON: []byte(text)})
		if err != nil {
			return all, err
		}
		all = append(all, pieces...)
	}
	return all, nil
}

// TestDecoder: what a service may leave out, repeat or interleave.
func TestDecoder(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		want  string // kinds of pieces with their position
	}{
		{"positions with gaps", []string{`contentBlockDelta {"contentBlockIndex":2,"delta":{"text":"a"},"p":"x"}`, `contentBlockStop {"contentBlockIndex":2}`,
			`contentBlockDelta {"contentBlockIndex":5,"delta":{"text":"b"}}`, `contentBlockStop {"contentBlockIndex":5}`}, "B0 D0 E0 B1 D1 E1"},
		{"no stop", []string{`contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"a"}}`, `contentBlockDelta {"contentBlockIndex":1,"delta":{"text":"b"}}`,
			`messageStop {"stopReason":"end_turn"}`}, "B0 D0 E0 B1 D1 E1 S0"},
		{"a late stop", []string{`contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"a"}}`, `contentBlockDelta {"contentBlockIndex":1,"delta":{"text":"b"}}`,
			`contentBlockStop {"contentBlockIndex":0}`, `contentBlockDelta {"contentBlockIndex":1,"delta":{"text":"c"}}`, `contentBlockStop {"contentBlockIndex":1}`},
			"B0 D0 E0 B1 D1 D1 E1"},
		{"an empty block", []string{`contentBlockStop {"contentBlockIndex":0}`}, "B0 E0"},
		{"two kinds at one position", []string{`contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"a"}}}`,
			`contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"QQ=="}}}`, `contentBlockStop {"contentBlockIndex":0}`}, "B0 D0 E0 B1 D1 E1"},
		{"what is not known", []string{`laterEvent {"x":1}`, `contentBlockDelta {"contentBlockIndex":0,"delta":{"citation":{}}}`, `messageStart {"role":"assistant","new":1}`}, "A0"},
		{"cut before messageStop", []string{`contentBlockStart {"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}`, `metadata {"metrics":{"latencyMs":1}}`}, "B0 E0 Z0"},
	} {
		pieces, err := decodeAll(test.lines...)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, p := range pieces {
			got = append(got, string("ABDGESZ"[p.Kind])+string(rune('0'+p.Index)))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s = %s, want %s", test.name, strings.Join(got, " "), test.want)
		}
	}
	for name, lines := range map[string][]string{
		"no JSON":              {`messageStart {`},
		"an image":             {`contentBlockStart {"contentBlockIndex":0,"start":{"image":{"format":"png"}}}`},
		"an unknown delta":     {`contentBlockDelta {"contentBlockIndex":0,"delta":{"image":{}}}`},
		"no delta":             {`contentBlockDelta {"contentBlockIndex":0}`},
		"no position":          {`contentBlockDelta {"delta":{"text":"a"}}`},
		"input without a call": {`contentBlockDelta {"contentBlockIndex":0,"delta":{"toolUse":{"input":"{"}}}`},
		"more after the end":   {`metadata {}`, `messageStart {}`},
	} {
		if pieces, err := decodeAll(lines...); err == nil {
			t.Errorf("%s = %v, want an error", name, pieces)
		}
	}
}

func TestDecodeAnswerRefuses(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"output":{}}`, `{"output":{"message":{"content":[{"image":{"format":"png","source":{"bytes":"AA"}}}]}}}`,
		`{"output":{"message":{"content":[{}]}}}`, `{"output":{"message":{"content":"x"}}}`} {
		if a, err := (Dialect{}).DecodeAnswer([]byte(body)); err == nil || a != nil {
			t.Errorf("DecodeAnswer(%s) = %v, %v, want an error", body, a, err)
		}
	}
}

// FuzzDecoder: whatever comes, the pieces are in an order that Collector takes.
func FuzzDecoder(f *testing.F) {
	f.Add("messageStart {}\ncontentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"}}\ncontentBlockStop {\"contentBlockIndex\":0}\nmessageStop {}\nmetadata {}")
	f.Add("contentBlockStart {\"contentBlockIndex\":1,\"start\":{\"toolUse\":{}}}\ncontentBlockDelta {\"contentBlockIndex\":1,\"delta\":{\"toolUse\":{\"input\":\"{\"}}}\nmetadata {}")
	f.Fuzz(func(t *testing.T, text string) {
		pieces, _ := decodeAll(strings.Split(text, "\n")...)
		collector := dialect.NewCollector(dialect.Head{})
		for _, p := range pieces {
			if err := collector.Add(p); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}

func BenchmarkDecodeRequest(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Dialect{}).DecodeRequest([]byte(full)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestEncodeHour: tokens that the cache keeps for an hour are told apart.
func TestEncodeHour(t *testing.T) {
	for _, test := range []struct {
		written int
		want    string
	}{
		{9, `"cacheWriteInputTokens":9,"cacheDetails":[{"ttl":"1h","inputTokens":4},{"ttl":"5m","inputTokens":5}]}`},
		{4, `"cacheWriteInputTokens":4,"cacheDetails":[{"ttl":"1h","inputTokens":4}]}`},
	} {
		a := &dialect.Answer{Usage: inference.Usage{CacheWriteTokens: test.written, CacheWrite1h: 4}}
		if got, err := (Dialect{}).EncodeAnswer(a); err != nil || !strings.Contains(string(got), test.want) {
			t.Errorf("EncodeAnswer(%d written) = %s, %v, want %s in it", test.written, got, err, test.want)
		}
	}
}
