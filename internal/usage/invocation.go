package usage

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"time"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// invocations are lines of Bedrock's log.
type invocations struct {
	w   *bufio.Writer
	enc *json.Encoder
}

func newInvocations(w io.Writer) *invocations {
	buffered := bufio.NewWriter(w)
	enc := json.NewEncoder(buffered)
	enc.SetEscapeHTML(false)
	return &invocations{buffered, enc}
}

func (i *invocations) Put(_ []byte, r *Record) error { return i.enc.Encode(invocation(r)) }
func (i *invocations) Close() error                  { return i.w.Flush() }

// entry is a line of Bedrock's model invocation log (User Guide, "Monitor model
// invocation using CloudWatch Logs"). Bodies are not kept, so it has none.
type entry struct {
	SchemaType      string            `json:"schemaType"`
	SchemaVersion   string            `json:"schemaVersion"`
	Timestamp       string            `json:"timestamp"`
	AccountID       string            `json:"accountId,omitempty"`
	Identity        identity          `json:"identity,omitzero"`
	Region          inference.Region  `json:"region"`
	RequestID       string            `json:"requestId"`
	Operation       string            `json:"operation"`
	ModelID         string            `json:"modelId"`
	RequestMetadata map[string]string `json:"requestMetadata,omitempty"`
	ErrorCode       inference.Kind    `json:"errorCode,omitempty"`
	Input           input             `json:"input"`
	Output          output            `json:"output"`
	InferenceRegion inference.Region  `json:"inferenceRegion,omitempty"`
}

type identity struct {
	ARN inference.ARN `json:"arn"`
}

type input struct {
	ContentType string `json:"inputContentType"`
	Tokens      int    `json:"inputTokenCount"`
	CacheRead   int    `json:"cacheReadInputTokenCount"`
	CacheWrite  int    `json:"cacheWriteInputTokenCount"`
}

type output struct {
	ContentType string `json:"outputContentType"`
	Tokens      int    `json:"outputTokenCount"`
}

// invocation is the log's line of a call: of what answered it where that was a
// fallback, as the service logs the call that it was asked.
func invocation(r *Record) entry {
	return entry{
		SchemaType: "ModelInvocationLog", SchemaVersion: "1.0",
		Timestamp: r.Time.UTC().Format(time.RFC3339),
		AccountID: account(r.PrincipalARN), Identity: identity{r.PrincipalARN},
		Region: r.SourceRegion, RequestID: r.ID, Operation: string(r.Operation),
		ModelID:         cmp.Or(r.Fallback, r.Called(), string(r.Model)),
		RequestMetadata: metadata(r), ErrorCode: errorType(r),
		Input:           input{contentType, r.Usage.InputTokens, r.Usage.CacheReadTokens, r.Usage.CacheWriteTokens},
		Output:          output{contentType, r.Usage.OutputTokens},
		InferenceRegion: r.DestinationRegion,
	}
}

// contentType is that of every operation's bodies but those of a few embedding models.
const contentType = "application/json"

// account is the one in an ARN, empty for none.
func account(a inference.ARN) string {
	parsed, err := arn.Parse(string(a))
	if err != nil {
		return ""
	}
	return parsed.Account
}

// metadata is what is known of the caller beside the principal, and that a call is one
// of which nobody knows how it ended.
func metadata(r *Record) map[string]string {
	m := map[string]string{}
	for name, value := range map[string]string{"team": r.Team, "key": r.Key, "user": r.Caller} {
		if value != "" {
			m[name] = value
		}
	}
	if r.Outcome == inference.Unknown {
		m["outcome"] = string(inference.Unknown)
	}
	return m
}
