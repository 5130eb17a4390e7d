package anthropic_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"time"

	"fairway/internal/auth"
	"fairway/internal/front"
	"fairway/internal/front/anthropic"
	"fairway/internal/inference"
	"fairway/internal/wire/eventstream"
)

var developer = inference.Principal{Name: "developer", ARN: "arn:aws:iam::123456789012:user/developer"}

// scriptedGateway gives one answer or one error, and keeps the request.
type scriptedGateway struct {
	Answer string           `json:"answer"` // of a unary call
	Events []scriptedEvent  `json:"events"` // of a streamed one
	Breaks *inference.Error `json:"breaks"` // ends the stream after the events
	Record inference.Record `json:"record"`
	Error  *inference.Error `json:"error"`

	unexpected bool // being called panics
	request    *inference.Request
	ctx        context.Context
	closed     chan struct{} // closed with the stream; nil without interest
}

// scriptedEvent is one frame. Type is Converse's event type, empty for a chunk of
// InvokeModelWithResponseStream.
type scriptedEvent struct {
	Type    string          `json:"type"`
	JSON    json.RawMessage `json:"json"`
	Content bool            `json:"content"`
	Final   bool            `json:"final"`
}

func (e scriptedEvent) event() inference.Event {
	payload, kind := []byte(e.JSON), e.Type
	if kind == "" {
		payload, kind = mustMarshal(map[string]any{"bytes": payload, "p": "abcdef"}), "chunk"
	}
	return inference.Event{Raw: eventstream.Event(kind, "application/json", payload), Content: e.Content, Final: e.Final}
}

func mustMarshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

func (g *scriptedGateway) Invoke(ctx context.Context, r *inference.Request) (inference.Stream, *inference.Record, error) {
	if g.unexpected {
		panic("the call was not to reach the gateway")
	}
	g.request, g.ctx = r, ctx
	record := g.Record
	record.ID = r.ID
	if g.Error != nil {
		return nil, &record, g.Error
	}
	s := &scriptedStream{gateway: g, record: &record}
	if g.Answer != "" {
		s.rest = []inference.Event{{Raw: []byte(g.Answer), Content: true, Final: true}}
	}
	for _, e := range g.Events {
		s.rest = append(s.rest, e.event())
	}
	return s, &record, nil
}

type scriptedStream struct {
	gateway *scriptedGateway
	record  *inference.Record
	rest    []inference.Event
}

// Next waits for the context to end where the script has a channel and no more
// events.
func (s *scriptedStream) Next(ctx context.Context) (inference.Event, error) {
	switch {
	case len(s.rest) > 0:
		e := s.rest[0]
		s.rest = s.rest[1:]
		return e, nil
	case s.gateway.closed != nil:
		<-ctx.Done()
		return inference.Event{}, &inference.Error{Kind: inference.Canceled}
	case s.gateway.Breaks != nil:
		return inference.Event{}, s.gateway.Breaks
	}
	return inference.Event{}, io.EOF
}

func (s *scriptedStream) Close() error {
	s.record.Outcome = inference.OK
	s.record.Usage = inference.Usage{InputTokens: 12, OutputTokens: 5}
	if s.gateway.closed != nil {
		select {
		case <-s.gateway.closed:
		default:
			close(s.gateway.closed)
		}
	}
	return nil
}

// newFront knows the bearer key "bearer" and the access key AKID with the secret
// "secret". It knows models by their id behind a geography, and none that has
// "unknown" in it.
func newFront(g front.Gateway) *anthropic.Front {
	keys := auth.NewKeys()
	keys.AddAccessKey(auth.AccessKey{ID: "AKID", Secret: "secret", Principal: developer})
	keys.AddBearerKey("bearer", developer)
	return anthropic.New(anthropic.Config{
		Config: front.Config{
			Gateway:       g,
			Authenticator: auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: time.Now}},
			DefaultRegion: "us-east-1",
			MaxBody:       10_000,
			Log:           slog.New(slog.DiscardHandler),
		},
		Model: func(_ context.Context, named string, _ inference.Region) (inference.ModelID, error) {
			if strings.Contains(named, "unknown") {
				return "", &inference.Error{Kind: inference.ResourceNotFound, Message: "The provided model identifier is invalid."}
			}
			return inference.ModelID(strings.TrimPrefix(named, "apac.")), nil
		},
	})
}
