package bedrock

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"fairway/internal/inference"
)

// Connections are kept for less than the 350 seconds after which NAT gateways and
// load balancers forget a silent one without notice (User Guide, "Troubleshooting
// Amazon Bedrock API error codes").
const (
	keptIdle     = 5 * time.Minute
	idlePerHost  = 256
	keptSessions = 256 // TLS sessions, which make a new connection one round trip cheaper
)

// newTransport is HTTP/1.1 with a connection a call: one that breaks takes no other
// call with it, and a slow reader holds back only its own.
func newTransport(connect, keepAlive time.Duration) *http.Transport {
	dialer := &net.Dialer{
		Timeout:         connect,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive / 3, Count: 3},
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		Protocols:           &protocols,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(keptSessions)},
		TLSHandshakeTimeout: connect,
		IdleConnTimeout:     keptIdle,
		MaxIdleConnsPerHost: idlePerHost,
		DisableCompression:  true, // bodies go to the caller as they come
	}
}

// Warm opens connections to regions, so that the first calls find them open: a new
// one costs two or three round trips. A region that cannot be reached is logged.
// They stay open for some minutes; who wants more calls Warm again.
func (u *Upstream) Warm(ctx context.Context, regions []inference.Region) {
	var pings sync.WaitGroup
	for _, region := range regions {
		for range u.warm {
			pings.Go(func() {
				if err := u.ping(ctx, region); err != nil {
					u.log.LogAttrs(ctx, slog.LevelWarn, "region cannot be reached",
						slog.String("region", string(region)), slog.String("error", err.Error()))
				}
			})
		}
	}
	pings.Wait()
}

// ping has the region answer something, whatever it is.
func (u *Upstream) ping(ctx context.Context, region inference.Region) error {
	base, err := u.runtime.at(region)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("ping").String(), nil)
	if err != nil {
		return err
	}
	answer, err := u.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.CopyN(io.Discard, answer.Body, maxErrorBody)
	if err == io.EOF {
		return nil
	}
	return err
}
