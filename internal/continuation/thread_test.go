package continuation

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/dialect"
	"fairway/internal/dialect/openai"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

// Pieces of answers.
var (
	began = dialect.Piece{Kind: dialect.Began}
	ended = dialect.Piece{Kind: dialect.Ended, Usage: &inference.Usage{InputTokens: 20, OutputTokens: 7}}
)

func textBegan(i int) dialect.Piece { return blockBegan(i, dialect.Block{Type: dialect.Text}) }

func blockBegan(i int, b dialect.Block) dialect.Piece {
	return dialect.Piece{Kind: dialect.BlockBegan, Index: i, Block: b}
}

func delta(i int, text string) dialect.Piece {
	return dialect.Piece{Kind: dialect.Delta, Index: i, Text: text}
}

func blockEnded(i int) dialect.Piece { return dialect.Piece{Kind: dialect.BlockEnded, Index: i} }

func stopped(r dialect.StopReason) dialect.Piece {
	return dialect.Piece{Kind: dialect.Stopped, Stop: dialect.Stop{Reason: r}}
}

var aTool = dialect.Block{Type: dialect.ToolUse, ID: "tooluse_1", Name: "weather"}

// forms are the two forms that every test below holds in.
var forms = map[inference.Operation]string{
	conversing: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`,
	invoking:   `{"anthropic_version":"bedrock-2023-05-31","max_tokens":500,"messages":[{"role":"user","content":"Hi"}]}`,
}

// follow watches an answer of which the pieces were sent.
func follow(t testing.TB, op inference.Operation, pieces ...dialect.Piece) (*Thread, *inference.Request, []inference.Event) {
	t.Helper()
	r, c := request(op, sonnet4, forms[op]), Continuer{Models: models}
	thread := c.Follow(r, sonnet4, false)
	sent := frames(t, op, sonnet4, pieces...)
	for _, e := range sent {
		thread.Sent(e)
	}
	return thread, r, sent
}

// TestJoin: how further legs follow upon what was sent.
func TestJoin(t *testing.T) {
	text := func(s string) dialect.Block { return dialect.Block{Type: dialect.Text, Text: s} }
	for name, test := range map[string]struct {
		sent, joined []dialect.Piece
		want         []dialect.Block
	}{
		"in the open block": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One ")},
			[]dialect.Piece{began, textBegan(0), delta(0, " two"), delta(0, " three"), blockEnded(0)},
			[]dialect.Block{text("One two three")},
		},
		"white space in parts": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One \n\n")},
			[]dialect.Piece{began, textBegan(0), delta(0, " "), delta(0, "\n"), delta(0, "\n\n two"), blockEnded(0)},
			[]dialect.Block{text("One \n\n\n two")},
		},
		"other white space": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One\n")},
			[]dialect.Piece{began, textBegan(0), delta(0, " two\n"), blockEnded(0)},
			[]dialect.Block{text("One\n two\n")},
		},
		"none left": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One")}, []dialect.Piece{began}, []dialect.Block{text("One")},
		},
		"behind a block that had ended": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One\n"), blockEnded(0)},
			[]dialect.Piece{began, textBegan(0), delta(0, "\n"), delta(0, "two"), blockEnded(0)},
			[]dialect.Block{text("One\n"), text("two")},
		},
		"nothing but white space behind it": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One\n"), blockEnded(0)},
			[]dialect.Piece{began, textBegan(0), delta(0, "\n"), blockEnded(0)},
			[]dialect.Block{text("One\n")},
		},
		"a second block": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One"), blockEnded(0), textBegan(1), delta(1, "Two")},
			[]dialect.Piece{began, textBegan(0), delta(0, " and"), blockEnded(0), textBegan(1), delta(1, "three"), blockEnded(1)},
			[]dialect.Block{text("One"), text("Two and"), text("three")},
		},
		"a tool behind text": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One")},
			[]dialect.Piece{began, textBegan(0), delta(0, " two"), blockEnded(0), blockBegan(1, aTool), delta(1, `{"a":1}`), blockEnded(1)},
			[]dialect.Block{text("One two"), {Type: dialect.ToolUse, ID: aTool.ID, Name: aTool.Name, Input: []byte(`{"a":1}`)}},
		},
		"a tool at once": {
			[]dialect.Piece{began, textBegan(0), delta(0, "One")},
			[]dialect.Piece{began, blockBegan(0, aTool), delta(0, `{"a":1}`), blockEnded(0)},
			[]dialect.Block{text("One"), {Type: dialect.ToolUse, ID: aTool.ID, Name: aTool.Name, Input: []byte(`{"a":1}`)}},
		},
	} {
		for op := range forms {
			thread, r, sent := follow(t, op, test.sent...)
			next, rest, ok := thread.Cut()
			if next == nil || rest != nil || !ok {
				t.Fatalf("%s: %s: Cut() = %v, %v, %v, want a request", op, name, next, rest, ok)
			}
			for _, e := range frames(t, op, sonnet4, append(test.joined, stopped(dialect.EndTurn), ended)...) {
				joined, err := thread.Join(e)
				if err != nil {
					t.Fatalf("%s: %s: Join error = %v", op, name, err)
				}
				sent = append(sent, joined...)
			}
			if diff := cmp.Diff(test.want, read(t, r, sent).Content); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", op, name, diff)
			}
		}
	}
}

// TestCutTells: what was written is in the next request, and all its other bytes are as
// they were.
func TestCutTells(t *testing.T) {
	for _, test := range []struct {
		op           inference.Operation
		model        inference.ModelID
		asked, asks  string
		own          string // what the text goes on behind
		instruct, no bool
	}{
		{op: invoking, model: sonnet4,
			asked: ` { "messages" :[ {"role":"user","content":"Hi"} ] ,"max_tokens": 500, "anthropic_version":"x","metadata":{"user_id":"max_tokens"}}`,
			asks: ` { "messages" :[ {"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"text","text":"A \"quoted\"\n<b>"}]} ] ,` +
				`"max_tokens": LEFT, "anthropic_version":"x","metadata":{"user_id":"max_tokens"}}`},
		{op: invoking, model: sonnet4,
			asked: `{"max_tokens":500,"messages":[{"role":"user","content":"Hi"},{"content":"Well,","role":"assistant"}]}`, own: "Well,",
			asks: `{"max_tokens":LEFT,"messages":[{"role":"user","content":"Hi"},{"content":"Well,A \"quoted\"\n<b>","role":"assistant"}]}`},
		{op: invoking, model: sonnet4,
			asked: `{"max_tokens":500,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"text":"Well","type":"text"}]}]}`, own: "Well",
			asks: `{"max_tokens":LEFT,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"text":"WellA \"quoted\"\n<b>","type":"text"}]}]}`},
		{op: conversing, model: sonnet4, asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`,
			asks: `{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"A \"quoted\"\n<b>"}]}]}`},
		{op: conversing, model: sonnet46, instruct: true, asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`,
			asks: `{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"A \"quoted\"\n<b>"}]},` +
				`{"role":"user","content":[{"text":"Your previous response was interrupted and ended with ` + "`" + `A \"quoted\"\n<b>` + "`" + `. Continue from where you left off."}]}]}`},
		{op: invoking, model: llama, asked: `{"prompt":"Hi ","max_gen_len":500}`, own: "Hi ", asks: `{"prompt":"Hi A \"quoted\"\n<b>","max_gen_len":LEFT}`},
		{op: invoking, model: llama, no: true, asked: `{"prompt":"<|begin_of_text|><|start_header_id|>user<|end_header_id|>Hi<|eot_id|>"}`},
		{op: conversing, model: sonnet4, no: true, asked: `{"messages":[1],"Messages":[{"role":"user","content":[{"text":"Hi"}]}]}`},
		{op: conversing, model: sonnet4, no: true, asked: `{"Messages":[{"role":"user","content":[{"text":"Hi"}]}]}`},
		{op: conversing, model: sonnet4, no: true,
			asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[{"text":"Well"},{"cachePoint":{"type":"default"}}]}]}`},
		{op: conversing, model: sonnet4, no: true, asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"inferenceConfig":{"MAXTOKENS":500}}`},
		{op: conversing, model: sonnet4, no: true, asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"}}`},
		{op: conversing, model: sonnet4, no: true, asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{}"}}}}}`},
		{op: conversing, model: sonnet4, no: true, asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}}`},
		{op: conversing, model: novaPro, no: true, asked: `{"messages":[{"role":"user","content":[{"text":"Hi"}]}],"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled"}}}`},
		{op: invoking, model: sonnet4, no: true, asked: `{"max_tokens":500,"messages":[{"role":"user","content":"Hi"}],"tools":[` + tools + `],"tool_choice":{"type":"any"}}`},
		{op: invoking, model: sonnet4, no: true, asked: `{"max_tokens":500,"messages":`},
	} {
		c := Continuer{Models: models}
		thread := c.Follow(request(test.op, test.model, test.asked), test.model, test.instruct)
		const said = "A \"quoted\"\n<b>"
		for _, e := range frames(t, test.op, test.model, began, textBegan(0), delta(0, said+" \n")) {
			thread.Sent(e)
		}
		next, rest, ok := thread.Cut()
		if test.no {
			if next != nil || rest != nil || ok {
				t.Errorf("Cut() of %s = %v, %v, %v, want no way to go on", test.asked, next, rest, ok)
			}
			continue
		}
		if !ok {
			t.Errorf("Cut() of %s is not ok", test.asked)
			continue
		}
		family := tokens.FamilyOf(test.model)
		left := 500 + family.Text(test.own) - family.Text(test.own+said)
		if want := strings.ReplaceAll(test.asks, "LEFT", strconv.Itoa(left)); string(next.Body) != want {
			t.Errorf("Cut() of %s asks\n %s, want\n %s", test.asked, next.Body, want)
		}
	}
}

// TestFollow: what is not watched at all.
func TestFollow(t *testing.T) {
	c := Continuer{Models: models}
	for _, test := range []struct {
		op       inference.Operation
		model    inference.ModelID
		instruct bool
		want     bool
	}{
		{conversing, sonnet4, false, true}, {invoking, sonnet4, false, true},
		{inference.Converse, sonnet4, true, false}, {inference.InvokeModel, sonnet4, true, false}, {inference.CountTokens, sonnet4, true, false},
		{conversing, sonnet46, false, false}, {conversing, sonnet46, true, true},
		{conversing, llama, false, false}, {invoking, llama, false, true},
		{invoking, gptOSS, false, false}, {invoking, gptOSS, true, true},
		{conversing, "of.nobody", true, false},
	} {
		if got := c.Follow(request(test.op, test.model, `{}`), test.model, test.instruct); (got != nil) != test.want {
			t.Errorf("Follow(%s, %s, instruct: %v) = %v, want one: %v", test.op, test.model, test.instruct, got, test.want)
		}
	}
}

// TestCutAtTheEnd: where only the end is missing it is given, once.
func TestCutAtTheEnd(t *testing.T) {
	for op := range forms {
		for name, pieces := range map[string][]dialect.Piece{
			"text":   {began, textBegan(0), delta(0, "One"), blockEnded(0)},
			"a tool": {began, blockBegan(0, aTool), delta(0, `{"a":1}`), blockEnded(0)},
		} {
			thread, r, _ := follow(t, op)
			sent := frames(t, op, sonnet4, append(pieces, stopped(dialect.EndTurn), ended)...)
			for _, e := range sent[:len(sent)-1] {
				thread.Sent(e)
			}
			next, rest, ok := thread.Cut()
			if next != nil || len(rest) != 1 || !ok {
				t.Fatalf("%s of %s: Cut() = %v, %d events, %v, want the last event", op, name, next, len(rest), ok)
			}
			if a := read(t, r, append(sent[:len(sent)-1:len(sent)-1], rest...)); a.Stop.Reason != dialect.EndTurn || a.Usage.InputTokens == 0 || a.Usage.OutputTokens == 0 {
				t.Errorf("%s of %s ends with %+v and usage %+v", op, name, a.Stop, a.Usage)
			}
		}
	}
}

// TestCutRefuses: what is more than text is not gone on with.
func TestCutRefuses(t *testing.T) {
	thinking := blockBegan(0, dialect.Block{Type: dialect.Reasoning})
	for op := range forms {
		for name, pieces := range map[string][]dialect.Piece{
			"nothing":          {},
			"a tool":           {began, blockBegan(0, aTool), delta(0, `{"a"`)},
			"a tool behind":    {began, textBegan(0), delta(0, "One"), blockEnded(0), blockBegan(1, aTool)},
			"thinking":         {began, thinking, delta(0, "Hm")},
			"text behind that": {began, thinking, delta(0, "Hm"), blockEnded(0), textBegan(1), delta(1, "One")},
			"too much text":    {began, textBegan(0), delta(0, strings.Repeat("word ", maxText/5)), delta(0, "more")},
		} {
			thread, _, _ := follow(t, op, pieces...)
			if next, rest, ok := thread.Cut(); next != nil || rest != nil || ok {
				t.Errorf("%s of %s: Cut() = %v, %v, %v, want no way to go on", op, name, next, rest, ok)
			}
		}
		thread, _, sent := follow(t, op, began, textBegan(0), delta(0, "One"))
		broken := sent[len(sent)-1]
		broken.Raw = broken.Raw[1:]
		thread.Sent(broken)
		if _, _, ok := thread.Cut(); ok {
			t.Errorf("%s: Cut() behind a broken frame is ok", op)
		}
	}
}

// TestJoinRefuses: a target that does not go on in text is an error, behind which
// another can.
func TestJoinRefuses(t *testing.T) {
	for op := range forms {
		thread, r, sent := follow(t, op, began, textBegan(0), delta(0, "One"))
		if _, err := thread.Join(sent[0]); err == nil {
			t.Errorf("%s: Join before Cut is no error", op)
		}
		if _, _, ok := thread.Cut(); !ok {
			t.Fatal("Cut() is not ok")
		}
		var err error
		for _, e := range frames(t, op, sonnet4, began, blockBegan(0, dialect.Block{Type: dialect.Reasoning}), delta(0, "Hm")) {
			if _, err = thread.Join(e); err != nil {
				break
			}
		}
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.ModelStreamError {
			t.Fatalf("%s: Join(thinking) error = %v, want a ModelStreamError", op, err)
		}
		if _, _, ok := thread.Cut(); !ok {
			t.Fatalf("%s: Cut() behind thinking is not ok", op)
		}
		for _, e := range frames(t, op, sonnet4, began, textBegan(0), delta(0, " two"), blockEnded(0), stopped(dialect.EndTurn), ended) {
			joined, err := thread.Join(e)
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, joined...)
		}
		if got := read(t, r, sent).Content[0].Text; got != "One two" {
			t.Errorf("%s: text = %q, want One two", op, got)
		}
	}
}

// TestSpent: what events tell counts, and what they do not is estimated; it is the same
// before and behind the cut.
func TestSpent(t *testing.T) {
	const text = "a few words more"
	wrote := tokens.Claude3.Text(text)
	for _, test := range []struct {
		op   inference.Operation
		told *inference.Usage
		want inference.Usage
	}{
		{invoking, &inference.Usage{InputTokens: 99, CacheReadTokens: 5, Caching: true}, inference.Usage{InputTokens: 99, OutputTokens: wrote, CacheReadTokens: 5, Caching: true}},
		{conversing, nil, inference.Usage{InputTokens: 8, OutputTokens: wrote}},
	} {
		thread, _, _ := follow(t, test.op, dialect.Piece{Kind: dialect.Began, Usage: test.told}, textBegan(0), delta(0, text))
		before := thread.Spent()
		if _, _, ok := thread.Cut(); !ok {
			t.Fatal("Cut() is not ok")
		}
		if behind := thread.Spent(); before != test.want || behind != test.want {
			t.Errorf("%s: Spent() = %+v, and behind the cut %+v, want %+v", test.op, before, behind, test.want)
		}
	}
	thread, _, _ := follow(t, conversing, began, textBegan(0), delta(0, text))
	for range 2 {
		if _, _, ok := thread.Cut(); !ok {
			t.Fatal("Cut() is not ok")
		}
	}
	if got := thread.Spent(); got != (inference.Usage{}) {
		t.Errorf("Spent() of a leg of which nothing came = %+v, want nothing", got)
	}
	thread, _, _ = follow(t, conversing, began, blockBegan(0, aTool), delta(0, text))
	if got := thread.Spent().OutputTokens; got != wrote {
		t.Errorf("Spent() on a tool call = %d output tokens, want %d", got, wrote)
	}
}

// TestName: where every event names the answer, those behind the seam name the same.
func TestName(t *testing.T) {
	r, w := request(invoking, gptOSS, `{"messages":[{"role":"user","content":"Hi"}]}`), world()
	got, ok := cut(t, w, r, true, func(events []inference.Event) int { return min(len(events), 6) })
	for ok && len(got.sent) < 7 {
		t.Fatalf("%d events, want more than were sent at first", len(got.sent))
	}
	names := map[name]bool{}
	for _, e := range got.sent {
		var n name
		n.read(openai.Dialect{}, e)
		names[n] = true
	}
	if len(names) != 1 || names[name{}] {
		t.Errorf("names = %v, want one", names)
	}
}

// FuzzThread: whatever targets send, nothing breaks, and what is joined are frames.
func FuzzThread(f *testing.F) {
	for op := range forms {
		var all []byte
		for _, e := range frames(f, op, sonnet4, began, textBegan(0), delta(0, "One "), blockEnded(0), stopped(dialect.EndTurn), ended) {
			all = append(all, e.Raw...)
		}
		f.Add(all, all[60:], uint16(100), uint16(200), op == invoking)
		f.Add(all, all, uint16(160), uint16(300), op == invoking)
	}
	f.Fuzz(func(t *testing.T, first, second []byte, at, then uint16, invoked bool) {
		op := conversing
		if invoked {
			op = invoking
		}
		c := Continuer{Models: models}
		thread := c.Follow(request(op, sonnet4, forms[op]), sonnet4, false)
		for _, e := range split(first, int(at)) {
			thread.Sent(e)
		}
		for range 3 {
			spent, silent := thread.Spent(), thread.leg.silent
			_, _, ok := thread.Cut()
			if got := thread.Spent(); got != spent && !silent || silent && got != (inference.Usage{}) {
				t.Errorf("Spent() = %+v, and behind the cut %+v", spent, got)
			}
			if !ok {
				return
			}
			for _, e := range split(second, int(then)) {
				joined, err := thread.Join(e)
				if err != nil && joined != nil {
					t.Errorf("Join() = %v, %v, want one of them", joined, err)
				}
			}
		}
	})
}

// FuzzCut: whatever is asked, what is asked next reads as it does with the text behind it.
func FuzzCut(f *testing.F) {
	for _, c := range calls {
		f.Add([]byte(c.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range []struct {
			op    inference.Operation
			model inference.ModelID
		}{{invoking, sonnet4}, {invoking, sonnet46}, {conversing, sonnet4}, {invoking, novaPro}, {invoking, titan}, {invoking, llama}, {invoking, gptOSS}} {
			continuer := Continuer{Models: models}
			thread := continuer.Follow(request(c.op, c.model, string(body)), c.model, true)
			for _, e := range frames(t, c.op, c.model, began, textBegan(0), delta(0, "\"One\" \n")) {
				thread.Sent(e)
			}
			next, _, _ := thread.Cut()
			if next == nil {
				continue
			}
			asked, err := thread.form.Decode(next.Body)
			if err != nil || !strings.Contains(asked.Messages[len(asked.Messages)-1].Text(), `"One"`) {
				t.Errorf("%s of %s: %s is gone on with by %s", c.op, c.model, body, next.Body)
			}
			if before := thread.asked.MaxTokens; before != nil && (asked.MaxTokens == nil || *asked.MaxTokens >= *before) {
				t.Errorf("%s of %s: %s is gone on with by %s, within no lower limit", c.op, c.model, body, next.Body)
			}
		}
	})
}

// split parts bytes into events: at frames, as far as there are any, and then at every
// n bytes.
func split(b []byte, n int) (events []inference.Event) {
	for len(b) > 0 && len(events) < 50 {
		size := min(len(b), max(1, n))
		if len(b) >= 4 {
			if said := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3]); said > 0 && said <= len(b) {
				size = said
			}
		}
		events = append(events, inference.Event{Raw: b[:size], Usage: &inference.Usage{InputTokens: size}})
		b = b[size:]
	}
	return events
}
