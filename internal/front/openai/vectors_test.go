package openai_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"fairway/internal/inference"
)

var update = flag.Bool("update", false, "rewrite the decoded and response files of the vectors")

// TestVectors runs testdata/CASE.txtar over a socket. A vector's comment names its
// source. Its files:
//
//	request   request line, header, blank line, body
//	gateway   what the gateway does, JSON of a scriptedGateway; without it the call
//	          must not reach the gateway
//	decoded   what the gateway was asked (-update writes it)
//	response  status, header, blank line, body, trailer; "broken off" where the
//	          connection did not end cleanly (-update writes it)
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, archive)
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
				t.Errorf("vector (-want +got):\n%s", diff)
			}
		})
	}
}

// run sends the request of a vector and gives the vector with what came of it.
func run(t *testing.T, vector *txtar.Archive) *txtar.Archive {
	t.Helper()
	got := &txtar.Archive{Comment: vector.Comment}
	var gateway *scriptedGateway
	var request *http.Request
	for _, file := range vector.Files {
		switch file.Name {
		case "request":
			request = readRequest(t, string(file.Data))
		case "gateway":
			gateway = &scriptedGateway{}
			if err := json.Unmarshal(file.Data, gateway); err != nil {
				t.Fatal(err)
			}
		case "decoded", "response":
			continue
		default:
			t.Fatalf("unknown file %q", file.Name)
		}
		got.Files = append(got.Files, file)
	}
	reached := gateway != nil
	if !reached {
		gateway = &scriptedGateway{}
	}
	response := send(t, request, gateway)
	if reached != (gateway.request != nil) {
		t.Fatalf("the gateway was asked: %v, want %v; answer:\n%s", gateway.request != nil, reached, response)
	}
	if gateway.request != nil && gateway.Error == nil && gateway.closed == 0 {
		t.Error("the stream was not closed")
	}
	if gateway.request != nil {
		got.Files = append(got.Files, txtar.File{Name: "decoded", Data: describeRequest(gateway)})
	}
	got.Files = append(got.Files, txtar.File{Name: "response", Data: []byte(response)})
	return got
}

func readRequest(t *testing.T, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	line, fields, _ := strings.Cut(head, "\n")
	method, target, _ := strings.Cut(line, " ")
	r, err := http.NewRequest(method, target, strings.NewReader(strings.TrimSuffix(body, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	for field := range strings.Lines(fields) {
		name, value, ok := strings.Cut(strings.TrimSpace(field), ": ")
		if !ok {
			t.Fatalf("no header field: %q", field)
		}
		r.Header.Add(name, value)
	}
	return r
}

func send(t *testing.T, r *http.Request, gateway *scriptedGateway) string {
	t.Helper()
	server := httptest.NewUnstartedServer(newFront(gateway, slog.New(slog.DiscardHandler)))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	defer server.Close()
	r.URL.Scheme, r.URL.Host = "http", server.Listener.Addr().String()
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return describeResponse(response, body, err)
}

func describeRequest(g *scriptedGateway) []byte {
	r := g.request
	header := map[string]string{}
	for name := range r.Header {
		header[name] = r.Header.Get(name)
	}
	asked := map[string]any{
		"operation": r.Operation, "model": r.Model, "source_region": r.SourceRegion,
		"principal": r.Principal.Name, "header": header,
	}
	if r.Steering != (inference.Steering{}) {
		asked["steering"] = r.Steering
	}
	text, err := json.MarshalIndent(asked, "", " ")
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(text, "\n%s\n", bytes.TrimSpace(r.Body))
}

var (
	uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	id   = regexp.MustCompile(`chatcmpl-[0-9a-f]{32}`)
)

func describeResponse(r *http.Response, body []byte, err error) string {
	var text strings.Builder
	fmt.Fprintln(&text, r.StatusCode)
	describe := func(h http.Header) {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			if name != "Date" && name != "Content-Length" { // the socket's
				fmt.Fprintf(&text, "%s: %s\n", name, uuid.ReplaceAllString(h.Get(name), "(a UUID)"))
			}
		}
	}
	describe(r.Header)
	fmt.Fprintf(&text, "\n%s\n", bytes.TrimRight(id.ReplaceAll(body, []byte("chatcmpl-(an id)")), "\n"))
	if err != nil {
		fmt.Fprintln(&text, "broken off")
		return text.String()
	}
	if len(r.Trailer) > 0 {
		fmt.Fprintln(&text)
		describe(r.Trailer)
	}
	return text.String()
}
