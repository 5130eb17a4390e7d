package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fairway/internal/catalog"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

// outliner is as much of a server as outlines take.
func outliner() *Server {
	s := &Server{catalog: catalog.New(catalog.Options{})}
	s.estimator = tokens.NewEstimator()
	return s
}

// run is part of an adversary's text: what looks like base64, prose, or what is dense.
func run(t *rapid.T) string {
	of := rapid.SampledFrom([]string{"A", "words of prose ", "0123456789", "สวัสดีครับ", "🙂🙃", "你好世界", "!?#{}", "đã được ", "привет ", "\n\"\\", "QUJD"}).Draw(t, "of")
	return strings.Repeat(of, 1+rapid.IntRange(0, 3_000).Draw(t, "length")/len(of))
}

// adversarial is a text that is not what it begins as.
func adversarial(t *rapid.T) string {
	return strings.Join(rapid.SliceOfN(rapid.Custom(run), 1, 5).Draw(t, "runs"), rapid.SampledFrom([]string{"", " "}).Draw(t, "between"))
}

type object = map[string]any

// shapes are bodies of every dialect that hold some texts: as prompts, documents, the
// JSON of tools, and as base64.
var shapes = []struct {
	op    inference.Operation
	model inference.ModelID
	body  func(a, b string) object
}{
	{inference.Converse, asked, func(a, b string) object {
		return said(object{"text": a}, object{"document": object{"format": "txt", "name": "b", "source": object{"bytes": encodedText(b)}}})
	}},
	{inference.Converse, "amazon.nova-pro-v1:0", func(a, b string) object {
		return said(object{"text": a}, object{"image": object{"format": "png", "source": object{"bytes": encodedText(b)}}})
	}},
	{inference.Converse, asked, func(a, b string) object {
		return said(object{"video": object{"format": "mp4", "source": object{"bytes": encodedText(a + b)}}}, object{"document": object{"format": "pdf", "name": "image", "source": object{"bytes": encodedText(b)}}})
	}},
	{inference.ConverseStream, "openai.gpt-oss-120b-1:0", func(a, b string) object {
		return said(object{"toolUse": object{"toolUseId": "1", "name": "t", "input": object{"image": object{"source": object{"bytes": a}}, "n": numbers(b)}}})
	}},
	{inference.InvokeModel, asked, func(a, b string) object {
		return object{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1, "messages": []any{object{"role": "user", "content": []any{
			object{"type": "document", "source": object{"type": "text", "media_type": "text/plain", "data": a}},
			object{"type": "image", "source": object{"type": "base64", "media_type": "image/png", "data": encodedText(b)}},
		}}}}
	}},
	{inference.InvokeModel, "anthropic.claude-opus-4-7", func(a, b string) object {
		return object{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1, "system": a, "messages": []any{object{"role": "user", "content": b}},
			"tools": []any{object{"name": "t", "description": b, "input_schema": object{"type": "object", "data": encodedText(a)}}}}
	}},
	{inference.InvokeModel, "amazon.nova-lite-v1:0", func(a, b string) object { return said(object{"text": a}, object{"text": b}) }},
	{inference.InvokeModel, "openai.gpt-oss-20b-1:0", func(a, b string) object {
		return object{"messages": []any{object{"role": "system", "content": a}, object{"role": "user", "content": []any{
			object{"type": "file", "file": object{"filename": "b", "file_data": "data:text/csv;base64," + encodedText(b)}},
			object{"type": "image_url", "image_url": object{"url": "data:image/png;base64," + encodedText(a)}},
			object{"type": "text", "text": "data:image/png;base64," + a},
		}}}}
	}},
	{inference.InvokeModel, "amazon.titan-text-express-v1", func(a, b string) object { return object{"inputText": a + b} }},
	{inference.InvokeModel, "meta.llama3-70b-instruct-v1:0", func(a, b string) object { return object{"prompt": a + b} }},
	{inference.InvokeModel, "mistral.mistral-7b-instruct-v0:2", func(a, b string) object { return object{"prompt": a + b} }},
}

func said(blocks ...object) object {
	role := "user"
	if blocks[0]["toolUse"] != nil {
		role = "assistant"
	}
	return object{"messages": []any{object{"role": role, "content": blocks}}}
}

func encodedText(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func numbers(s string) []int { return make([]int, len(s)) }

// TestMostInput: what a call reserves is never below the estimate of what it says.
func TestMostInput(t *testing.T) {
	s := outliner()
	decoded := make([]int, len(shapes))
	rapid.Check(t, func(t *rapid.T) {
		a, b := adversarial(t), adversarial(t)
		n := rapid.IntRange(0, len(shapes)-1).Draw(t, "shape")
		shape := shapes[n]
		body, err := json.Marshal(shape.body(a, b))
		if err != nil {
			t.Fatal(err)
		}
		form, err := invocation.Of(shape.op, shape.model)
		if err != nil {
			t.Fatal(err)
		}
		conversation, err := form.Decode(body)
		if err != nil {
			return // as the service refuses it
		}
		decoded[n]++
		least := s.estimator.Quick(shape.model, tokens.FamilyOf(shape.model).Read(conversation)).Low
		if got := s.outline(&inference.Request{Operation: shape.op, Body: body}, shape.model).MostInput; got < least {
			t.Fatalf("outline(%s of %s, shape %d, %.60q, %.60q).MostInput = %d, want no less than %d", shape.op, shape.model, n, a, b, got, least)
		}
	})
	t.Log("bodies by shape: ", decoded)
}

// TestMostInputOfDisguise: dense text that begins as base64 does, or as prose does.
func TestMostInputOfDisguise(t *testing.T) {
	dense, random := []rune(nil), rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		dense = append(dense, 0xE01+random.Int32N(50), 0x1F600+random.Int32N(60))
	}
	for _, before := range []string{strings.Repeat("A", 300) + " ", strings.Repeat("words of prose ", 50), strings.Repeat("A", 1_024)} {
		for _, after := range []string{"", strings.Repeat("A", 1_024)} {
			for _, block := range []string{`{"text":"%s"}`, `{"toolUse":{"toolUseId":"1","name":"t","input":{"bytes":"%s"}}}`, `{"document":{"name":"d","source":{"text":"%s"}}}`} {
				body := `{"messages":[{"role":"user","content":[` + fmt.Sprintf(block, before+string(dense)+after) + `]}]}`
				s := outliner()
				got := s.outline(&inference.Request{Operation: inference.Converse, Body: []byte(body)}, asked)
				want := s.estimator.Quick(asked, tokens.FamilyOf(asked).ReadText(string(dense))).High
				if got.MostInput < want || got.MostInput > 2*want {
					t.Errorf("%.20s..., %s: MostInput = %d, want %d or up to twice as much", before, block, got.MostInput, want)
				}
			}
		}
	}
}

// TestMostInputOfMedia: an image is not taken for a text.
func TestMostInputOfMedia(t *testing.T) {
	image := base64.StdEncoding.EncodeToString(make([]byte, 1_000_000))
	for _, test := range []struct {
		op    inference.Operation
		model inference.ModelID
		block string
	}{
		{inference.Converse, asked, `{"image":{"format":"png","source":{"bytes":"` + image + `"}}}`},
		{inference.InvokeModel, asked, `{"source":{"data":"` + image + `","media_type":"image/png","type":"base64"},"type":"image"}`},
		{inference.InvokeModel, "openai.gpt-oss-20b-1:0", `{"type":"image_url","image_url":{"url":"data:image/png;base64,` + image + `"}}`},
	} {
		body := `{"messages":[{"role":"user","content":[{"text":"md or csv?"},` + test.block + `]}]}`
		if got := outliner().outline(&inference.Request{Operation: test.op, Body: []byte(body)}, test.model).MostInput; got < 1_600 || got > 3_000 {
			t.Errorf("outline(%s of %s with an image).MostInput = %d, want about 2400", test.op, test.model, got)
		}
	}
}

func BenchmarkOutline(b *testing.B) {
	turn := `{"role":"user","content":[{"type":"text","text":"` + strings.Repeat("words of a long document ", 40) + `"}]}`
	for _, turns := range []int{1, 50, 5_000} {
		body := []byte(`{"max_tokens":5,"messages":[` + strings.Repeat(turn+",", turns-1) + turn + `]}`)
		b.Run(fmt.Sprint(len(body)>>10, "KB"), func(b *testing.B) {
			s, r := outliner(), &inference.Request{Operation: inference.InvokeModel, Body: body}
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				s.outline(r, asked)
			}
		})
	}
}
