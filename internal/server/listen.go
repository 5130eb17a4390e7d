package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"fairway/internal/inference"
)

// Listening is how a server serves a listener.
type Listening struct {
	Handler http.Handler  // default: the doors
	TLS     *tls.Config   // nil serves plain HTTP
	Drain   time.Duration // how long running requests may take once the server stops; 0 is shutdownGrace, less is no time
}

// shutdownGrace is how long running requests may take where nothing else is said.
const shutdownGrace = 3 * time.Second

// lastWords is how long requests may then take to tell their callers.
const lastWords = time.Second

// stopping is what callers are told whose requests did not end in time.
func stopping() error {
	return &inference.Error{
		Kind: inference.ServiceUnavailable, Op: "serve", Message: "Bedrock is unable to process your request.",
		Err: errors.New("the server stops"),
	}
}

// maxStreams bounds the calls that one HTTP/2 connection carries at once.
const maxStreams = 1000

// Serve answers on the listener until ctx ends, then says that it is not ready,
// takes no new connections and lets running requests finish within the drain
// time. Streams that have not ended by then end with an exception. It speaks HTTP/1.1 and, without TLS too, HTTP/2: the AWS SDK for
// JavaScript opens with HTTP/2 also on plain http endpoints.
func (s *Server) Serve(ctx context.Context, l net.Listener, how Listening) error {
	if how.Handler == nil {
		how.Handler = s
	}
	drain := max(0, cmp.Or(how.Drain, shutdownGrace))
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	// Requests outlive ctx by the drain time, then they are told to stop.
	requests, giveUp := context.WithCancelCause(context.WithoutCancel(ctx))
	defer giveUp(nil)
	srv := &http.Server{
		BaseContext:       func(net.Listener) context.Context { return requests },
		Handler:           bounded(how.Handler, s.writeTimeout),
		TLSConfig:         how.TLS,
		Protocols:         &protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() {
		if how.TLS != nil {
			served <- srv.ServeTLS(l, "", "")
		} else {
			served <- srv.Serve(l)
		}
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.draining.Store(true)
	defer time.AfterFunc(drain, func() { giveUp(stopping()) }).Stop()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain+lastWords)
	defer cancel()
	if srv.Shutdown(end) == nil {
		return nil
	}
	return srv.Close()
}

// writeTimeout is how long clients may take for a piece of an answer.
func (s *Server) writeTimeout() time.Duration { return time.Duration(s.app.Load().config.WriteTimeout) }

// Warm opens connections to the regions that calls without a region of their own
// may run in, so that the first of them does not wait for one. Simulated regions
// have none.
func (s *Server) Warm(ctx context.Context) {
	if s.upstream.warm != nil {
		s.upstream.warm(ctx, []inference.Region{s.region})
	}
}
