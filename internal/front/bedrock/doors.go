package bedrock

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// ServeHTTP is the door for clients outside the process.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := sync.OnceValues(func() ([]byte, error) { return f.readBody(r) })
	response, _, err := f.serve(r.Context(), &call{
		id:     uuid.New(),
		method: r.Method,
		path:   r.URL.EscapedPath(),
		host:   r.Host,
		header: r.Header,
		read:   body,
		authenticate: func() (inference.Credential, error) {
			return f.Authenticator.Authenticate(r, body)
		},
	})
	if err != nil {
		panic(http.ErrAbortHandler) // nobody is there to read an answer
	}
	write(w, response)
}

// readBody reads the body, unless it says of itself that it is too long.
func (f *Front) readBody(r *http.Request) ([]byte, error) {
	if err := f.checkLength(r.ContentLength); err != nil {
		return nil, err
	}
	// One byte more than is allowed tells a body that is too long.
	body, err := io.ReadAll(io.LimitReader(r.Body, f.MaxBody+1))
	if err != nil {
		return nil, &inference.Error{Kind: inference.Canceled, Op: "read request", Message: "the client went away while it sent", Err: err}
	}
	return body, f.checkLength(int64(len(body)))
}

// checkLength refuses a body of more bytes than the limit, as the service does.
func (f *Front) checkLength(n int64) error {
	if n <= f.MaxBody {
		return nil
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "read request",
		Message: "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to " +
			strconv.FormatInt(f.MaxBody, 10),
	}
}

// write sends response with the two names that the service itself does not write
// in Go's canonical case.
func write(w http.ResponseWriter, response *inference.HTTPResponse) {
	header := w.Header()
	for name, values := range response.Header {
		switch name {
		case "X-Amzn-Requestid":
			name = "x-amzn-RequestId"
		case "X-Amzn-Errortype":
			name = "x-amzn-ErrorType"
		}
		header[name] = values
	}
	header.Set("Content-Length", strconv.Itoa(len(response.Body)))
	w.WriteHeader(response.Status)
	w.Write(response.Body) // a failed write is the client's to notice
}

// Send is the door for data sources inside the process. The credential stands in
// for a signature and passes the same checks, without the HMAC: the zero Service
// is an unsigned request. The response's header names are canonical. The error
// is an *inference.Error: Validation for a URL that cannot be read, Canceled when
// the caller went away; whatever else happens is a response. The record is nil
// when the call was refused before it was looked up.
func (f *Front) Send(ctx context.Context, credential inference.Credential, caller inference.Caller, r *inference.HTTPRequest) (*inference.HTTPResponse, *inference.Record, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, nil, &inference.Error{Kind: inference.Validation, Op: "send to Bedrock", Message: "send request: the URL cannot be read", Err: err}
	}
	return f.serve(ctx, &call{
		id:     uuid.New(),
		method: r.Method,
		path:   u.EscapedPath(),
		host:   u.Host,
		header: r.Header,
		caller: caller,
		read:   func() ([]byte, error) { return r.Body, f.checkLength(int64(len(r.Body))) },
		authenticate: func() (inference.Credential, error) {
			if credential.Service == "" {
				return inference.Credential{}, &inference.Error{Kind: inference.MissingAuth, Op: "authenticate", Message: "Missing Authentication Token"}
			}
			return credential, nil
		},
	})
}
