package bedrock_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"fairway/internal/front"
	"fairway/internal/inference"
)

const conversation = `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`

var (
	converseFrames = []frame{
		{Type: "messageStart", Payload: []byte(`{"role":"assistant"}`)},
		{Type: "contentBlockDelta", Payload: []byte(`{"contentBlockIndex":0,"delta":{"text":"Hel"}}`), Content: true},
		{Type: "contentBlockDelta", Payload: []byte(`{"contentBlockIndex":0,"delta":{"text":"lo"}}`), Content: true},
		{Type: "contentBlockStop", Payload: []byte(`{"contentBlockIndex":0}`)},
		{Type: "messageStop", Payload: []byte(`{"stopReason":"end_turn"}`)},
		{Type: "metadata", Payload: []byte(`{"usage":{"inputTokens":12,"outputTokens":5,"totalTokens":17},"metrics":{"latencyMs":412}}`), Final: true},
	}
	invokeFrames = []frame{
		{Type: "chunk", Payload: []byte(`{"bytes":"SGVs","p":"abc"}`), Content: true},
		{Type: "chunk", Payload: []byte(`{"bytes":"bG8="}`), Content: true, Final: true},
	}
)

// servers are the transports that clients come by.
var servers = map[string]func(*testing.T, http.Handler) *httptest.Server{
	"HTTP/1.1": func(t *testing.T, h http.Handler) *httptest.Server {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s
	},
	"h2c": func(t *testing.T, h http.Handler) *httptest.Server {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("a request came by %s, want HTTP/2", r.Proto)
			}
			h.ServeHTTP(w, r)
		}))
		s.Config.Protocols = protocols
		s.Start()
		s.Client().Transport.(*http.Transport).Protocols = protocols
		t.Cleanup(s.Close)
		return s
	},
	"TLS": func(t *testing.T, h http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.EnableHTTP2 = true
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	},
}

func converseStream(ctx context.Context, c *bedrockruntime.Client) (*bedrockruntime.ConverseStreamEventStream, error) {
	out, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId:  aws.String(model),
		Messages: []types.Message{{Role: "user", Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hi"}}}},
	})
	if err != nil {
		return nil, err
	}
	return out.GetStream(), nil
}

// readConverse reads a stream to its end: the text, the terminal event, the error.
func readConverse(t *testing.T, c *bedrockruntime.Client) (text string, tokens int32, err error) {
	t.Helper()
	stream, err := converseStream(t.Context(), c)
	if err != nil {
		return "", 0, err
	}
	defer stream.Close()
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			text += e.Value.Delta.(*types.ContentBlockDeltaMemberText).Value
		case *types.ConverseStreamOutputMemberMetadata:
			tokens = aws.ToInt32(e.Value.Usage.TotalTokens)
		}
	}
	return text, tokens, stream.Err()
}

func readInvoke(t *testing.T, c *bedrockruntime.Client) (text, contentType string, err error) {
	t.Helper()
	out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{
		ModelId: aws.String(model), Body: []byte(prompt), Accept: aws.String("application/json"),
	})
	if err != nil {
		return "", "", err
	}
	stream := out.GetStream()
	defer stream.Close()
	for event := range stream.Events() {
		text += string(event.(*types.ResponseStreamMemberChunk).Value.Bytes)
	}
	return text, aws.ToString(out.ContentType), stream.Err()
}

func TestSDKRunsEveryOperation(t *testing.T) {
	for name, serve := range servers {
		t.Run(name, func(t *testing.T) {
			g := &scriptedGateway{Answer: answer}
			c := newClientOf(serve(t, newFront(g, time.Now)))
			if out, err := invoke(t, c, arn); err != nil || string(out.Body) != answer {
				t.Errorf("InvokeModel = %v, %v, want %s", out, err, answer)
			}
			g.Answer = `{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":12,"outputTokens":5,"totalTokens":17}}`
			out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model)})
			if err != nil || out.StopReason != "end_turn" || aws.ToInt32(out.Usage.TotalTokens) != 17 {
				t.Errorf("Converse = %+v, %v, want end_turn and 17 tokens", out, err)
			}
			g.Answer = `{"inputTokens":9}`
			count, err := c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{
				ModelId: aws.String(model),
				Input:   &types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: []byte(prompt)}},
			})
			if err != nil || aws.ToInt32(count.InputTokens) != 9 || g.request.Operation != inference.CountTokens {
				t.Errorf("CountTokens = %+v, %v, want 9", count, err)
			}
			g.Frames = converseFrames
			if text, tokens, err := readConverse(t, c); text != "Hello" || tokens != 17 || err != nil {
				t.Errorf("ConverseStream = %q, %d tokens, %v, want Hello and 17", text, tokens, err)
			}
			g.Frames = invokeFrames
			if text, contentType, err := readInvoke(t, c); text != "Hello" || contentType != "application/json" || err != nil {
				t.Errorf("InvokeModelWithResponseStream = %q of type %q, %v, want Hello in JSON", text, contentType, err)
			}
			if g.closed != 5 {
				t.Errorf("%d streams were closed, want 5", g.closed)
			}
		})
	}
}

// TestSDKReadsExceptions: a failure inside a stream is the SDK's own type.
func TestSDKReadsExceptions(t *testing.T) {
	invokeOnly := inference.ModelTimeout
	for kind, want := range map[inference.Kind]error{
		inference.InternalServer:     &types.InternalServerException{},
		inference.ModelStreamError:   &types.ModelStreamErrorException{},
		inference.Validation:         &types.ValidationException{},
		inference.Throttling:         &types.ThrottlingException{},
		inference.ModelTimeout:       &types.ModelTimeoutException{},
		inference.ServiceUnavailable: &types.ServiceUnavailableException{},
	} {
		then := &inference.Error{Kind: kind, Message: "message of " + string(kind), OriginalStatus: 502}
		errs := map[string]error{}
		c := newClient(t, &scriptedGateway{Frames: invokeFrames[:1], Then: then})
		_, _, errs["InvokeModelWithResponseStream"] = readInvoke(t, c)
		if kind != invokeOnly {
			c = newClient(t, &scriptedGateway{Frames: converseFrames[:2], Then: then})
			_, _, errs["ConverseStream"] = readConverse(t, c)
		}
		for operation, err := range errs {
			target := reflect.New(reflect.TypeOf(want))
			if !errors.As(err, target.Interface()) || !strings.Contains(err.Error(), "message of "+string(kind)) {
				t.Errorf("%s with %s = %v, want %T", operation, kind, err, want)
				continue
			}
			if e, ok := target.Elem().Interface().(*types.ModelStreamErrorException); ok &&
				(aws.ToInt32(e.OriginalStatusCode) != 502 || aws.ToString(e.OriginalMessage) == "") {
				t.Errorf("%s with %s = status %d, message %q, want 502 and the message", operation, kind, aws.ToInt32(e.OriginalStatusCode), aws.ToString(e.OriginalMessage))
			}
		}
	}
}

// TestSDKNeverTakesACutForTheEnd: the Go SDK takes a clean end for success.
func TestSDKNeverTakesACutForTheEnd(t *testing.T) {
	for name, serve := range servers {
		g := &scriptedGateway{Frames: converseFrames[:5]}
		text, _, err := readConverse(t, newClientOf(serve(t, newFront(g, time.Now))))
		if _, ok := errors.AsType[*types.InternalServerException](err); !ok || text != "Hello" {
			t.Errorf("%s: ConverseStream that ends early = %q, %v, want Hello and InternalServerException", name, text, err)
		}
	}
}

// TestSDKReadsFailuresBeforeTheStream: nothing was sent, so the status tells.
func TestSDKReadsFailuresBeforeTheStream(t *testing.T) {
	throttled := &inference.Error{Kind: inference.Throttling, Message: "m"}
	for _, g := range []*scriptedGateway{{Error: throttled}, {Frames: []frame{}, Then: throttled}} {
		_, _, err := readConverse(t, newClient(t, g))
		checkAPIError(t, err, inference.Throttling, "m")
	}
}

// liveGateway streams what the test gives it.
type liveGateway struct {
	events chan inference.Event // closed is io.EOF
	asked  chan struct{}        // gets a value each time for Next; nil for none
	closed chan error           // gets the call's context error when the stream is closed
	ctx    context.Context
}

func newLiveGateway() *liveGateway {
	return &liveGateway{events: make(chan inference.Event), closed: make(chan error, 1)}
}

func (g *liveGateway) Invoke(ctx context.Context, _ *inference.Request) (inference.Stream, *inference.Record, error) {
	g.ctx = ctx
	return g, &inference.Record{Attempts: []inference.Attempt{{Region: "ap-southeast-1"}}}, nil
}

func (g *liveGateway) Next(ctx context.Context) (inference.Event, error) {
	if g.asked != nil {
		g.asked <- struct{}{}
	}
	select {
	case event, ok := <-g.events:
		if !ok {
			return inference.Event{}, io.EOF
		}
		return event, nil
	case <-ctx.Done():
		return inference.Event{}, &inference.Error{Kind: inference.Canceled, Message: "the caller went away", Err: ctx.Err()}
	}
}

func (g *liveGateway) Close() error {
	g.closed <- g.ctx.Err()
	return nil
}

// TestFramesArriveAsTheyCome: a client has each frame before the next is there,
// and one that goes away ends the call at once.
func TestFramesArriveAsTheyCome(t *testing.T) {
	for name, serve := range servers {
		t.Run(name, func(t *testing.T) {
			g := newLiveGateway()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := newClientOf(serve(t, newFront(g, time.Now)))
			opened := make(chan *bedrockruntime.ConverseStreamEventStream)
			go func() {
				stream, err := converseStream(ctx, c)
				if err != nil {
					t.Error(err)
				}
				opened <- stream
			}()
			g.events <- inference.Event{Raw: converseFrames[0].raw()}
			stream := <-opened
			if stream == nil {
				return
			}
			if e := <-stream.Events(); e == nil {
				t.Fatalf("the first frame did not come: %v", stream.Err())
			}
			g.events <- inference.Event{} // a sign of life is nothing to send
			g.events <- inference.Event{Raw: converseFrames[1].raw(), Content: true}
			if e, ok := (<-stream.Events()).(*types.ConverseStreamOutputMemberContentBlockDelta); !ok {
				t.Fatalf("the second frame is %v, want a delta", e)
			}
			cancel()
			if err := <-g.closed; !errors.Is(err, context.Canceled) {
				t.Errorf("the stream was closed with the context at %v, want it canceled", err)
			}
			_ = stream.Close()
		})
	}
}

// TestPanicsInsideAStream: what was begun ends with an exception.
func TestPanicsInsideAStream(t *testing.T) {
	g := newLiveGateway()
	c := newClientOf(servers["HTTP/1.1"](t, newFront(panicking{g}, time.Now)))
	text, _, err := readConverse(t, c)
	if _, ok := errors.AsType[*types.InternalServerException](err); !ok || text != "Hel" || strings.Contains(err.Error(), "secret") {
		t.Errorf("ConverseStream with a panic = %q, %v, want Hel and InternalServerException", text, err)
	}
	<-g.closed
}

// panicking gives one frame and panics.
type panicking struct{ *liveGateway }

func (g panicking) Invoke(ctx context.Context, r *inference.Request) (inference.Stream, *inference.Record, error) {
	_, record, _ := g.liveGateway.Invoke(ctx, r)
	go func() { g.events <- inference.Event{Raw: converseFrames[1].raw(), Content: true} }()
	return &onceThenPanic{Stream: g.liveGateway}, record, nil
}

type onceThenPanic struct {
	inference.Stream
	read bool
}

func (s *onceThenPanic) Next(ctx context.Context) (inference.Event, error) {
	if s.read {
		panic("secret of the panic")
	}
	s.read = true
	return s.Stream.Next(ctx)
}

// pipes is a listener of in-memory connections, which hold nothing: a write ends
// when it was read.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// dial begins a streaming call in a synctest bubble and gives the client's end.
func dial(t *testing.T, g front.Gateway) net.Conn {
	listener := make(pipes)
	server := &http.Server{Handler: newFront(g, time.Now), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go func() { _ = server.Serve(listener) }()
	client, conn := net.Pipe()
	listener <- conn
	t.Cleanup(func() {
		_ = client.Close()
		close(listener)
		_ = server.Close()
	})
	fmt.Fprintf(client, "POST /model/m/converse-stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bearer\r\nContent-Length: %d\r\n\r\n%s", len(conversation), conversation)
	return client
}

// TestAClientThatDoesNotRead holds up its region, and not for ever.
func TestAClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLiveGateway()
		g.asked = make(chan struct{}, 100)
		dial(t, g)
		began := time.Now()
		g.events <- inference.Event{Raw: converseFrames[0].raw()}
		synctest.Wait()
		if got := len(g.asked); got != 1 {
			t.Errorf("%d frames were asked for while the first is not read, want 1", got)
		}
		<-g.closed
		if held := time.Since(began); held != front.WriteTimeout {
			t.Errorf("the client was cut after %s, want %s", held, front.WriteTimeout)
		}
	})
}

// TestASlowRegionCutsNoClient: the deadline is a client's, for one frame.
func TestASlowRegionCutsNoClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newLiveGateway()
		client := dial(t, g)
		go func() {
			for _, f := range converseFrames {
				time.Sleep(10 * front.WriteTimeout)
				g.events <- inference.Event{Raw: f.raw(), Content: f.Content, Final: f.Final}
			}
			close(g.events)
		}()
		response, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if got := strings.Count(describeFrames(body), "event "); err != nil || got != len(converseFrames) {
			t.Errorf("read %d frames, %v, want %d", got, err, len(converseFrames))
		}
		<-g.closed
	})
}

// endless gives the same frame until the call ends.
type endless struct{ event inference.Event }

func (s endless) Next(ctx context.Context) (inference.Event, error) { return s.event, ctx.Err() }

func (s endless) Close() error { return nil }

func (s endless) Invoke(context.Context, *inference.Request) (inference.Stream, *inference.Record, error) {
	return s, &inference.Record{}, nil
}

// BenchmarkRelay is what a frame costs, over loopback and with its reader: through
// the front, and from a handler that does nothing but write and flush.
func BenchmarkRelay(b *testing.B) {
	raw := converseFrames[1].raw()
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(raw); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
	})
	for name, handler := range map[string]http.Handler{
		"front": newFront(endless{inference.Event{Raw: raw, Content: true}}, time.Now),
		"bare":  bare,
	} {
		b.Run(name, func(b *testing.B) {
			server := httptest.NewServer(handler)
			defer server.Close()
			r, err := http.NewRequest("POST", server.URL+"/model/m/converse-stream", strings.NewReader(conversation))
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer bearer")
			response, err := server.Client().Do(r)
			if err != nil {
				b.Fatal(err)
			}
			defer response.Body.Close()
			got := make([]byte, len(raw))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.ReadFull(response.Body, got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
