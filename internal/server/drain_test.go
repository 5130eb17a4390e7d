package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// speaking is a server whose answers take longer than a test: some hundred words
// at a speed, of which the caller may ask for fewer.
func speaking(t *testing.T, speed string, drain time.Duration) *site {
	t.Helper()
	script := filepath.Join(t.TempDir(), "answers.yaml")
	if err := os.WriteFile(script, []byte("- text: "+strings.Repeat("wave after wave ", 4000)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, j := opened(t, "simulate: {speed: "+speed+", responses: "+script+"}\n"+caller)
	return served(t, s, j, Listening{Drain: drain})
}

// begin has a stream of so many tokens under way.
func begin(t *testing.T, s *site, two bool, tokens string) *bedrockruntime.InvokeModelWithResponseStreamEventStream {
	t.Helper()
	out, err := modelClient(s.url(), transport(t, two)).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{
		ModelId: aws.String(profile), Body: []byte(strings.Replace(prompt, "500", tokens, 1)),
	})
	if err != nil {
		t.Fatal(err)
	}
	<-out.GetStream().Events()
	return out.GetStream()
}

// TestDrain: a server that is told to stop lets streams finish, takes no new
// connections, and says that it is not ready.
func TestDrain(t *testing.T) {
	for protocol, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(protocol, func(t *testing.T) {
			s := speaking(t, "20", time.Minute)
			stream := begin(t, s, two, "400")
			ended := make(chan error, 1)
			go func() { ended <- s.stop() }()
			refused(t, s.address)
			w := httptest.NewRecorder()
			s.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/readyz", nil))
			if w.Code != http.StatusServiceUnavailable || w.Body.String() != "draining\n" {
				t.Errorf("GET /readyz of the admin listener = %d %s, want 503 while it drains", w.Code, w.Body)
			}
			select {
			case err := <-ended:
				t.Errorf("the server ended with %v while a stream ran", err)
			default:
			}
			last := ""
			for event := range stream.Events() {
				last = string(event.(*types.ResponseStreamMemberChunk).Value.Bytes)
			}
			if err := stream.Err(); err != nil || !strings.Contains(last, "message_stop") {
				t.Errorf("the stream ended with %v after %s, want it whole", err, last)
			}
			if err := <-ended; err != nil {
				t.Errorf("Serve = %v, want nil once all is done", err)
			}
		})
	}
}

// refused waits until nobody listens any more.
func refused(t *testing.T, address string) {
	t.Helper()
	for t.Context().Err() == nil {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
	}
}

// TestDrainIsBounded: what has not ended in time ends with the service's own
// error, a stream with an exception.
func TestDrainIsBounded(t *testing.T) {
	for protocol, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(protocol, func(t *testing.T) {
			s := speaking(t, "1", -1)
			stream := begin(t, s, two, "60000")
			if err := s.SetFault("ap-northeast-1", "hang"); err != nil {
				t.Fatal(err)
			}
			unary := make(chan error, 1)
			c := modelClient(s.url(), transport(t, two))
			go func() {
				_, err := c.Converse(context.Background(), &bedrockruntime.ConverseInput{
					ModelId: aws.String("arn:aws:bedrock:ap-northeast-1::foundation-model/amazon.nova-lite-v1:0"), Messages: sea,
				}, func(o *bedrockruntime.Options) { o.Region = "ap-northeast-1" })
				unary <- err
			}()
			for s.room.calls.Load() < 2 { // until both are under way
				runtime.Gosched()
			}
			if err := s.stop(); err != nil {
				t.Errorf("Serve = %v, want nil", err)
			}
			for range stream.Events() {
			}
			var unavailable *types.ServiceUnavailableException
			if err := stream.Err(); !errors.As(err, &unavailable) {
				t.Errorf("the stream ended with %v, want a ServiceUnavailableException", err)
			}
			if err := <-unary; !errors.As(err, &unavailable) {
				t.Errorf("a call without a stream ended with %v, want a ServiceUnavailableException", err)
			}
			empty(t, s)
		})
	}
}
