// Package openai is the dialect of OpenAI's chat completions, which Bedrock's
// openai.* models speak inside InvokeModel, and Ollama, vLLM, llama.cpp and many
// others over HTTP.
//
// Two counts differ from Bedrock's: prompt_tokens includes the tokens that a cache
// read or wrote, and a stream tells its usage only when it was asked to.
//
// What the conversation has and chat completions have not:
//
//   - Reasoning travels in the members reasoning_content and reasoning_signature of
//     a message. The first is the word of vLLM, llama.cpp and DeepSeek; "reasoning",
//     Ollama's word, is read too. Reasoning that only the model can read is not told.
//   - A tool result that is an error is written with the line "Error:" before it.
//   - Cache points are left out: they change no answer, and servers of this dialect
//     cache by themselves (docs/adr/0015-caching-hints.md).
//   - top_k is written and read though OpenAI has it not: vLLM and llama.cpp do.
//   - A message has one text, before its tool calls, whatever the order was.
//
// Source: OpenAI API reference, "Chat Completions"; error texts as the service
// gives them.
package openai

import "fairway/internal/dialect"

// Dialect is chat completions, for those who answer and for those who call. Model,
// stream and stream_options are members of its bodies that belong to the transport:
// they are neither read nor written here.
type Dialect struct {
	// Usage makes a streamed answer end with a chunk that has the usage and no
	// choice, as stream_options.include_usage asks for.
	Usage bool

	// AnyTool is Mistral's form of the dialect: a call may have to call a tool by the
	// choice "any", which is "required" elsewhere.
	AnyTool bool
}

var (
	_ dialect.Server = Dialect{}
	_ dialect.Client = Dialect{}
)

// Done is the data that ends a stream of server-sent events. A Decoder takes it as
// an event: nothing else says that the answer has ended.
const Done = "[DONE]"
