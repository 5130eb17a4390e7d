package main

import (
	"io"
	"maps"
	"math/rand/v2"
	"slices"
)

// door is a way in: its dialect, and how its answers are read.
type door struct {
	path   func(model string, streams bool) string
	body   func(c *conversation, model string, streams bool) object
	whole  func(io.Reader) (*answer, error)
	stream func(io.Reader) (*answer, error)
	signs  bool // takes signatures as well as bearer keys
	chats  bool // tells what chat completions can
}

// The models, by the profiles that callers name. Both take an assistant prefill.
const (
	claude = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	nova   = "apac.amazon.nova-pro-v1:0"
)

// with is body with more members.
func with(body, more object) object {
	maps.Copy(body, more)
	return body
}

// runtimePath is the path of a Bedrock Runtime operation.
func runtimePath(whole, stream string) func(string, bool) string {
	return func(model string, streams bool) string {
		if streams {
			return "/model/" + model + "/" + stream
		}
		return "/model/" + model + "/" + whole
	}
}

func fixedPath(p string) func(string, bool) string { return func(string, bool) string { return p } }

var (
	invokeClaude = &door{
		path: runtimePath("invoke", "invoke-with-response-stream"),
		body: func(c *conversation, _ string, _ bool) object {
			return with(c.messages(), object{"anthropic_version": "bedrock-2023-05-31"})
		},
		whole: readMessage, stream: readClaudeStream, signs: true,
	}
	invokeNova = &door{
		path: runtimePath("invoke", "invoke-with-response-stream"),
		body: func(c *conversation, _ string, _ bool) object {
			return with(c.converse(), object{"schemaVersion": "messages-v1"})
		},
		whole: readConversed, stream: readNovaStream, signs: true,
	}
	converseDoor = &door{
		path:  runtimePath("converse", "converse-stream"),
		body:  func(c *conversation, _ string, _ bool) object { return c.converse() },
		whole: readConversed, stream: readConverseStream, signs: true,
	}
	countDoor = &door{
		path: runtimePath("count-tokens", ""),
		body: func(c *conversation, _ string, _ bool) object {
			return object{"input": object{"converse": object{"messages": c.converse()["messages"], "system": c.converse()["system"]}}}
		},
		whole: readCount, signs: true,
	}
	messagesDoor = &door{
		path: fixedPath("/v1/messages"),
		body: func(c *conversation, model string, streams bool) object {
			return with(c.messages(), object{"model": model, "stream": streams})
		},
		whole: readMessage, stream: readMessageEvents,
	}
	countMessagesDoor = &door{
		path: fixedPath("/v1/messages/count_tokens"),
		body: func(c *conversation, model string, _ bool) object {
			body := with(c.messages(), object{"model": model})
			delete(body, "max_tokens")
			return body
		},
		whole: readCount,
	}
	chatDoor = &door{
		path: fixedPath("/v1/chat/completions"),
		body: func(c *conversation, model string, streams bool) object {
			body := with(c.chat(), object{"model": model})
			if streams {
				with(body, object{"stream": true, "stream_options": object{"include_usage": true}})
			}
			return body
		},
		whole: readChat, stream: readChatChunks, chats: true,
	}
)

// mistake is what a caller does wrong on purpose, and is to be told for it.
type mistake struct {
	name    string
	path    string              // in place of the door's
	spoil   func(object) []byte // the body; nil leaves it
	key     string              // environment variable of the bearer key; empty is the usual one
	status  int
	says    string // in the header or the body of the answer
	unnamed bool   // the call is refused before it is one: no record, a line in the log
}

var (
	badTemperature = &mistake{
		name:   "temperature",
		spoil:  func(o object) []byte { o["inferenceConfig"] = object{"temperature": 7}; return encode(o) },
		status: 400, says: "ValidationException",
	}
	noTokens = &mistake{
		name:   "max_tokens 0",
		spoil:  func(o object) []byte { o["max_tokens"] = 0; return encode(o) },
		status: 400, says: "invalid_request_error",
	}
	badChat = &mistake{
		name:   "temperature",
		spoil:  func(o object) []byte { o["temperature"] = 1.9; return encode(o) },
		status: 400, says: "invalid_request_error",
	}
	unknownModel  = &mistake{name: "unknown model", path: "/model/apac.anthropic.no-such-model/converse", status: 400, says: "ValidationException"}
	notPermitted  = &mistake{name: "not permitted", key: outsiderKey, status: 403, says: "AccessDeniedException"}
	malformedBody = &mistake{
		name:   "malformed body",
		spoil:  func(o object) []byte { b := encode(o); return b[:len(b)/2] },
		status: 400, says: "ValidationException", unnamed: true,
	}
	unknownKey = &mistake{name: "unknown key", key: strangerKey, status: 403, says: "UnrecognizedClientException", unnamed: true}
)

// kind is one sort of call.
type kind struct {
	share   int // of all calls, to the sum of all shares
	name    string
	door    *door
	model   string
	sort    sort
	streams bool
	wrong   *mistake // nil where the call is as it should be
	leaves  bool     // the caller goes away in the middle of the answer
}

// continues reports whether a stream of this kind that is cut is to end whole. The
// others end with an exception: a tool's call and thinking cannot be gone on with.
func (k *kind) continues() bool { return k.sort != tool && k.sort != thinking }

// menu is every kind of call. The shares add up to 100.
var menu = []kind{
	{5, "InvokeModel, Claude", invokeClaude, claude, plain, false, nil, false},
	{4, "InvokeModel, Nova", invokeNova, nova, plain, false, nil, false},
	{5, "Converse, Claude", converseDoor, claude, plain, false, nil, false},
	{4, "Converse, Nova", converseDoor, nova, plain, false, nil, false},
	{5, "Messages, Claude", messagesDoor, claude, plain, false, nil, false},
	{2, "Messages, Nova", messagesDoor, nova, plain, false, nil, false},
	{3, "chat completion, Claude", chatDoor, claude, plain, false, nil, false},
	{3, "chat completion, Nova", chatDoor, nova, plain, false, nil, false},
	{2, "CountTokens", countDoor, claude, plain, false, nil, false},
	{1, "count_tokens of Messages", countMessagesDoor, claude, plain, false, nil, false},

	{6, "InvokeModelWithResponseStream, Claude", invokeClaude, claude, plain, true, nil, false},
	{4, "InvokeModelWithResponseStream, Nova", invokeNova, nova, plain, true, nil, false},
	{6, "ConverseStream, Claude", converseDoor, claude, plain, true, nil, false},
	{4, "ConverseStream, Nova", converseDoor, nova, plain, true, nil, false},
	{6, "Messages stream, Claude", messagesDoor, claude, plain, true, nil, false},
	{2, "Messages stream, Nova", messagesDoor, nova, plain, true, nil, false},
	{3, "chat stream, Claude", chatDoor, claude, plain, true, nil, false},
	{4, "chat stream, Nova", chatDoor, nova, plain, true, nil, false},

	{2, "ConverseStream to max_tokens, Claude", converseDoor, claude, brief, true, nil, false},
	{2, "Messages stream to max_tokens, Claude", messagesDoor, claude, brief, true, nil, false},
	{2, "chat stream to max_tokens, Nova", chatDoor, nova, brief, true, nil, false},
	{1, "ConverseStream to a stop sequence, Nova", converseDoor, nova, stopped, true, nil, false},
	{1, "InvokeModelWithResponseStream to a stop sequence, Claude", invokeClaude, claude, stopped, true, nil, false},

	{2, "Converse with a tool, Nova", converseDoor, nova, tool, false, nil, false},
	{2, "ConverseStream with a tool, Claude", converseDoor, claude, tool, true, nil, false},
	{2, "Messages stream with a tool, Claude", messagesDoor, claude, tool, true, nil, false},
	{2, "chat stream with a tool, Nova", chatDoor, nova, tool, true, nil, false},
	{1, "Converse with thinking, Claude", converseDoor, claude, thinking, false, nil, false},
	{2, "ConverseStream with thinking, Claude", converseDoor, claude, thinking, true, nil, false},
	{2, "InvokeModelWithResponseStream with thinking, Claude", invokeClaude, claude, thinking, true, nil, false},

	{1, "ConverseStream, left", converseDoor, claude, plain, true, nil, true},
	{1, "Messages stream, left", messagesDoor, claude, plain, true, nil, true},

	{2, "Converse, bad temperature", converseDoor, claude, plain, false, badTemperature, false},
	{1, "Messages stream, max_tokens 0", messagesDoor, claude, plain, true, noTokens, false},
	{1, "chat stream, bad temperature", chatDoor, claude, plain, true, badChat, false},
	{1, "Converse, unknown model", converseDoor, claude, plain, false, unknownModel, false},
	{1, "Converse, not permitted", converseDoor, nova, plain, false, notPermitted, false},
	{1, "ConverseStream, malformed body", converseDoor, nova, plain, true, malformedBody, false},
	{1, "Converse, unknown key", converseDoor, claude, plain, false, unknownKey, false},
}

// order draws a kind of the menu by the shares.
func order(menu []kind, r *rand.Rand) *kind {
	total := 0
	for i := range menu {
		total += menu[i].share
	}
	n := r.IntN(total)
	at := slices.IndexFunc(menu, func(k kind) bool { n -= k.share; return n < 0 })
	return &menu[at]
}
