package bedrock_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"fairway/internal/auth"
	"fairway/internal/front/bedrock"
	"fairway/internal/inference"
)

var developer = inference.Principal{Name: "developer", ARN: "arn:aws:iam::123456789012:user/developer"}

// scriptedGateway gives one answer or one error, and keeps the request.
type scriptedGateway struct {
	Answer  string           `json:"answer"`
	Usage   *inference.Usage `json:"usage"`
	Caching bool             `json:"caching"` // of the usage, which has it not in JSON
	Record  inference.Record `json:"record"`
	Error   *inference.Error `json:"error"`

	unexpected bool // being called panics
	request    *inference.Request
	closed     int
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
	return &scriptedStream{gateway: g}, &record, nil
}

type scriptedStream struct {
	gateway *scriptedGateway
	read    bool
}

func (s *scriptedStream) Next(context.Context) (inference.Event, error) {
	if s.read {
		return inference.Event{}, io.EOF
	}
	s.read = true
	event := inference.Event{Raw: []byte(s.gateway.Answer), Content: true, Final: true}
	if s.gateway.Usage != nil {
		usage := *s.gateway.Usage
		usage.Caching = s.gateway.Caching
		event.Usage = &usage
	}
	return event, nil
}

func (s *scriptedStream) Close() error {
	s.gateway.closed++
	return nil
}

// newFront knows the access key AKID with the secret "secret" and the bearer key
// "bearer".
func newFront(g bedrock.Gateway, now func() time.Time) *bedrock.Front {
	return newFrontWith(g, now, slog.New(slog.DiscardHandler))
}

func newFrontWith(g bedrock.Gateway, now func() time.Time, log *slog.Logger) *bedrock.Front {
	keys := auth.NewKeys()
	keys.AddAccessKey(auth.AccessKey{ID: "AKID", Secret: "secret", Principal: developer})
	keys.AddBearerKey("bearer", developer)
	return bedrock.New(bedrock.Config{
		Gateway:       g,
		Authenticator: auth.Bedrock{Keys: keys, Now: now},
		DefaultRegion: "us-east-1",
		Log:           log,
	})
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }
