//go:build unix

package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fairway/backend"
	"fairway/internal/amplify"
	"fairway/internal/config"
	"fairway/internal/sample"
)

const question = `{"query":"query Q($i:[String]){askBedrock(ingredients:$i){body error}}","variables":{"i":["chicken","rice"]}}`

// TestMain lets the benchmark run this binary again as its client, so that the
// CPU it reports is the server's alone.
func TestMain(m *testing.M) {
	if url := os.Getenv("FAIRWAY_BENCH_URL"); url != "" {
		if err := load(url, os.Getenv("FAIRWAY_BENCH_TOKEN"), os.Getenv("FAIRWAY_BENCH_REQUESTS")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// connections is how many clients ask at a time.
const connections = 16

// load asks the question a number of times over as many connections as there
// are clients.
func load(url, token, requests string) error {
	n, err := strconv.Atoi(requests)
	if err != nil {
		return err
	}
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = connections
	ended := make(chan error, connections)
	for i := range connections {
		go func() { ended <- ask(url, token, (n+i)/connections) }()
	}
	for range connections {
		err = errors.Join(err, <-ended)
	}
	return err
}

// ask asks n times, one after the other.
func ask(url, token string, n int) error {
	for range n {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(question)))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if !bytes.Contains(body, []byte("chicken")) || bytes.Contains(body, []byte(`"errors"`)) {
			return fmt.Errorf("answer: %s", body)
		}
	}
	return nil
}

// BenchmarkAsk is one askBedrock over a socket through token, GraphQL, resolver,
// policy, route and an instant simulated region. cpu-us/op is user and system
// time of the server's process for each request; the client is another process.
// handler=constant is what net/http itself takes for a body of the same size:
// read the others as ratios to it.
func BenchmarkAsk(b *testing.B) {
	js, err := amplify.Load(context.Background(), sample.Files())
	if err != nil {
		b.Fatal(err)
	}
	golang := *js
	golang.Operations = []backend.Operation{js.Operations[0]}
	golang.Operations[0].Pipeline = []backend.Function{{DataSource: "bedrockDS", Resolver: constant{}}}

	b.Run("handler=constant", func(b *testing.B) {
		answer := []byte(`{"data":{"askBedrock":{"body":"chicken` + strings.Repeat(" ", 700) + `"}}}`)
		benchmark(b, "none", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = w.Write(answer)
		}))
	})
	b.Run("resolver=js", func(b *testing.B) { benchmarkAsk(b, js) })
	b.Run("resolver=go", func(b *testing.B) { benchmarkAsk(b, &golang) })
}

func benchmarkAsk(b *testing.B, served *backend.Backend) {
	cfg := config.Default()
	cfg.Simulate.Speed = config.Instant
	s, err := New(context.Background(), Options{Config: cfg, Backend: served})
	if err != nil {
		b.Fatal(err)
	}
	header := &http.Request{Header: http.Header{}}
	if err := s.SignIn(b.Context(), header, backend.UserPool); err != nil {
		b.Fatal(err)
	}
	benchmark(b, header.Header.Get("Authorization"), s)
}

// benchmark asks h b.N times from another process.
func benchmark(b *testing.B, token string, h http.Handler) {
	server := httptest.NewServer(h)
	defer server.Close()
	ask := func(n int) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "FAIRWAY_BENCH_URL="+server.URL+"/graphql",
			"FAIRWAY_BENCH_TOKEN="+token, "FAIRWAY_BENCH_REQUESTS="+strconv.Itoa(n))
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
	}
	ask(100)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	ask(b.N)
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
}

// cpu is the processor time that this process has taken, without its children.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// constant is a Go resolver that does what the sample's does, at the least cost.
type constant struct{}

const body = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"temperature":0.4,"messages":[{"role":"user","content":[{"type":"text","text":"Suggest two recipes, in the language that the ingredients are written in. The ingredients: chicken, rice."}]}]}`

func (constant) Request(context.Context, *backend.Context) (any, error) {
	return &backend.HTTPRequest{
		Method: "POST", ResourcePath: "/model/apac.anthropic.claude-sonnet-4-20250514-v1:0/invoke",
		Headers: map[string]string{"Content-Type": "application/json"}, Body: body,
	}, nil
}

func (constant) Response(_ context.Context, c *backend.Context) (any, error) {
	return map[string]any{"body": c.Result.(map[string]any)["body"]}, nil
}
