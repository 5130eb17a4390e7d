package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"fairway/internal/config"
	"fairway/internal/inference"
)

// The profile and the model that calls name, and where calls enter.
const (
	profile  = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	entry    = inference.Region("ap-southeast-1")
	keyID    = "FWAKAAAAAAAAAAAAAAAA"
	secret   = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	bearer   = "a bearer key"
	prompt   = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":500,"messages":[{"role":"user","content":"Tell me of the sea."}]}`
	allowAll = `policies: [{Statement: {Effect: Allow, Action: "bedrock:*", Resource: "*"}}]`
	caller   = `
principals:
  - name: app
    access_keys: [{id: ` + keyID + `, secret: env:SECRET}]
    bearer_keys: [env:BEARER]
    ` + allowAll + "\n"
)

// environment is what the configurations of tests refer to.
func environment(name string) (string, bool) {
	value, ok := map[string]string{
		"SECRET": secret, "BEARER": bearer, "MASTER": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "ADMIN": "an admin token",
	}[name]
	return value, ok
}

// configured is a configuration as serve reads it.
func configured(t testing.TB, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), config.FileName)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, origins, err := config.Load(config.Source{File: file})
	if err != nil {
		t.Fatal(err)
	}
	if err := config.ServeProblems(c, origins); err != nil {
		t.Fatal(err)
	}
	return c
}

// opened is a server by a configuration, that nobody listens for yet.
func opened(t testing.TB, text string, change ...func(*Options)) (*Server, *journal) {
	t.Helper()
	j := &journal{arrived: sync.NewCond(&sync.Mutex{})}
	o := Options{Config: configured(t, text), Env: environment, Log: slog.New(j)}
	for _, c := range change {
		c(&o)
	}
	s, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, j
}

// site is a server on a listener of its own.
type site struct {
	*Server
	*journal
	address string
	stop    func() error // ends it, and waits until it has drained
}

func (s *site) url() string { return "http://" + s.address }

// listening is opened, on loopback.
func listening(t testing.TB, text string, change ...func(*Options)) *site {
	t.Helper()
	s, j := opened(t, text, change...)
	return served(t, s, j, Listening{Drain: 10 * time.Second})
}

func served(t testing.TB, s *Server, j *journal, how Listening) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, how) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return &site{s, j, l.Addr().String(), stop}
}

// standIn is one for AWS: simulated regions that route by themselves and check
// signatures.
func standIn(t testing.TB, more string) *site {
	t.Helper()
	return listening(t, "simulate: {speed: instant, hidden_routing: true}\n"+more+caller)
}

// before is a server in front of another one, which it takes for AWS.
func before(t testing.TB, far *site, more string) *site {
	t.Helper()
	return listening(t, "model: bedrock\nbedrock: {endpoint: "+far.url()+", control_endpoint: "+far.url()+"}\n"+more+caller, asApp(t))
}

// asApp gives the upstream the key of the principal app.
func asApp(t testing.TB) func(*Options) {
	t.Setenv("AWS_ACCESS_KEY_ID", keyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	return func(*Options) {}
}

// journal is a log that tests read, by the values of its lines.
type journal struct {
	arrived *sync.Cond
	lines   []map[string]string
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	line := map[string]string{"msg": r.Message}
	r.Attrs(func(a slog.Attr) bool {
		line[a.Key] = a.Value.Resolve().String()
		return true
	})
	j.arrived.L.Lock()
	defer j.arrived.L.Unlock()
	j.lines = append(j.lines, line)
	j.arrived.Broadcast()
	return nil
}

// wait gives the first line with a message that has not been asked for, and waits
// until there is one.
func (j *journal) wait(t testing.TB, message string) map[string]string {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() {
		j.arrived.L.Lock()
		defer j.arrived.L.Unlock()
		j.lines = append(j.lines, map[string]string{"msg": message, "late": "true"})
		j.arrived.Broadcast()
	})
	defer late.Stop()
	j.arrived.L.Lock()
	defer j.arrived.L.Unlock()
	for {
		i := slices.IndexFunc(j.lines, func(l map[string]string) bool { return l["msg"] == message })
		if i < 0 {
			j.arrived.Wait()
			continue
		}
		line := j.lines[i]
		j.lines = slices.Delete(j.lines, i, i+1)
		if line["late"] != "" {
			t.Fatalf("no log line says %q within 20s", message)
		}
		return line
	}
}

// forget drops all lines.
func (j *journal) forget() {
	j.arrived.L.Lock()
	defer j.arrived.L.Unlock()
	j.lines = nil
}

// transport speaks one version of HTTP.
func transport(t testing.TB, two bool) http.RoundTripper {
	var protocols http.Protocols
	protocols.SetHTTP1(!two)
	protocols.SetUnencryptedHTTP2(two)
	tr := &http.Transport{Protocols: &protocols, MaxIdleConnsPerHost: 64}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// inMemory sends bodies that net/http knows to be in memory: smithy-go closes its
// own when an answer begins sooner than all of it is sent, and net/http takes that
// for a failed write.
type inMemory struct{ http.RoundTripper }

func (c inMemory) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.RoundTrip(r)
}

// modelClient is the SDK's client of a server's model calls.
func modelClient(url string, tr http.RoundTripper) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		BaseEndpoint: aws.String(url), Region: string(entry), HTTPClient: inMemory{tr}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
	})
}

// controlClient is the SDK's client of a server's control plane.
func controlClient(url string, tr http.RoundTripper) *bedrock.Client {
	return bedrock.New(bedrock.Options{
		BaseEndpoint: aws.String(url), Region: string(entry), HTTPClient: inMemory{tr}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
	})
}

// askBearer sends a request with the bearer key and gives the answer with its body read.
func askBearer(t testing.TB, tr http.RoundTripper, url, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Content-Type", "application/json")
	answer, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}
