package bedrock

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
	"fairway/internal/wire/sigv4"
)

// memory is a listener whose connections are pipes, for time that is not real.
type memory struct{ incoming chan net.Conn }

func (m memory) Accept() (net.Conn, error) {
	c, ok := <-m.incoming
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (memory) Close() error   { return nil }
func (memory) Addr() net.Addr { return &net.TCPAddr{} }

func (m memory) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	m.incoming <- theirs
	return ours, nil
}

// inMemory is an upstream whose regions are answer, over pipes: for synctest.
func inMemory(t *testing.T, c Config, answer http.HandlerFunc) *Upstream {
	c.Endpoint, c.ControlEndpoint, c.Credentials = "http://bedrock.test", "http://bedrock.test", keys
	u := open(t, c)
	m := memory{make(chan net.Conn)}
	u.transport.DialContext = m.dial
	server := &http.Server{Handler: answer}
	go func() { _ = server.Serve(m) }()
	t.Cleanup(func() {
		_ = u.Close()
		close(m.incoming)
		_ = server.Close()
	})
	return u
}

// stuck never answers; it ends with the connection.
func stuck(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// TestNoSignsOfLifeUnderADeadline: where time presses a silent region is silent, so
// that the next one has its turn.
func TestNoSignsOfLifeUnderADeadline(t *testing.T) {
	for _, operation := range []inference.Operation{inference.InvokeModel, inference.CountTokens} {
		synctest.Test(t, func(t *testing.T) {
			u := inMemory(t, Config{}, stuck)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			began := time.Now()
			if _, err := u.Invoke(ctx, target, ask(operation, upstreamtest.Body)); err == nil || !inference.AsError(err).Transport || time.Since(began) != 30*time.Second {
				t.Errorf("Invoke(%s) = %v after %s, want a transport error after 30s", operation, err, time.Since(began))
			}
		})
	}
}

// TestUnaryBodyIsRelayedRaw: the answer is the model's, byte for byte.
func TestUnaryBodyIsRelayedRaw(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	const body = "{ \"not\" : \"what we know\",\n\"usage\":{} }"
	f.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Bedrock-Input-Token-Count", "11")
		w.Header().Set("X-Amzn-Bedrock-Output-Token-Count", "5")
		_, _ = io.WriteString(w, body)
	}
	stream, err := u.Invoke(t.Context(), target, ask(inference.InvokeModel, "{}"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(t.Context(), stream)
	if err != io.EOF || len(got) != 1 || string(got[0].Raw) != body || !got[0].Content || !got[0].Final {
		t.Fatalf("stream = %+v, %v, want the body as one event", got, err)
	}
	if u := got[0].Usage; u == nil || u.InputTokens != 11 || u.OutputTokens != 5 {
		t.Errorf("usage = %+v, want 11 and 5 by the headers", u)
	}
}

// TestUnaryBreaks: bodies that are cut or too long are no answers.
func TestUnaryBreaks(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		},
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "70000000")
			_, _ = io.WriteString(w, "{")
		},
		"too long, without saying so": func(w http.ResponseWriter, _ *http.Request) {
			block := bytes.Repeat([]byte{' '}, 1<<20)
			for range 65 {
				_, _ = w.Write(block)
			}
		},
	} {
		f := newAWS(t)
		u := f.upstream(t, Config{})
		f.answer = answer
		stream, err := u.Invoke(t.Context(), target, ask(inference.InvokeModel, "{}"))
		if err == nil {
			_, err = read(t.Context(), stream)
		}
		if e, ok := errors.AsType[*inference.Error](err); !ok || !e.Transport || e.Region != singapore {
			t.Errorf("%s: Invoke = %v, want a transport error", name, err)
		}
	}
}

// soonDue is a context with a deadline, as GraphQL's calls have.
func soonDue(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestAssembled: under a deadline the region is asked for a stream, and the caller
// reads the unary answer.
func TestAssembled(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	for _, test := range []struct {
		operation  inference.Operation
		body, path string
	}{
		{inference.InvokeModel, upstreamtest.Body, "/invoke-with-response-stream"},
		{inference.Converse, upstreamtest.ConverseBody, "/converse-stream"},
		{inference.CountTokens, `{"input":{"converse":` + upstreamtest.ConverseBody + `}}`, "/count-tokens"},
	} {
		var want, got []inference.Event
		for _, ctx := range []context.Context{t.Context(), soonDue(t)} {
			stream, err := u.Invoke(ctx, target, ask(test.operation, test.body))
			if err != nil {
				t.Fatal(err)
			}
			want, got = got, nil
			if got, err = read(ctx, stream); err != io.EOF || len(got) != 1 {
				t.Fatalf("%s: stream = %+v, %v, want one event", test.operation, got, err)
			}
		}
		if r, _ := f.last(); !strings.HasSuffix(r.URL.Path, test.path) {
			t.Errorf("%s under a deadline called %s, want %s", test.operation, r.URL.Path, test.path)
		}
		if string(got[0].Raw) != string(want[0].Raw) {
			t.Errorf("%s under a deadline = %s, want %s", test.operation, got[0].Raw, want[0].Raw)
		}
		if test.operation != inference.CountTokens && *got[0].Usage != *want[0].Usage {
			t.Errorf("%s: usage = %+v, want %+v", test.operation, *got[0].Usage, *want[0].Usage)
		}
	}
}

// TestNotAssembled: what a stream could answer differently is asked as it is.
func TestNotAssembled(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	guarded := ask(inference.InvokeModel, upstreamtest.Body)
	guarded.Header = http.Header{"X-Amzn-Bedrock-Guardrailidentifier": {"g1"}}
	for name, test := range map[string]struct {
		target  inference.Target
		request *inference.Request
	}{
		"a guardrail":           {target, guarded},
		"a body not understood": {target, ask(inference.Converse, `{"messages":[{"role":"user","content":[{"unheardOf":{}}]}]}`)},
		"citations": {target, ask(inference.Converse, `{"messages":[{"role":"user","content":[{"text":"a"},`+
			`{"document":{"name":"d","format":"txt","source":{"text":"t"},"citations":{"enabled":true}}}]}]}`)},
		"fields of the answer":   {target, ask(inference.Converse, `{"additionalModelResponseFieldPaths":["/usage"],`+upstreamtest.ConverseBody[1:])},
		"a model that is hidden": {inference.Target{Region: singapore, Model: "arn:aws:bedrock:ap-southeast-1:123456789012:application-inference-profile/abcdef123456"}, ask(inference.InvokeModel, upstreamtest.Body)},
	} {
		stream, err := u.Invoke(soonDue(t), test.target, test.request)
		if err == nil {
			stream.Close()
		}
		if r, _ := f.last(); strings.Contains(r.URL.Path, "stream") {
			t.Errorf("%s: called %s, want no stream", name, r.URL.Path)
		}
	}
}

// TestRefusedStream: credentials that may not stream, and models that cannot, are
// asked for the answer in one piece.
func TestRefusedStream(t *testing.T) {
	for _, kind := range []inference.Kind{inference.AccessDenied, inference.Validation, inference.Throttling} {
		f := newAWS(t)
		u := f.upstream(t, Config{})
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "stream") {
				refuse(w, kind.Status(), string(kind), "no streams")
				return
			}
			_, body := f.last()
			speak(w, r, []byte(body))
		}
		stream, err := u.Invoke(soonDue(t), target, ask(inference.InvokeModel, upstreamtest.Body))
		if kind == inference.Throttling {
			if inference.AsError(err).Kind != kind || len(f.calls) != 1 {
				t.Errorf("Invoke = %v after %d calls, want %s after one", err, len(f.calls), kind)
			}
			continue
		}
		if err != nil {
			t.Errorf("Invoke where a stream is refused with %s = %v, want the answer", kind, err)
			continue
		}
		stream.Close()
	}
}

// TestPayloadHashIsTaken: a body whose hash is known is not hashed again; the region
// checks it.
func TestPayloadHashIsTaken(t *testing.T) {
	f := newAWS(t)
	u := f.upstream(t, Config{})
	for hash, want := range map[string]error{sigv4.HashPayload([]byte(upstreamtest.Body)): io.EOF, sigv4.HashPayload(nil): nil} {
		r := ask(inference.InvokeModel, upstreamtest.Body)
		r.PayloadHash = hash
		stream, err := u.Invoke(t.Context(), target, r)
		if err == nil {
			_, err = read(t.Context(), stream)
		}
		if want != nil && err != want || want == nil && inference.AsError(err).Kind != inference.InvalidSignature {
			t.Errorf("a call with the hash %s = %v, want it used", hash, err)
		}
	}
}
