package openai_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"fairway/internal/front"
	"fairway/internal/front/openai"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

var developer = inference.Principal{Name: "developer", ARN: "arn:aws:iam::123456789012:user/developer"}

// keys knows the bearer key "bearer".
type keys struct{}

func (keys) Authenticate(r *http.Request, _ func() ([]byte, error)) (inference.Credential, error) {
	switch r.Header.Get("Authorization") {
	case "Bearer bearer":
		return inference.Credential{Principal: developer, Service: "bedrock"}, nil
	case "":
		return inference.Credential{}, &inference.Error{Kind: inference.MissingAuth, Op: "authenticate", Message: "Missing Authentication Token"}
	}
	return inference.Credential{}, &inference.Error{Kind: inference.UnrecognizedClient, Op: "authenticate", Message: "The security token included in the request is invalid."}
}

// scriptedGateway gives one answer or one error, and keeps the request.
type scriptedGateway struct {
	Answer json.RawMessage  `json:"answer"` // of a unary call
	Frames []frame          `json:"frames"` // of a stream
	Usage  *inference.Usage `json:"usage"`  // with the last event
	Cut    *inference.Error `json:"cut"`    // in place of the end
	Error  *inference.Error `json:"error"`
	Record inference.Record `json:"record"`

	request *inference.Request
	closed  int
}

// frame is an event of ConverseStream, or a chunk of InvokeModel's stream.
type frame struct {
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
}

func (f frame) raw() []byte {
	var compact bytes.Buffer
	if err := json.Compact(&compact, f.Payload); err != nil {
		panic(err)
	}
	if f.Type != "chunk" {
		return eventstream.Event(f.Type, "application/json", compact.Bytes())
	}
	payload, err := json.Marshal(map[string]any{"bytes": compact.Bytes(), "p": "abc"})
	if err != nil {
		panic(err)
	}
	return eventstream.Event("chunk", "application/json", payload)
}

func (g *scriptedGateway) Invoke(ctx context.Context, r *inference.Request) (inference.Stream, *inference.Record, error) {
	g.request = r
	g.Record.ID = r.ID
	if g.Error != nil {
		return nil, &g.Record, g.Error
	}
	return &scriptedStream{gateway: g, ctx: ctx}, &g.Record, nil
}

type scriptedStream struct {
	gateway *scriptedGateway
	ctx     context.Context
	at      int
}

func (s *scriptedStream) Next(ctx context.Context) (inference.Event, error) {
	g := s.gateway
	events := max(1, len(g.Frames))
	switch {
	case s.at == events && g.Cut != nil:
		return inference.Event{}, g.Cut
	case s.at == events:
		return inference.Event{}, io.EOF
	}
	s.at++
	last := s.at == events && g.Cut == nil
	event := inference.Event{Raw: g.Answer, Content: true, Final: last}
	if g.Frames != nil {
		event.Raw = g.Frames[s.at-1].raw()
	}
	if last && g.Usage != nil {
		event.Usage, g.Record.Usage = g.Usage, *g.Usage
	}
	return event, nil
}

func (s *scriptedStream) Close() error {
	s.gateway.closed++
	s.gateway.Record.Outcome = inference.OK
	return nil
}

// now is 1700000000.
func now() time.Time { return time.Unix(1_700_000_000, 0) }

// models maps a profile to its model; everything else but three is a model's id.
func models(_ context.Context, named string, _ inference.Region) (inference.ModelID, error) {
	switch named {
	case "apac.anthropic.claude-sonnet-4-20250514-v1:0":
		return "anthropic.claude-sonnet-4-20250514-v1:0", nil
	case "no-such-model":
		return "", &inference.Error{Kind: inference.ResourceNotFound, Op: "look up", Message: "The provided model identifier is invalid."}
	case "needs-a-profile":
		return "", &inference.Error{Kind: inference.Validation, Op: "look up", Message: "Invocation of model ID needs-a-profile with on-demand throughput isn\u2019t supported."}
	case "broken":
		return "", errors.New("the catalog fell over")
	}
	return inference.ModelID(named), nil
}

func list(_ context.Context, p inference.Principal, source inference.Region) ([]openai.ModelEntry, error) {
	return []openai.ModelEntry{
		{ID: "apac.anthropic.claude-sonnet-4-20250514-v1:0", Created: 1747000000, OwnedBy: "anthropic"},
		{ID: "arn:aws:bedrock:" + string(source) + ":123456789012:application-inference-profile/abc", OwnedBy: p.Name},
	}, nil
}

func newFront(g front.Gateway, log *slog.Logger) *openai.Front {
	return openai.New(openai.Config{
		Config: front.Config{Gateway: g, Authenticator: keys{}, DefaultRegion: "us-east-1", MaxBody: 4000, Log: log},
		Model:  models, Models: list, Now: now,
	})
}
