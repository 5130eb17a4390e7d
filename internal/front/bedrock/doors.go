package bedrock

import (
	"context"
	"net/http"
	"net/url"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// ServeHTTP is the door for clients outside the process.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	err := f.serve(r.Context(), front.ServiceWriter(w), &call{
		method: r.Method,
		path:   r.URL.EscapedPath(),
		header: r.Header,
		admit:  func(base inference.Region) (*front.Visit, error) { return f.Admit(w, r, base) },
	})
	if err != nil {
		panic(http.ErrAbortHandler) // the answer must not look whole to whoever still reads
	}
}

// Send is the door for data sources inside the process. The credential stands in
// for a signature and passes the same checks, without the HMAC: the zero Service
// is an unsigned request. The response's header names are canonical; that of a
// streaming operation has all frames in its body. The error is an
// *inference.Error: Validation for a URL that cannot be read, Canceled when the
// caller went away; whatever else happens is a response. The record is nil when
// the call was refused before it was looked up. The call is steered as steering
// says, where the request's own header does not.
func (f *Front) Send(ctx context.Context, credential inference.Credential, caller inference.Caller, steering inference.Steering, r *inference.HTTPRequest) (*inference.HTTPResponse, *inference.Record, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, nil, &inference.Error{Kind: inference.Validation, Op: "send to Bedrock", Message: "send request: the URL cannot be read", Err: err}
	}
	c := &call{
		method: r.Method,
		path:   u.EscapedPath(),
		header: r.Header,
		caller: caller,
		admit: func(base inference.Region) (*front.Visit, error) {
			visit, err := f.AdmitInside(credential, u.Host, r.Body, base)
			if err == nil {
				visit.Steering, err = front.Steer(steering, r.Header)
			}
			return visit, err
		},
	}
	w := &collector{inference.HTTPResponse{Header: http.Header{}}}
	if err := f.serve(ctx, w, c); err != nil {
		return nil, c.record, err
	}
	w.response.Header.Del("Trailer") // they are with the header
	return &w.response, c.record, nil
}

// collector is the http.ResponseWriter of Send.
type collector struct{ response inference.HTTPResponse }

func (w *collector) Header() http.Header { return w.response.Header }

func (w *collector) WriteHeader(status int) { w.response.Status = status }

func (w *collector) Write(p []byte) (int, error) {
	w.response.Body = append(w.response.Body, p...)
	return len(p), nil
}

// Flush has nothing to send.
func (w *collector) Flush() {}
