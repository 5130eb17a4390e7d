package bedrock_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

var update = flag.Bool("update", false, "rewrite the decoded and response files of the vectors")

// TestVectors runs testdata/OPERATION/CASE.txtar through both doors: in process,
// and signed over a socket. A vector's comment names its source. Its files:
//
//	request   request line with an absolute URL, header, blank line, body; the
//	          header Sign holds the service and region to sign for
//	gateway   what the gateway does, JSON of a scriptedGateway; without it the
//	          call must not reach the gateway
//	decoded   what the gateway was asked (-update writes it)
//	response  status, header, blank line, body, of a stream a line each frame;
//	          trailers stand with the header (-update writes it)
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
			v := readVector(t, archive)
			v.run(t, "in process", v.send)
			if *update {
				if err := os.WriteFile(file, txtar.Format(v.archive(archive)), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			v.run(t, "over a socket", v.post)
		})
	}
}

type vector struct {
	request         inference.HTTPRequest
	service, region string // to sign for
	gateway         *scriptedGateway
	decoded         string
	response        string
}

func readVector(t *testing.T, archive *txtar.Archive) *vector {
	t.Helper()
	v := &vector{}
	for _, file := range archive.Files {
		text := string(file.Data)
		switch file.Name {
		case "request":
			v.readRequest(t, text)
		case "gateway":
			v.gateway = &scriptedGateway{}
			if err := json.Unmarshal(file.Data, v.gateway); err != nil {
				t.Fatal(err)
			}
		case "decoded":
			v.decoded = text
		case "response":
			v.response = text
		default:
			t.Fatalf("unknown file %q", file.Name)
		}
	}
	return v
}

func (v *vector) readRequest(t *testing.T, text string) {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	line, fields, _ := strings.Cut(head, "\n")
	v.request.Method, v.request.URL, _ = strings.Cut(line, " ")
	v.request.Header = http.Header{}
	for field := range strings.Lines(fields) {
		name, value, ok := strings.Cut(strings.TrimSpace(field), ": ")
		if !ok {
			t.Fatalf("no header field: %q", field)
		}
		if name == "Sign" {
			v.service, v.region, _ = strings.Cut(value, " ")
			continue
		}
		v.request.Header.Add(name, value)
	}
	v.request.Body = []byte(strings.TrimSuffix(body, "\n"))
}

// run calls one door and checks, or with -update takes over, what came of it.
func (v *vector) run(t *testing.T, door string, call func(*testing.T, inference.Credential, *scriptedGateway) *inference.HTTPResponse) {
	t.Helper()
	gateway := &scriptedGateway{unexpected: v.gateway == nil}
	if v.gateway != nil {
		*gateway = *v.gateway
	}
	response := call(t, inference.Credential{Principal: developer, Service: v.service, Region: inference.Region(v.region)}, gateway)
	decoded := ""
	if gateway.request != nil {
		decoded = describeRequest(gateway.request)
		if !bytes.Equal(gateway.request.Body, v.request.Body) {
			t.Errorf("%s: the gateway's body differs from the one that was sent", door)
		}
	}
	if gateway.Frames == nil && gateway.Answer != "" && response.Status == 200 && string(response.Body) != gateway.Answer {
		t.Errorf("%s: the answer's bytes differ from the gateway's", door)
	}
	if *update {
		v.decoded, v.response = decoded, describeResponse(response)
		return
	}
	if diff := cmp.Diff(v.decoded, decoded); diff != "" {
		t.Errorf("%s: decoded (-want +got):\n%s", door, diff)
	}
	if diff := cmp.Diff(v.response, describeResponse(response)); diff != "" {
		t.Errorf("%s: response (-want +got):\n%s", door, diff)
	}
}

func (v *vector) send(t *testing.T, credential inference.Credential, gateway *scriptedGateway) *inference.HTTPResponse {
	response, record, err := newFront(gateway, time.Now).Send(t.Context(), credential, inference.Caller{}, inference.Steering{}, &v.request)
	if err != nil {
		t.Fatal(err)
	}
	if (record == nil) != (gateway.request == nil) {
		t.Errorf("Send gave record %v for gateway request %v, want both or neither", record, gateway.request)
	}
	return response
}

func (v *vector) post(t *testing.T, credential inference.Credential, gateway *scriptedGateway) *inference.HTTPResponse {
	server := httptest.NewServer(newFront(gateway, time.Now))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), v.request.Method, v.request.URL, bytes.NewReader(v.request.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = v.request.Header.Clone()
	if credential.Service != "" {
		sigv4.Sign(r, v.request.Body, sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, v.region, v.service, time.Now())
	}
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = r.URL.Host
	r.URL.Scheme, r.URL.Host = address.Scheme, address.Host
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(response.Header, response.Trailer)
	return &inference.HTTPResponse{Status: response.StatusCode, Header: response.Header, Body: body}
}

func describeRequest(r *inference.Request) string {
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
	return string(text) + "\n"
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func describeResponse(r *inference.HTTPResponse) string {
	var text strings.Builder
	fmt.Fprintln(&text, r.Status)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		value := r.Header.Get(name)
		switch {
		case name == "Date" || name == "Content-Length":
			continue // the socket's
		case name == "X-Amzn-Requestid" && uuid.MatchString(value):
			value = "(a UUID)"
		}
		fmt.Fprintf(&text, "%s: %s\n", name, value)
	}
	body := string(r.Body)
	if r.Header.Get("Content-Type") == "application/vnd.amazon.eventstream" {
		body = describeFrames(r.Body)
	}
	fmt.Fprintf(&text, "\n%s\n", body)
	return text.String()
}

// describeFrames reads frames with the AWS SDK's own decoder, a line each:
// message type, event or exception type, payload.
func describeFrames(body []byte) string {
	var lines []string
	decoder, frames := eventstream.NewDecoder(), bytes.NewReader(body)
	for frames.Len() > 0 {
		m, err := decoder.Decode(frames, nil)
		if err != nil {
			return strings.Join(append(lines, "malformed: "+err.Error()), "\n")
		}
		of := m.Headers.Get(":message-type").String()
		lines = append(lines, fmt.Sprintf("%s %s %s", of, m.Headers.Get(":"+of+"-type"), m.Payload))
	}
	return strings.Join(lines, "\n")
}

// archive is the vector with what this run decoded and answered.
func (v *vector) archive(from *txtar.Archive) *txtar.Archive {
	to := &txtar.Archive{Comment: from.Comment}
	for _, file := range from.Files {
		if file.Name == "request" || file.Name == "gateway" {
			to.Files = append(to.Files, file)
		}
	}
	if v.decoded != "" {
		to.Files = append(to.Files, txtar.File{Name: "decoded", Data: []byte(v.decoded)})
	}
	to.Files = append(to.Files, txtar.File{Name: "response", Data: []byte(v.response)})
	return to
}
