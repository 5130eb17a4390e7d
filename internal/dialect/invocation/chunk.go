package invocation

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"fairway/internal/wire/eventstream"
)

var errNoBytes = errors.New("a chunk without bytes")

// Chunk is the model's own event in a frame of InvokeModelWithResponseStream.
func Chunk(frame []byte) ([]byte, error) {
	m, err := eventstream.Parse(frame)
	if err != nil {
		return nil, err
	}
	return appendChunk(nil, m.Payload)
}

// appendChunk appends the model's own event that a chunk's payload
// {"bytes":"<base64>","p":"<filler>"} holds.
func appendChunk(dst, payload []byte) ([]byte, error) {
	if encoded, ok := bytes.CutPrefix(payload, []byte(chunkOpening)); ok {
		if end := bytes.IndexByte(encoded, '"'); end >= 0 && bytes.IndexByte(encoded[:end], '\\') < 0 {
			return appendBase64(dst, encoded[:end])
		}
	}
	var chunk struct {
		Bytes *string `json:"bytes"`
	}
	if err := json.Unmarshal(payload, &chunk); err != nil {
		return nil, fmt.Errorf("a chunk that is no JSON: %w", err)
	}
	if chunk.Bytes == nil {
		return nil, errNoBytes
	}
	return appendBase64(dst, []byte(*chunk.Bytes))
}

func appendBase64(dst, encoded []byte) ([]byte, error) {
	dst, err := base64.StdEncoding.AppendDecode(dst, encoded)
	if err != nil {
		return nil, fmt.Errorf("a chunk that is not base64: %w", err)
	}
	return dst, nil
}

// opening is the first key of a JSON object and, where that is a string without
// escapes, its value. Both are nil for what does not begin as an object.
func opening(text []byte) (key, value []byte) {
	rest := skipSpace(text)
	if len(rest) == 0 || rest[0] != '{' {
		return nil, nil
	}
	key, rest = quoted(skipSpace(rest[1:]))
	rest = skipSpace(rest)
	if key == nil || len(rest) == 0 || rest[0] != ':' {
		return nil, nil
	}
	value, _ = quoted(skipSpace(rest[1:]))
	return key, value
}

// quoted is what stands between the quotes that b begins with, and what follows
// them; nil where that is no string without escapes.
func quoted(b []byte) (inner, rest []byte) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil
	}
	end := bytes.IndexByte(b[1:], '"') + 1
	if end == 0 || bytes.IndexByte(b[1:end], '\\') >= 0 {
		return nil, nil
	}
	return b[1:end:end], b[end+1:]
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// readMetrics are the invocation metrics of a model's event, nil without any. The
// text of a string cannot look like the key: its quotes are escaped.
func readMetrics(event []byte) *metrics {
	if !bytes.Contains(event, []byte(metricsKey)) {
		return nil
	}
	var found struct {
		Metrics *metrics `json:"amazon-bedrock-invocationMetrics"`
	}
	if json.Unmarshal(event, &found) != nil {
		return nil
	}
	return found.Metrics
}
