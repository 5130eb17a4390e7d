package anthropic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"fairway/internal/dialect/anthropic"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
	"fairway/internal/wire/sse"
)

// relay is the passage to a model that speaks Messages itself: bodies go nearly as
// they are.
type relay struct {
	call *call
	text []byte // of the last event, its memory used again
}

// request moves what Bedrock has elsewhere: model and stream are the path's, the
// beta flags of the header the body's.
func (r *relay) request() (inference.Operation, []byte, error) {
	op := inference.InvokeModel
	if r.call.body.Stream {
		op = inference.InvokeModelWithResponseStream
	}
	return op, r.call.nativeBody(nil, nil), nil
}

// nativeBody is the body as InvokeModel takes it. The keys in drop go too, the
// members in add come too.
func (c *call) nativeBody(drop, add []string) []byte {
	drop = append(drop, "model", "stream", "anthropic_version")
	add = append(add, `"anthropic_version":"`+anthropic.Version+`"`)
	if betas := c.betas(); len(betas) > len(c.body.Betas) {
		text, err := json.Marshal(betas)
		if err != nil {
			panic(err) // strings always encode
		}
		drop, add = append(drop, "anthropic_beta"), append(add, `"anthropic_beta":`+string(text))
	}
	return c.body.With(drop, strings.Join(add, ","))
}

// betas are the flags of the body, then those that only the header has.
func (c *call) betas() []string {
	betas := slices.Clone(c.body.Betas)
	for _, line := range c.header.Values("Anthropic-Beta") {
		for flag := range strings.SplitSeq(line, ",") {
			if flag = strings.TrimSpace(flag); flag != "" && !slices.Contains(betas, flag) {
				betas = append(betas, flag)
			}
		}
	}
	return betas
}

func (r *relay) whole(e inference.Event) ([]byte, error) { return e.Raw, nil }

// events takes a chunk out of its frame.
func (r *relay) events(dst []byte, e inference.Event) ([]byte, error) {
	var err error
	if r.text, err = unwrap(r.text[:0], e.Raw); err != nil {
		return nil, fmt.Errorf("read chunk: %w", err)
	}
	text := r.text
	if e.Final {
		if text, err = withoutMetrics(text); err != nil {
			return nil, fmt.Errorf("read last chunk: %w", err)
		}
	}
	name, err := typeOf(text)
	if err != nil {
		return nil, fmt.Errorf("read chunk: %w", err)
	}
	return sse.Append(dst, sse.Event{Type: name, Data: text}), nil
}

// unwrap appends the model's own event in a frame of InvokeModelWithResponseStream,
// whose payload is {"bytes":"<base64>","p":"<filler>"}.
func unwrap(dst, frame []byte) ([]byte, error) {
	m, err := eventstream.Parse(frame)
	if err != nil {
		return nil, err
	}
	if encoded, ok := firstText(m.Payload, `{"bytes":"`); ok {
		return base64.StdEncoding.AppendDecode(dst, encoded)
	}
	var chunk struct{ Bytes []byte }
	err = json.Unmarshal(m.Payload, &chunk)
	return append(dst, chunk.Bytes...), err
}

// typeOf is the type of an event.
func typeOf(text []byte) (string, error) {
	if name, ok := firstText(text, `{"type":"`); ok {
		return string(name), nil
	}
	var event struct{ Type string }
	err := json.Unmarshal(text, &event)
	return event.Type, err
}

// firstText is the text that an object begins with, where it is written as it
// usually is: no JSON needs to be parsed for it then.
func firstText(object []byte, opening string) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(object, []byte(opening))
	if !ok {
		return nil, false
	}
	text, _, ok := bytes.Cut(rest, []byte(`"`))
	return text, ok && !bytes.Contains(text, []byte(`\`))
}

// metrics is the member that Bedrock adds to the last chunk.
const metrics = "amazon-bedrock-invocationMetrics"

func withoutMetrics(text []byte) ([]byte, error) {
	if !bytes.Contains(text, []byte(metrics)) {
		return text, nil
	}
	body, err := anthropic.Open(text)
	if err != nil {
		return nil, err
	}
	return body.With([]string{metrics}, ""), nil
}
