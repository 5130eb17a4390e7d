package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxAnswer bounds a server's answer, in bytes.
const maxAnswer = 32 << 20

// reply is a server's answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// roundTrip asks a running server. Dress gives the request, whose body is JSON, the
// headers that its door wants.
func roundTrip(ctx context.Context, method, address string, body []byte, dress func(*http.Request) error) (*reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if err := dress(req); err != nil {
		return nil, err
	}
	base := req.URL.Scheme + "://" + req.URL.Host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the rest of it is the address, with what was asked
		}
		return nil, fmt.Errorf("ask the server at %s: %w: is one running there?", base, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer of %s: %w", base, err)
	case len(raw) > maxAnswer:
		return nil, fmt.Errorf("read the answer of %s: it is longer than %d bytes", base, maxAnswer)
	}
	return &reply{resp.StatusCode, resp.Header, raw}, nil
}

// serverURL is the URL of a server as --url gives it, without a slash at the end.
func serverURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("--url %s is not a URL such as http://127.0.0.1:20002", text)
	}
	return strings.TrimRight(text, "/"), nil
}
