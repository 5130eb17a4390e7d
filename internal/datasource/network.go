package datasource

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"fairway/internal/inference"
)

// Signer signs req, whose body is body, for the scope that cred names.
type Signer func(ctx context.Context, cred inference.Credential, req *http.Request, body []byte) error

// Network is the Sender to endpoints outside the process. It is safe for
// concurrent use.
type Network struct {
	Client *http.Client
	Sign   Signer // nil: only unsigned data sources can be called
}

// NewNetwork makes a Network that gives up on a connection after five seconds
// and hands a redirect back to the resolver: following it would let the endpoint
// choose where a signed request goes.
func NewNetwork(sign Signer) *Network {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &Network{
		Sign: sign,
		Client: &http.Client{
			Transport: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				DialContext:         dialer.DialContext,
				TLSHandshakeTimeout: 5 * time.Second,
				ForceAttemptHTTP2:   true,
				MaxIdleConnsPerHost: 64,
				IdleConnTimeout:     90 * time.Second,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Send signs req where the credential has a service and sends it. It reads one
// byte past MaxBody at most, by which the data source knows that there was more.
func (n *Network) Send(ctx context.Context, cred inference.Credential, _ inference.Caller, _ inference.Steering, req *inference.HTTPRequest) (*inference.HTTPResponse, *inference.Record, error) {
	out, err := http.NewRequestWithContext(ctx, req.Method, req.URL, bytes.NewReader(req.Body))
	if err != nil {
		return nil, nil, &inference.Error{Kind: inference.Validation, Op: "send to data source", Message: "data source endpoint is not a URL", Err: err}
	}
	out.Header = req.Header.Clone()
	if cred.Service != "" {
		if err := n.sign(ctx, cred, out, req.Body); err != nil {
			return nil, nil, err
		}
	}
	res, err := n.Client.Do(out)
	if err != nil {
		return nil, nil, transportError(out.URL.Host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	if err != nil {
		return nil, nil, transportError(out.URL.Host, err)
	}
	return &inference.HTTPResponse{Status: res.StatusCode, Header: res.Header, Body: body}, nil, nil
}

func (n *Network) sign(ctx context.Context, cred inference.Credential, req *http.Request, body []byte) error {
	if n.Sign == nil {
		return &inference.Error{
			Kind: inference.UnrecognizedClient, Op: "sign data source request", Region: cred.Region,
			Message: "no credentials to sign for " + cred.Service + ": configure AWS credentials",
		}
	}
	if err := n.Sign(ctx, cred, req, body); err != nil {
		return &inference.Error{
			Kind: inference.UnrecognizedClient, Op: "sign data source request", Region: cred.Region,
			Message: "request for " + cred.Service + " could not be signed: no AWS credentials are configured", Err: err,
		}
	}
	return nil
}

// transportError says what a resolver may know of a failed exchange: the host
// and the manner, not the addresses in the cause.
func transportError(host string, err error) *inference.Error {
	manner := "failed"
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		manner = "was canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		manner = "timed out"
	}
	return &inference.Error{
		Kind: inference.ServiceUnavailable, Op: "send to data source", Transport: true,
		Message: "http request to " + host + " " + manner, Err: err,
	}
}
