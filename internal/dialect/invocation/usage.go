package invocation

import (
	"cmp"

	"fairway/internal/inference"
)

// metricsKey is the member of the last chunk that has the metrics, with its quotes.
const metricsKey = `"amazon-bedrock-invocationMetrics"`

// metrics are the metrics of a streamed InvokeModel call. Latencies are in
// milliseconds, cached tokens are there where the model reports them.
type metrics struct {
	InputTokenCount           int   `json:"inputTokenCount"`
	OutputTokenCount          int   `json:"outputTokenCount"`
	InvocationLatency         int64 `json:"invocationLatency"`
	FirstByteLatency          int64 `json:"firstByteLatency"`
	CacheReadInputTokenCount  *int  `json:"cacheReadInputTokenCount,omitempty"`
	CacheWriteInputTokenCount *int  `json:"cacheWriteInputTokenCount,omitempty"`
}

func (m *metrics) usage() *inference.Usage {
	return usageOf(m.InputTokenCount, m.OutputTokenCount, m.CacheReadInputTokenCount, m.CacheWriteInputTokenCount)
}

func usageOf(input, output int, read, write *int) *inference.Usage {
	none := 0
	return &inference.Usage{
		InputTokens: input, OutputTokens: output,
		CacheReadTokens: *cmp.Or(read, &none), CacheWriteTokens: *cmp.Or(write, &none),
		Caching: read != nil || write != nil,
	}
}

// tokenUsage is the usage member of an answer, by the names of Converse and Nova,
// of Anthropic and of OpenAI. Only OpenAI's prompt tokens include cached ones.
type tokenUsage struct {
	InputTokens               *int `json:"inputTokens"`
	OutputTokens              int  `json:"outputTokens"`
	CacheReadInputTokens      *int `json:"cacheReadInputTokens"`
	CacheWriteInputTokens     *int `json:"cacheWriteInputTokens"`
	CacheReadInputTokenCount  *int `json:"cacheReadInputTokenCount"`
	CacheWriteInputTokenCount *int `json:"cacheWriteInputTokenCount"`
	AnthropicInput            *int `json:"input_tokens"`
	AnthropicOutput           int  `json:"output_tokens"`
	CacheReadInputAnthropic   *int `json:"cache_read_input_tokens"`
	CacheCreateInputAnthropic *int `json:"cache_creation_input_tokens"`
	OpenAIPrompt              *int `json:"prompt_tokens"`
	OpenAICompletion          int  `json:"completion_tokens"`
	OpenAIPromptDetails       struct {
		CachedTokens *int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
	CacheDetails []struct {
		TTL         string `json:"ttl"`
		InputTokens int    `json:"inputTokens"`
	} `json:"cacheDetails"`
	CacheCreation struct {
		Ephemeral1h int `json:"ephemeral_1h_input_tokens"`
	} `json:"cache_creation"`
}

// hour is how many of the tokens that the cache wrote it keeps for an hour.
func (u *tokenUsage) hour() int {
	sum := u.CacheCreation.Ephemeral1h
	for _, d := range u.CacheDetails {
		if d.TTL == "1h" {
			sum += d.InputTokens
		}
	}
	return sum
}

// usage is nil where nothing is counted.
func (u *tokenUsage) usage() *inference.Usage {
	input := cmp.Or(u.InputTokens, u.AnthropicInput, u.OpenAIPrompt)
	output := cmp.Or(u.OutputTokens, u.AnthropicOutput, u.OpenAICompletion)
	if input == nil && output == 0 {
		return nil
	}
	none := 0
	found := usageOf(*cmp.Or(input, &none), output,
		cmp.Or(u.CacheReadInputTokens, u.CacheReadInputTokenCount, u.CacheReadInputAnthropic, u.OpenAIPromptDetails.CachedTokens),
		cmp.Or(u.CacheWriteInputTokens, u.CacheWriteInputTokenCount, u.CacheCreateInputAnthropic))
	found.CacheWrite1h = min(u.hour(), found.CacheWriteTokens)
	if u.OpenAIPrompt != nil {
		found.InputTokens = max(0, found.InputTokens-found.CacheReadTokens)
	}
	return found
}
