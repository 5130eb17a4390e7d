package bedrock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"fairway/internal/auth"
	"fairway/internal/front"
	"fairway/internal/front/bedrock"
	"fairway/internal/inference"
)

var developer = inference.Principal{Name: "developer", ARN: "arn:aws:iam::123456789012:user/developer"}

// scriptedGateway gives one answer, frames or one error, and keeps the request.
type scriptedGateway struct {
	Answer  string            `json:"answer"`
	Frames  []frame           `json:"frames"`  // in place of Answer
	Then    *inference.Error  `json:"then"`    // ends the frames; nil is io.EOF
	Usage   *inference.Usage  `json:"usage"`   // of the answer, or the final frame
	Caching bool              `json:"caching"` // of the usage, which has it not in JSON
	Served  *inference.Served `json:"served"`  // of the first event
	Record  inference.Record  `json:"record"`
	Error   *inference.Error  `json:"error"`

	unexpected bool // being called panics
	request    *inference.Request
	closed     int
}

// frame is an event of a streaming operation.
type frame struct {
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
	Content bool            `json:"content"`
	Final   bool            `json:"final"`
}

// raw is the frame as the AWS SDK's own encoder writes it.
func (f frame) raw() []byte {
	var payload bytes.Buffer
	if err := json.Compact(&payload, f.Payload); err != nil {
		panic(err)
	}
	m := eventstream.Message{Payload: payload.Bytes()}
	m.Headers.Set(":event-type", eventstream.StringValue(f.Type))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	m.Headers.Set(":message-type", eventstream.StringValue("event"))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (g *scriptedGateway) Invoke(_ context.Context, r *inference.Request) (inference.Stream, *inference.Record, error) {
	if g.unexpected {
		panic("the call was not to reach the gateway")
	}
	g.request = r
	record := g.Record
	record.ID = r.ID
	if g.Error != nil {
		return nil, &record, g.Error
	}
	return &scriptedStream{gateway: g, record: &record, events: g.events()}, &record, nil
}

// events are the frames of the script, else the answer.
func (g *scriptedGateway) events() []inference.Event {
	events := []inference.Event{{Raw: []byte(g.Answer), Content: true, Final: true}}
	if g.Frames != nil {
		events = events[:0]
		for _, f := range g.Frames {
			events = append(events, inference.Event{Raw: f.raw(), Content: f.Content, Final: f.Final})
		}
	}
	if len(events) > 0 {
		events[0].Served = g.Served
	}
	if last := len(events) - 1; last >= 0 && g.Usage != nil && events[last].Final {
		usage := *g.Usage
		usage.Caching = g.Caching
		events[last].Usage = &usage
	}
	return events
}

// scriptedStream settles its record as the gateway does: when it is closed.
type scriptedStream struct {
	gateway *scriptedGateway
	record  *inference.Record
	events  []inference.Event
	final   bool
}

func (s *scriptedStream) Next(context.Context) (inference.Event, error) {
	switch {
	case len(s.events) > 0:
		event := s.events[0]
		s.events = s.events[1:]
		s.final = s.final || event.Final
		if event.Usage != nil {
			s.record.Usage = *event.Usage
		}
		return event, nil
	case s.gateway.Then != nil:
		return inference.Event{}, s.gateway.Then
	default:
		return inference.Event{}, io.EOF
	}
}

func (s *scriptedStream) Close() error {
	s.gateway.closed++
	s.record.Outcome = inference.Failed
	if s.final {
		s.record.Outcome = inference.OK
	}
	return nil
}

// newFront knows the access key AKID with the secret "secret" and the bearer key
// "bearer".
func newFront(g front.Gateway, now func() time.Time) *bedrock.Front {
	return newFrontWith(g, now, slog.New(slog.DiscardHandler))
}

func newFrontWith(g front.Gateway, now func() time.Time, log *slog.Logger) *bedrock.Front {
	keys := auth.NewKeys()
	keys.AddAccessKey(auth.AccessKey{ID: "AKID", Secret: "secret", Principal: developer})
	keys.AddAccessKey(auth.AccessKey{ID: "EXPIRED", Secret: "secret", SessionToken: "token", Principal: developer, Expires: time.Unix(1, 0)})
	keys.AddBearerKey("bearer", developer)
	return bedrock.New(front.Config{
		Gateway:       g,
		Authenticator: auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: now}},
		DefaultRegion: "us-east-1",
		Log:           log,
	})
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }
