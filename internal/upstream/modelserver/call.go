package modelserver

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"

	"go.opentelemetry.io/otel/propagation"

	"fairway/internal/dialect"
)

// Call is one request to a Server.
type Call struct {
	Path    string          // below /v1, "/messages"
	Header  http.Header     // what the dialect wants, in canonical form
	Body    []byte          // JSON
	Decoder dialect.Decoder // of the answer's events; Post needs none
}

// maxText is how much of a body is read that is no stream, in bytes.
const maxText = 64 << 10

// Post is the body of an answer that is no stream, its first 64 KiB. Errors are
// *inference.Error of no region.
func (s *Server) Post(ctx context.Context, c Call) ([]byte, error) {
	response, err := s.send(ctx, c, "application/json")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxText))
	if err != nil {
		return nil, s.Broken(err)
	}
	return text, nil
}

// Collect is the whole answer, without a head. Errors are *inference.Error of no
// region.
func (s *Server) Collect(ctx context.Context, c Call) (*dialect.Answer, error) {
	whole, err := s.collect(ctx, c)
	if err != nil {
		return nil, s.failure(err, "", ctx)
	}
	return whole, nil
}

func (s *Server) collect(ctx context.Context, c Call) (*dialect.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	answer, err := s.ask(ctx, c)
	if err != nil {
		return nil, err
	}
	defer answer.close()
	collector := dialect.NewCollector(dialect.Head{})
	for ended := false; !ended; {
		pieces, err := answer.next()
		if err != nil {
			return nil, err
		}
		for _, p := range pieces {
			if err := collector.Add(p); err != nil {
				return nil, s.Broken(err)
			}
			ended = ended || p.Kind == dialect.Ended
		}
	}
	answer.drain(cancel)
	whole, err := collector.Answer()
	if err != nil {
		return nil, s.Broken(err)
	}
	return whole, nil
}

// ask begins to read an answer, which the caller closes.
func (s *Server) ask(ctx context.Context, c Call) (*answer, error) {
	response, err := s.send(ctx, c, "text/event-stream")
	if err != nil {
		return nil, err
	}
	return s.newAnswer(response.Body, c.Decoder), nil
}

// send makes one request, in which the caller's trace goes on (W3C Trace Context).
// The response has status 200 and a body to close.
func (s *Server) send(ctx context.Context, c Call, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+c.Path, bytes.NewReader(c.Body))
	if err != nil {
		return nil, err
	}
	maps.Copy(request.Header, c.Header)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", accept)
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(request.Header))
	response, err := s.client.Do(request)
	switch {
	case err != nil:
		return nil, s.Broken(err)
	case response.StatusCode != http.StatusOK:
		defer response.Body.Close()
		return nil, s.refused(response)
	}
	return response, nil
}
