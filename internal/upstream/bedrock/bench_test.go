package bedrock

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"fairway/internal/inference"
	"fairway/internal/upstream/upstreamtest"
)

// region is a loopback region that looks at nothing: what remains is the cost of
// the caller, and of HTTP.
func region(b *testing.B, chunks int) *httptest.Server {
	delta := frames(b, inference.InvokeModelWithResponseStream)[3]
	all := frames(b, inference.InvokeModelWithResponseStream)
	last := all[len(all)-1]
	body := []byte(`{"usage":{"input_tokens":17,"output_tokens":6},"content":"` + strings.Repeat("x", 1000) + `"}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if !strings.HasSuffix(r.URL.Path, "stream") {
			_, _ = w.Write(body)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		for range chunks {
			_, _ = w.Write(delta)
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = w.Write(last)
	}))
	b.Cleanup(server.Close)
	return server
}

// BenchmarkUnary: a call through the upstream, beside the same call through a bare
// client and through a bare reverse proxy, over the same loopback.
func BenchmarkUnary(b *testing.B) {
	server := region(b, 0)
	upstreams := map[string]*Upstream{
		"signed": open(b, Config{Endpoint: server.URL, Credentials: keys}),
		"bearer": open(b, Config{Endpoint: server.URL, Credentials: keys, BearerKey: func() string { return "bedrock-key" }}),
	}
	for _, name := range []string{"signed", "bearer"} {
		b.Run("upstream="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stream, err := upstreams[name].Invoke(b.Context(), target, ask(inference.InvokeModel, upstreamtest.Body))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := read(b.Context(), stream); err != io.EOF {
					b.Fatal(err)
				}
			}
		})
	}
	base, err := url.Parse(server.URL)
	if err != nil {
		b.Fatal(err)
	}
	proxy := httptest.NewServer(httputil.NewSingleHostReverseProxy(base))
	b.Cleanup(proxy.Close)
	for name, to := range map[string]string{"client": server.URL, "client+proxy": proxy.URL} {
		b.Run("bare="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				post(b, to+"/model/m/invoke")
			}
		})
	}
}

func post(b *testing.B, to string) int64 {
	r, err := http.Post(to, "application/json", strings.NewReader(upstreamtest.Body))
	if err != nil {
		b.Fatal(err)
	}
	defer r.Body.Close()
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkChunks: a stream of 1,000 chunks, which is what a chunk costs times
// that, beside a bare client that copies the same bytes.
func BenchmarkChunks(b *testing.B) {
	server := region(b, 1000)
	u := open(b, Config{Endpoint: server.URL, Credentials: keys})
	b.Run("upstream", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			stream, err := u.Invoke(b.Context(), target, ask(inference.InvokeModelWithResponseStream, upstreamtest.Body))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := read(b.Context(), stream); err != io.EOF {
				b.Fatal(err)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			post(b, server.URL+"/model/m/invoke-with-response-stream")
		}
	})
}

// BenchmarkFrames: what a chunk costs without HTTP.
func BenchmarkFrames(b *testing.B) {
	all := frames(b, inference.InvokeModelWithResponseStream)
	chunks := bytes.Repeat(all[3], 1000)
	b.ReportAllocs()
	for b.Loop() {
		s := newStream(b.Context(), func() {}, inference.InvokeModelWithResponseStream, singapore, io.NopCloser(io.MultiReader(bytes.NewReader(chunks), bytes.NewReader(all[len(all)-1]))))
		for {
			if e, err := s.Next(b.Context()); err != nil || e.Final {
				break
			}
		}
		_ = s.Close()
	}
}
