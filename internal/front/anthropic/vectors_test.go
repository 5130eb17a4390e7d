package anthropic_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
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

// TestVectors runs testdata/OPERATION/CASE.txtar over a socket. A vector's comment
// says what it shows. Its files:
//
//	request   request line, header, blank line, body
//	gateway   what the gateway does, JSON of a scriptedGateway; without it the
//	          call must not reach the gateway
//	decoded   what the gateway was asked (-update writes it)
//	response  status, header, blank line, body, trailer; a line "(cut)" where the
//	          body was broken off (-update writes it)
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.ToSlash(file)[len("testdata/"):], ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			decoded, response := runVector(t, parts["request"], parts["gateway"])
			if *update {
				rewrite(t, file, archive, decoded, response)
				return
			}
			if diff := cmp.Diff(parts["decoded"], decoded); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(parts["response"], response); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
		})
	}
}

func rewrite(t *testing.T, file string, archive *txtar.Archive, decoded, response string) {
	t.Helper()
	kept := slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "decoded" || f.Name == "response" })
	if decoded != "" {
		kept = append(kept, txtar.File{Name: "decoded", Data: []byte(decoded)})
	}
	archive.Files = append(kept, txtar.File{Name: "response", Data: []byte(response)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runVector makes the call and describes what came of it on both sides.
func runVector(t *testing.T, request, script string) (decoded, response string) {
	t.Helper()
	gateway := &scriptedGateway{unexpected: script == ""}
	if script != "" {
		if err := json.Unmarshal([]byte(script), gateway); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(newFront(gateway))
	defer server.Close()
	got, err := server.Client().Do(parseRequest(t, server.URL, request))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	response = describeResponse(t, got)
	if gateway.request != nil {
		decoded = describeRequest(gateway.request)
	}
	return decoded, response
}

func parseRequest(t *testing.T, base, text string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	line, fields, _ := strings.Cut(head, "\n")
	method, path, _ := strings.Cut(line, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(strings.TrimSuffix(body, "\n")))
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

func describeRequest(r *inference.Request) string {
	header := map[string]string{}
	for name := range r.Header {
		header[name] = r.Header.Get(name)
	}
	asked := map[string]any{
		"operation": r.Operation, "model": r.Model, "source_region": r.SourceRegion, "principal": r.Principal.Name, "header": header,
	}
	if r.Steering != (inference.Steering{}) {
		asked["steering"] = r.Steering
	}
	return string(mustMarshal(asked)) + "\n" + string(r.Body) + "\n"
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

var messageID = regexp.MustCompile(`msg_bdrk_01[0-9A-Za-z]{22}`)

func describeResponse(t *testing.T, r *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	var text strings.Builder
	fmt.Fprintln(&text, r.StatusCode)
	describeHeader(&text, r.Header)
	fmt.Fprintf(&text, "\n%s\n", strings.TrimSuffix(string(body), "\n"))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		fmt.Fprintln(&text, "(cut)")
	case err != nil:
		t.Fatal(err)
	default:
		describeHeader(&text, r.Trailer)
	}
	return messageID.ReplaceAllString(uuid.ReplaceAllString(text.String(), "(a UUID)"), "(a message id)")
}

func describeHeader(text *strings.Builder, h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if name != "Date" && name != "Content-Length" && h.Get(name) != "" {
			fmt.Fprintf(text, "%s: %s\n", name, h.Get(name))
		}
	}
}
