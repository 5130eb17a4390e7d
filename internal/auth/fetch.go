package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"fairway/internal/wire/address"
)

const (
	maxDocument  = 256 << 10 // bytes of a key set or an OpenID configuration
	maxRedirects = 3
)

// fetcher gets the documents of issuers. Where from, the configuration says: nothing
// that a token holds does.
type fetcher struct{ client *http.Client }

func newFetcher(client *http.Client) fetcher {
	own := http.Client{}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = sameHost
	return fetcher{&own}
}

func sameHost(next *http.Request, via []*http.Request) error {
	from := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return errors.New("too many redirects")
	case next.URL.Scheme != from.Scheme || next.URL.Host != from.Host:
		return errors.New("a redirect to another host")
	}
	return nil
}

// CheckURL refuses a URL through which others could read or forge what is sent: all
// that are not https but those of this machine.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("it is no URL")
	}
	if u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && address.IsLoopback(u.Hostname())) {
		return errors.New("it has to be https, or http on this machine, without a user")
	}
	return nil
}

// keys is the key set at address.
func (f fetcher) keys(ctx context.Context, from string) (map[string]Key, error) {
	text, err := f.get(ctx, from)
	if err != nil {
		return nil, err
	}
	return parseJWKS(text)
}

// discover is where the issuer says its keys are (OpenID Connect Discovery 1.0,
// section 4).
func (f fetcher) discover(ctx context.Context, issuer string) (string, error) {
	text, err := f.get(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return "", err
	}
	var document struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return "", fmt.Errorf("read OpenID configuration: %w", err)
	}
	if document.Issuer != issuer {
		return "", errors.New("read OpenID configuration: it is of another issuer")
	}
	if strings.HasPrefix(issuer, "https:") && !strings.HasPrefix(document.JWKS, "https:") {
		return "", errors.New("read OpenID configuration: its jwks_uri is not https")
	}
	return document.JWKS, nil
}

func (f fetcher) get(ctx context.Context, from string) ([]byte, error) {
	if err := CheckURL(from); err != nil {
		return nil, fmt.Errorf("get %s: %w", from, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	response, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: status %d", from, response.StatusCode)
	}
	return readAtMost(response.Body, maxDocument)
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("read answer: it is longer than %d bytes", limit)
	}
	return text, err
}
