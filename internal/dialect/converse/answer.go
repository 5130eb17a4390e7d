package converse

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// response is ConverseResponse, its members in the order in which the service
// sends them.
type response struct {
	Fields  *fields `json:"additionalModelResponseFields,omitempty"`
	Metrics metrics `json:"metrics"`
	Output  struct {
		Message *message `json:"message"`
	} `json:"output"`
	Performance *performanceConfig `json:"performanceConfig,omitempty"`
	ServiceTier *serviceTier       `json:"serviceTier,omitempty"`
	StopReason  dialect.StopReason `json:"stopReason"`
	Usage       *tokenUsage        `json:"usage"`
}

// fields is additionalModelResponseFields, as far as an Answer has what was asked for.
type fields struct {
	StopSequence *string `json:"stop_sequence,omitempty"`
}

// writeFields is nil where the answer has nothing that was asked for.
func writeFields(h dialect.Head, s dialect.Stop) *fields {
	if s.Sequence == "" || !slices.Contains(h.Fields, dialect.StopSequenceField) {
		return nil
	}
	return &fields{&s.Sequence}
}

func (f *fields) sequence() string {
	if f == nil || f.StopSequence == nil {
		return ""
	}
	return *f.StopSequence
}

// writeService are nil where it is not told.
func writeService(s inference.Service) (p *performanceConfig, t *serviceTier) {
	if s.Latency != "" {
		p = &performanceConfig{s.Latency}
	}
	if s.Tier != "" {
		t = &serviceTier{s.Tier}
	}
	return p, t
}

func readService(p *performanceConfig, t *serviceTier) (s inference.Service) {
	if p != nil {
		s.Latency = p.Latency
	}
	if t != nil {
		s.Tier = t.Type
	}
	return s
}

type metrics struct {
	LatencyMS int64 `json:"latencyMs"`
}

// tokenUsage is TokenUsage: the total is the sum of the other four. The cached
// ones are there where the model reports them.
type tokenUsage struct {
	InputTokens           int  `json:"inputTokens"`
	OutputTokens          int  `json:"outputTokens"`
	TotalTokens           int  `json:"totalTokens"`
	CacheReadInputTokens  *int `json:"cacheReadInputTokens,omitempty"`
	CacheWriteInputTokens *int `json:"cacheWriteInputTokens,omitempty"`

	CacheDetails []cacheDetail `json:"cacheDetails,omitempty"` // left out where all are for five minutes
}

// cacheDetail counts what the cache wrote to keep for one TTL.
type cacheDetail struct {
	TTL         string `json:"ttl"`
	InputTokens int    `json:"inputTokens"`
}

func writeUsage(u inference.Usage) *tokenUsage {
	written := &tokenUsage{
		InputTokens: u.InputTokens, OutputTokens: u.OutputTokens,
		TotalTokens: u.InputTokens + u.OutputTokens + u.CacheReadTokens + u.CacheWriteTokens,
	}
	if u.Caching || u.CacheReadTokens > 0 || u.CacheWriteTokens > 0 {
		written.CacheReadInputTokens, written.CacheWriteInputTokens = &u.CacheReadTokens, &u.CacheWriteTokens
	}
	if u.CacheWrite1h > 0 {
		written.CacheDetails = append(written.CacheDetails, cacheDetail{"1h", u.CacheWrite1h})
		if short := u.CacheWriteTokens - u.CacheWrite1h; short > 0 {
			written.CacheDetails = append(written.CacheDetails, cacheDetail{"5m", short})
		}
	}
	return written
}

func (u *tokenUsage) read() inference.Usage {
	if u == nil {
		return inference.Usage{}
	}
	read := inference.Usage{InputTokens: u.InputTokens, OutputTokens: u.OutputTokens}
	if u.CacheReadInputTokens != nil {
		read.CacheReadTokens, read.Caching = *u.CacheReadInputTokens, true
	}
	if u.CacheWriteInputTokens != nil {
		read.CacheWriteTokens, read.Caching = *u.CacheWriteInputTokens, true
	}
	for _, d := range u.CacheDetails {
		if d.TTL == "1h" {
			read.CacheWrite1h += d.InputTokens
		}
	}
	return read
}

// EncodeAnswer writes a ConverseResponse.
func (Dialect) EncodeAnswer(a *dialect.Answer) ([]byte, error) {
	content, err := writeBlocks(a.Content, "output.message.content")
	if err != nil {
		return nil, fmt.Errorf("encode Converse response: %w", err)
	}
	r := response{
		Fields: writeFields(a.Head, a.Stop), Metrics: metrics{a.LatencyMS}, StopReason: a.Stop.Reason, Usage: writeUsage(a.Usage),
	}
	r.Performance, r.ServiceTier = writeService(a.Service)
	r.Output.Message = &message{Role: dialect.Assistant, Content: content}
	return dialect.WriteBody(r)
}

var errNoMessage = errors.New("decode Converse response: no output.message")

// DecodeAnswer reads a ConverseResponse. Content that an Answer does not hold is an
// error; members beside it that an Answer does not hold either are passed over.
func (Dialect) DecodeAnswer(body []byte) (*dialect.Answer, error) {
	var r response
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("decode Converse response: %w", err)
	}
	if r.Output.Message == nil {
		return nil, errNoMessage
	}
	content, err := readBlocks(r.Output.Message.Content, "output.message.content")
	if err != nil {
		return nil, fmt.Errorf("decode Converse response: %w", err)
	}
	for _, b := range content {
		switch b.Type {
		case dialect.Text, dialect.Reasoning, dialect.Redacted, dialect.ToolUse:
		default:
			return nil, fmt.Errorf("decode Converse response: a block of type %s", b.Type)
		}
	}
	return &dialect.Answer{
		Head:    dialect.Head{Service: readService(r.Performance, r.ServiceTier)},
		Content: content, Stop: dialect.Stop{Reason: r.StopReason, Sequence: r.Fields.sequence()},
		Usage: r.Usage.read(), LatencyMS: r.Metrics.LatencyMS,
	}, nil
}
