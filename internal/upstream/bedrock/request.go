package bedrock

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

// suffixes end the path of each operation, "/model/{modelId}/invoke".
var suffixes = map[inference.Operation]string{
	inference.InvokeModel:                   "/invoke",
	inference.InvokeModelWithResponseStream: "/invoke-with-response-stream",
	inference.Converse:                      "/converse",
	inference.ConverseStream:                "/converse-stream",
	inference.CountTokens:                   "/count-tokens",
}

// request is the signed HTTP request that asks a target for operation, which may
// be another than the caller's. The body is the caller's own.
func (u *Upstream) request(ctx context.Context, t inference.Target, r *inference.Request, operation inference.Operation) (*http.Request, error) {
	base, err := u.runtime.at(t.Region)
	if err != nil {
		return nil, err
	}
	suffix := suffixes[operation]
	h := (&http.Request{
		Method:        http.MethodPost,
		URL:           under(base, "/model/", t.Model, suffix),
		Host:          base.Host,
		Header:        headers(r, operation),
		Body:          io.NopCloser(bytes.NewReader(r.Body)),
		GetBody:       func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil },
		ContentLength: int64(len(r.Body)),
	}).WithContext(ctx)
	if err := u.sign(h, r, t.Account, t.Region); err != nil {
		return nil, err
	}
	// What the transport could not send on a connection that had gone stale it may
	// send again on a new one. Without values the header stays here (net/http,
	// Transport).
	h.Header["Idempotency-Key"] = nil
	return h, nil
}

// under is the URL of base with a path of which name is one segment, encoded as
// the SDKs do: all but unreserved characters.
func under(base *url.URL, before, name, after string) *url.URL {
	u := *base
	path := u.EscapedPath()
	u.Path += before + name + after
	u.RawPath = path + before + strings.ReplaceAll(url.QueryEscape(name), "+", "%20") + after
	return &u
}

// headers are those of a call: the service's own of the caller's, what the body is,
// and the id that all attempts of a call share, as the SDKs send it (aws-sdk-go-v2,
// middleware.ClientRequestID).
func headers(r *inference.Request, operation inference.Operation) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"fairway"}}
	if r.ID != "" {
		h["Amz-Sdk-Invocation-Id"] = []string{r.ID}
	}
	invokes := operation == inference.InvokeModel || operation == inference.InvokeModelWithResponseStream
	for name, values := range r.Header {
		if invokes && strings.HasPrefix(name, "X-Amzn-Bedrock-") { // the others have them in their bodies
			h[name] = values
		}
	}
	if operation == inference.InvokeModel && len(r.Header["Accept"]) > 0 {
		h["Accept"] = r.Header["Accept"]
	}
	return h
}

// sign makes h, which carries the body of r, the account's: by a bearer key where
// there is one and else by a signature. It puts h into the caller's trace.
func (u *Upstream) sign(h *http.Request, r *inference.Request, account string, region inference.Region) error {
	ctx := h.Context()
	if key := u.bearer(); key != "" {
		h.Header.Set("Authorization", "Bearer "+key)
	} else {
		credentials, err := u.accounts.of(ctx, account, region)
		if err != nil {
			return err
		}
		hash := r.PayloadHash
		if hash == "" {
			hash = sigv4.HashPayload(r.Body)
		}
		if err := u.signer.SignHTTP(ctx, credentials, h, hash, "bedrock", string(region), time.Now()); err != nil {
			return err
		}
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(h.Header)) // unsigned: proxies rewrite it
	return nil
}
