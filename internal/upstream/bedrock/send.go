package bedrock

import (
	"context"
	"errors"
	"io"
	"net/http"

	"fairway/internal/inference"
)

// MaxAnswer is how long a unary answer may be, in bytes.
const MaxAnswer = 64 << 20

// maxErrorBody is how much of an error's body is read, in bytes.
const maxErrorBody = 64 << 10

// send asks a target for operation. The response has status 200 and the caller
// closes its body; the error is an *inference.Error.
func (u *Upstream) send(ctx context.Context, t inference.Target, r *inference.Request, operation inference.Operation) (*http.Response, error) {
	request, err := u.request(ctx, t, r, operation)
	if err != nil {
		return nil, err
	}
	return u.roundTrip(request)
}

func (u *Upstream) roundTrip(request *http.Request) (*http.Response, error) {
	response, err := u.transport.RoundTrip(request)
	if err != nil {
		return nil, lost(request.Context(), err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil && request.Context().Err() != nil {
		return nil, lost(request.Context(), err)
	}
	return nil, refusal(response, body)
}

var errTooLong = errors.New("read answer: it is longer than any that the service gives")

// whole reads a body of at most limit bytes.
func whole(r *http.Response, limit int64) ([]byte, error) {
	switch n := r.ContentLength; {
	case n > limit:
		return nil, errTooLong
	case n >= 0:
		body := make([]byte, n)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, errTooLong
	}
	return body, err
}
