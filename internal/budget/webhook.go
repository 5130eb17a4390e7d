package budget

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

const (
	posters    = 4               // that post at a time: a webhook that hangs does not hold up the others
	postWithin = 5 * time.Second // each try
	tries      = 4
	firstPause = time.Second // before the second try; each further one is twice as long
	readAtMost = 64 << 10    // of an answer, so that its connection can be used again
)

// newClient posts to the webhooks that are configured, and nowhere they point to.
func newClient(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     cmp.Or(t, http.DefaultTransport),
		Timeout:       postWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post delivers notices until ctx ends.
func (b *Book) post(ctx context.Context, posts <-chan notice) {
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-posts:
			if err := b.deliver(ctx, &n); err != nil && ctx.Err() == nil {
				b.log.LogAttrs(ctx, slog.LevelWarn, "webhook of a budget not reached", slog.String("budget", n.Budget), slog.Any("error", err))
			}
		}
	}
}

// deliver posts a notice, again where that may help.
func (b *Book) deliver(ctx context.Context, n *notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	pause := firstPause
	for try := 1; ; try++ {
		again, err := b.postOnce(ctx, n.webhook, body)
		if err == nil || !again || try == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// postOnce reports beside an error whether another try may help.
func (b *Book) postOnce(ctx context.Context, url string, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, unnamed(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	if err != nil {
		return true, unnamed(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, readAtMost))
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return false, nil
	default:
		again = code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500
		return again, fmt.Errorf("post webhook: answered %s", resp.Status)
	}
}

// unnamed leaves out the URL, which may hold a webhook's secret.
func unnamed(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return fmt.Errorf("post webhook: %w", err)
}
