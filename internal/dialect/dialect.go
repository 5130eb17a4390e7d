// Package dialect is where the dialects of model calls meet: one conversation and
// one answer in plain data, between the request and answer bodies of each dialect.
//
//	n dialects in --DecodeRequest--> Conversation --EncodeRequest--> m dialects out
//	n dialects out <--EncodeAnswer-- Answer, Pieces <--DecodeAnswer-- m dialects in
//
// A dialect is a package below this one and turns bytes into this vocabulary and
// back, never into another dialect. Its words are those of Amazon Bedrock's
// Converse API (facts: ../shared/facts/bedrock.md 1.11), the widest of them.
// Where both sides of a call speak the same dialect nothing of this is used: the
// bytes pass as they are.
package dialect

import (
	"encoding/json"

	"fairway/internal/inference"
)

// Server is a dialect as the one who answers calls speaks it.
type Server interface {
	// DecodeRequest reads a request body. The error is a Validation; what the
	// Conversation cannot hold is such an error too, never left out in silence.
	// The Conversation may share memory with body.
	DecodeRequest(body []byte) (*Conversation, error)

	// EncodeAnswer is the body of a unary answer.
	EncodeAnswer(*Answer) ([]byte, error)

	// NewEncoder begins a streamed answer.
	NewEncoder(Head) Encoder
}

// Encoder writes one streamed answer. Encode is given the pieces in order and
// returns the dialect's events for each, none where it has none. It must not be
// called concurrently.
type Encoder interface {
	Encode(Piece) ([]Payload, error)
}

// Client is a dialect as the one who makes calls speaks it.
type Client interface {
	// EncodeRequest writes a request body without a model or stream member. The
	// error is a Validation that names what the dialect cannot carry.
	EncodeRequest(*Conversation) ([]byte, error)

	// DecodeAnswer reads the body of a unary answer. A malformed body is an error.
	DecodeAnswer(body []byte) (*Answer, error)

	// NewDecoder begins to read a streamed answer.
	NewDecoder() Decoder
}

// Decoder reads one streamed answer. Decode is given the dialect's events in
// order and returns the pieces that each makes, none where it makes none. Events
// it does not know are passed over. It must not be called concurrently.
type Decoder interface {
	Decode(Payload) ([]Piece, error)
}

// Payload is one event of a dialect's stream, without its framing: the same for
// event streams and server-sent events.
type Payload struct {
	Type string // event type, empty where the dialect names none
	JSON []byte // one JSON value
}

// Conversation is what a model is asked. Zero members were not given.
type Conversation struct {
	System        []Block // Text, CachePoint, Guarded
	Messages      []Message
	Tools         []Tool
	ToolChoice    *ToolChoice
	MaxTokens     *int
	Temperature   *float64
	TopP          *float64
	TopK          *int
	StopSequences []string
	Thinking      *Thinking
	Output        *OutputFormat
	Guardrail     *Guardrail
	Metadata      map[string]string // of the request, for logs of the service
	Service       inference.Service
	Variables     map[string]string // of a prompt that Bedrock keeps
	Fields        []string          // of the model's own answer to be told, as JSON pointers: StopSequenceField

	// Extra is a JSON object of members that only the model itself understands:
	// Converse's additionalModelRequestFields. nil without any. A dialect puts what
	// is its own and has no place above there, or refuses it.
	Extra json.RawMessage
}

// Message is one turn.
type Message struct {
	Role    Role
	Content []Block
}

// Role is who speaks.
type Role string

// The roles.
const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// BlockType says which members of a Block count.
type BlockType string

// The types of content, by the names of Converse's union where it has one.
const (
	Text       BlockType = "text"             // Text
	Image      BlockType = "image"            // Media
	Document   BlockType = "document"         // Media
	Video      BlockType = "video"            // Media
	Audio      BlockType = "audio"            // Media
	ToolUse    BlockType = "toolUse"          // ID, Name, Input
	ToolResult BlockType = "toolResult"       // ID, Content (Text, JSON, Image, Document, Video), IsError
	JSON       BlockType = "json"             // Input; in a ToolResult
	Reasoning  BlockType = "reasoningContent" // Text, Signature
	Redacted   BlockType = "redactedContent"  // Text in base64: reasoning that only the model reads
	CachePoint BlockType = "cachePoint"       // TTL
	Guarded    BlockType = "guardContent"     // Text, Qualifiers: what the guardrail is to look at
	Found      BlockType = "searchResult"     // Name (its title), Source, Content (Text), Cited
)

// Block is a piece of content.
type Block struct {
	Type      BlockType
	Text      string
	Signature string // of Reasoning
	Media     *Media
	ID        string // of a tool call
	Name      string // of the tool
	Input     json.RawMessage
	Content   []Block
	IsError   bool
	TTL       string // "5m", "1h" or empty

	Qualifiers []string // of Guarded: "grounding_source", "query", "guard_content"
	Source     string   // of Found
	Cited      bool     // a Document's or Found's citations are asked for
}

// Media is an image, document, video or audio. Exactly one of Data, URI and Text
// is given.
type Media struct {
	Format string // "png", "jpeg", "pdf", "mp4", ...: Converse's word, never a media type
	Name   string // of a document
	Data   string // base64
	URI    string // "s3://..." or "https://..."
	Owner  string // account of an s3 bucket
	Text   string // of a plain-text document

	Context string // about a document, for the model
}

// Tool is something the model may call.
type Tool struct {
	Name        string
	Description string
	Schema      json.RawMessage // JSON Schema of the input
	Strict      bool
	TTL         *string // a cache point follows the tool; its TTL, "" for the default
	System      bool    // Bedrock runs it; it has a name alone
}

// ToolChoice says whether the model has to call a tool.
type ToolChoice struct {
	Mode ToolMode
	Name string // for OneTool
}

// ToolMode is how free the model is to call tools.
type ToolMode string

// The modes.
const (
	AutoTool ToolMode = "auto"
	AnyTool  ToolMode = "any"  // some tool
	OneTool  ToolMode = "tool" // the named one
	NoTool   ToolMode = "none"
)

// Thinking is how much the model is to reason before it answers.
type Thinking struct {
	Mode   string // "enabled", "disabled", "adaptive", or empty when only Effort is given
	Budget *int   // tokens
	Effort string // "low", "medium", "high", ..., empty when not given
}

// OutputFormat constrains the text of the answer to JSON.
type OutputFormat struct {
	Schema      json.RawMessage // JSON Schema; nil is any JSON object
	Name        string
	Description string
	Strict      bool
}

// Guardrail is a guardrail to apply. Only Bedrock itself can: who cannot refuses.
type Guardrail struct {
	Identifier, Version, Trace string
}

// Head is what is known of an answer before its first piece.
type Head struct {
	ID      string // of the answer, in no dialect's form: hex digits, made from the request id
	Model   string // as the answer names it, e.g. "claude-sonnet-4-20250514"
	Created int64  // Unix seconds

	Service inference.Service // that serves
	Fields  []string          // that the call asked for
}

// StopReason is why an answer ended, by Converse's names.
type StopReason string

// The stop reasons.
const (
	EndTurn               StopReason = "end_turn"
	StopToolUse           StopReason = "tool_use"
	MaxTokens             StopReason = "max_tokens"
	StopSequence          StopReason = "stop_sequence"
	GuardrailIntervened   StopReason = "guardrail_intervened"
	ContentFiltered       StopReason = "content_filtered"
	ContextWindowExceeded StopReason = "model_context_window_exceeded"
	MalformedOutput       StopReason = "malformed_model_output"
	MalformedToolUse      StopReason = "malformed_tool_use"
)

// Stop is how an answer ended.
type Stop struct {
	Reason   StopReason
	Sequence string // the stop sequence, where that was the reason and it is known
}

// StopSequenceField is the member of Claude's answer that tells the stop sequence.
// It is the one of Conversation.Fields that an answer carries.
const StopSequenceField = "/stop_sequence"

// Failure is the error of an answer that broke off with what cannot be read, for
// dialects that have no word for that; nil for every other end.
func (s Stop) Failure() error {
	switch s.Reason {
	case MalformedOutput, MalformedToolUse:
		return &inference.Error{
			Kind: inference.ModelError, Op: "read answer",
			Message: "The model broke its answer off with " + string(s.Reason) + ". Try your request again.",
		}
	}
	return nil
}

// Answer is a whole answer. Content has Text, Reasoning, Redacted and ToolUse.
type Answer struct {
	Head
	Content   []Block
	Stop      Stop
	Usage     inference.Usage // as Bedrock counts: input without cached tokens
	LatencyMS int64
}

// PieceKind says which members of a Piece count.
type PieceKind uint8

// The kinds of piece, in the order in which an answer has them: Began, then for
// each block BlockBegan, deltas, BlockEnded, then Stopped, then Ended. No block is
// begun before the one before it has ended.
const (
	Began      PieceKind = iota // Usage: input tokens so far, nil when not known; LatencyMS to the first byte, 0 when not known
	BlockBegan                  // Index, Block: its Type, for ToolUse also ID and Name
	Delta                       // Index, Text: more of a Text or Reasoning block, of a ToolUse its input as JSON text, of a Redacted all of it
	Signature                   // Index, Text: the signature of a Reasoning block
	BlockEnded                  // Index
	Stopped                     // Stop
	Ended                       // Usage, LatencyMS, Service where it is told: the terminal piece
)

// Piece is one step of a streamed answer.
type Piece struct {
	Kind      PieceKind
	Index     int // of the block, from 0
	Block     Block
	Text      string
	Stop      Stop
	Usage     *inference.Usage
	LatencyMS int64
	Service   inference.Service
}

// IsContent reports whether the piece is model output: sending it commits.
func (p Piece) IsContent() bool {
	return p.Kind == Delta || p.Kind == BlockBegan && p.Block.Type == ToolUse
}
