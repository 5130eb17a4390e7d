package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"fairway/internal/outputs"
	"fairway/internal/sample"
	"fairway/internal/seed"
)

// screen is a stderr that hands over each line as it is written: the command goes
// on once written has returned.
type screen struct {
	mu      sync.Mutex
	partial string
	all     strings.Builder
	lines   chan string
	written func(line string) // may be nil
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.Write(p)
	s.partial += string(p)
	for {
		line, rest, ok := strings.Cut(s.partial, "\n")
		if !ok {
			return len(p), nil
		}
		s.partial = rest
		if s.written != nil {
			s.written(line)
		}
		s.lines <- line
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// started is a dev command under way.
type started struct {
	*screen
	base string // as its ready line says
	stop context.CancelFunc
	code chan int
}

// patience is how long anything may take on a slow machine.
const patience = 30 * time.Second

// startDev runs dev on dir at a free port until the test ends, and waits until it
// is ready.
func startDev(t *testing.T, dir string, args ...string) *started {
	t.Helper()
	return startWatched(t, nil, dir, args...)
}

func startWatched(t *testing.T, written func(string), dir string, args ...string) *started {
	t.Helper()
	before := goleak.IgnoreCurrent()
	ctx, stop := context.WithCancel(context.Background())
	d := &started{screen: &screen{lines: make(chan string, 1<<10), written: written}, stop: stop, code: make(chan int, 1)}
	go func() {
		d.code <- run(ctx, append([]string{"dev", "--listen", "127.0.0.1:0", "--speed", "instant", dir}, args...), surroundings(io.Discard, d.screen))
	}()
	t.Cleanup(func() {
		stop()
		select {
		case code := <-d.code:
			if code != exitDone {
				t.Errorf("dev exits %d when it is stopped, want 0:\n%s", code, d.text())
			}
		case <-time.After(patience):
			t.Errorf("dev does not stop")
		}
		http.DefaultClient.CloseIdleConnections()
		goleak.VerifyNone(t, before)
	})
	d.base = strings.TrimPrefix(d.await(t, "ready "), "ready ")
	return d
}

// await is the next line that begins with prefix.
func (d *started) await(t *testing.T, prefix string) string {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case line := <-d.lines:
			if strings.HasPrefix(line, prefix) {
				return line
			}
		case code := <-d.code:
			d.code <- code
			t.Fatalf("dev exits %d before it says %q:\n%s", code, prefix, d.text())
		case <-late:
			t.Fatalf("dev does not say %q:\n%s", prefix, d.text())
		}
	}
}

func surroundings(stdout, stderr io.Writer) Surroundings {
	return Surroundings{Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr, Getenv: func(string) string { return "" }, Version: "test"}
}

// copyProject copies a project folder to where it can be changed.
func copyProject(t *testing.T, files fs.FS) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	return dir
}

// put writes a project file at once, as one event.
func put(t *testing.T, dir, name, text string) {
	t.Helper()
	whole := filepath.Join(t.TempDir(), "whole")
	if err := os.WriteFile(whole, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(whole, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readOutputs(t *testing.T, dir string) outputs.Fairway {
	t.Helper()
	out, err := outputs.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// post sends JSON and reads the answer.
func post(t *testing.T, url, header, value, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(header, value)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(raw)
}

// queries is the fields of Query that the server in dir's outputs has.
func queries(t *testing.T, dir string) string {
	t.Helper()
	out := readOutputs(t, dir)
	_, body := post(t, out.GraphQL.URL, "X-Api-Key", out.GraphQL.APIKey, `{"query":"{ __type(name: \"Query\") { fields { name } } }"}`)
	return body
}

// TestDevReady checks what scripts wait for: one ready line, when both files are
// there and the server answers.
func TestDevReady(t *testing.T) {
	dir, out := copyProject(t, sample.Files()), filepath.Join(t.TempDir(), "made", "here")
	var missing []string
	d := startWatched(t, func(line string) {
		if !strings.HasPrefix(line, "ready ") {
			return
		}
		for _, name := range []string{outputs.AmplifyFile, outputs.FairwayFile} {
			if _, err := os.Stat(filepath.Join(out, name)); err != nil {
				missing = append(missing, name)
			}
		}
	}, dir, "--outputs-dir", out)
	if len(missing) > 0 {
		t.Errorf("dev says ready before it has written %v", missing)
	}
	if n := strings.Count("\n"+d.text(), "\nready "); n != 1 {
		t.Errorf("dev says ready %d times, want once:\n%s", n, d.text())
	}
	if _, err := os.Stat(filepath.Join(dir, outputs.AmplifyFile)); err == nil {
		t.Errorf("dev writes to the project root in spite of --outputs-dir")
	}
	written := readOutputs(t, out)
	if written.Endpoint != d.base || strings.HasSuffix(d.base, ":0") {
		t.Errorf("endpoint = %s, ready %s, want the port that was picked in both", written.Endpoint, d.base)
	}
	if body := queries(t, out); !strings.Contains(body, `"askBedrock"`) {
		t.Errorf("the server answers %s, want its field askBedrock", body)
	}
}

// TestDevDown fails a region from the start.
func TestDevDown(t *testing.T) {
	dir := copyProject(t, sample.Files())
	d := startDev(t, filepath.Join(dir, "amplify"), "--down", "ap-southeast-1", "--down", "ap-northeast-1")
	out := readOutputs(t, dir) // the root, though dev was given amplify/
	resp, body := post(t, d.base+"/model/apac.anthropic.claude-sonnet-4-20250514-v1:0/invoke", "Authorization", "Bearer "+out.BearerKey,
		`{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"rice"}]}`)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("invoke = %d %s", resp.StatusCode, body)
	}
	if attempts, region := resp.Header.Get("X-Fairway-Attempts"), resp.Header.Get("X-Fairway-Destination-Region"); attempts != "3" || region != "ap-northeast-2" {
		t.Errorf("answered by %s after %s attempts, want ap-northeast-2 after 3", region, attempts)
	}
}

// TestDevReload changes the folder under a running server.
func TestDevReload(t *testing.T) {
	dir := copyProject(t, sample.Files())
	d := startDev(t, dir)
	const resource = "amplify/data/resource.ts"
	schema := readFile(t, dir, resource)

	put(t, dir, resource, strings.ReplaceAll(schema, "askBedrock:", "askAgain:"))
	d.await(t, "reloaded")
	if body := queries(t, dir); !strings.Contains(body, `"askAgain"`) || strings.Contains(body, `"askBedrock"`) {
		t.Errorf("after a change the server answers %s, want askAgain alone", body)
	}
	good := readFile(t, dir, outputs.AmplifyFile)
	if !strings.Contains(good, `"askAgain"`) {
		t.Errorf("after a change %s does not know askAgain", outputs.AmplifyFile)
	}

	put(t, dir, resource, schema+"\nexport const broken = ;\n")
	d.await(t, resource+":")
	d.await(t, "reload failed; the last good backend goes on")
	if body := queries(t, dir); !strings.Contains(body, `"askAgain"`) {
		t.Errorf("after a bad change the server answers %s, want the last good backend", body)
	}
	if diff := cmp.Diff(good, readFile(t, dir, outputs.AmplifyFile)); diff != "" {
		t.Errorf("a bad change changes %s (-before +after):\n%s", outputs.AmplifyFile, diff)
	}

	put(t, dir, resource, schema)
	d.await(t, "reloaded")
	if body := queries(t, dir); !strings.Contains(body, `"askBedrock"`) {
		t.Errorf("after the repair the server answers %s, want askBedrock", body)
	}
}

// TestDevRefusesResolver keeps the last good backend when only a resolver is bad,
// which the loader does not see.
func TestDevRefusesResolver(t *testing.T) {
	dir := copyProject(t, sample.Files())
	d := startDev(t, dir)
	const file = "amplify/data/bedrock.js"
	put(t, dir, file, readFile(t, dir, file)+"\nwhile (true) {}\n")
	d.await(t, file)
	d.await(t, "reload failed; the last good backend goes on")
	if body := queries(t, dir); !strings.Contains(body, `"askBedrock"`) {
		t.Errorf("after a bad resolver the server answers %s, want the last good backend", body)
	}
}

// TestDevNewFolder sees changes in a folder that came after the start.
func TestDevNewFolder(t *testing.T) {
	dir := copyProject(t, sample.Files())
	d := startDev(t, dir)
	if err := os.Mkdir(filepath.Join(dir, "amplify", "data", "later"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.await(t, "reloaded")
	put(t, dir, "amplify/data/later/names.ts", `export const name = "askLater";`)
	d.await(t, "reloaded")
	schema := readFile(t, dir, "amplify/data/resource.ts")
	put(t, dir, "amplify/data/resource.ts", `import { name } from "./later/names";`+"\n"+strings.ReplaceAll(schema, "askBedrock:", "[name]:"))
	d.await(t, "reloaded")
	put(t, dir, "amplify/data/later/names.ts", `export const name = "askLatest";`)
	d.await(t, "reloaded")
	if body := queries(t, dir); !strings.Contains(body, `"askLatest"`) {
		t.Errorf("the server answers %s, want askLatest", body)
	}
}

// TestDevForce never replaces a file that is not its own unless told to.
func TestDevForce(t *testing.T) {
	for _, name := range []string{outputs.AmplifyFile, outputs.FairwayFile} {
		t.Run(name, func(t *testing.T) {
			dir := copyProject(t, sample.Files())
			const mine = `{"mine": true}`
			put(t, dir, name, mine)
			var stderr bytes.Buffer
			code := run(t.Context(), []string{"dev", "--listen", "127.0.0.1:0", dir}, surroundings(io.Discard, &stderr))
			if code != exitUsage || !strings.Contains(stderr.String(), "--force") || !strings.Contains(stderr.String(), name) {
				t.Errorf("dev exits %d, want 2 and the remedy:\n%s", code, &stderr)
			}
			if got := readFile(t, dir, name); got != mine {
				t.Errorf("%s = %s, want it left alone", name, got)
			}
			for _, args := range [][]string{{"--force"}, nil} { // its own needs no force
				d := startDev(t, dir, args...)
				if out := readOutputs(t, dir); out.Endpoint != d.base {
					t.Errorf("dev %v leaves the endpoint %s, want %s", args, out.Endpoint, d.base)
				}
				d.stop()
				code := <-d.code
				d.code <- code
			}
		})
	}
}

// TestDevFails names what keeps dev from starting.
func TestDevFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name string
		file string // that is broken
		args []string
		code int
		want []string
	}{
		{"load errors", "amplify/data/resource.ts", nil, exitFailed, []string{"amplify/data/resource.ts:1: error: ", "[syntax-error]", "fairway: dev: the folder does not load"}},
		{"resolver errors", "amplify/data/bedrock.js", nil, exitFailed, []string{"amplify/data/bedrock.js:1: error: "}},
		{"address in use", "", []string{"--listen", taken.Addr().String()}, exitFailed, []string{"address already in use", "port 0 picks one"}},
		{"unknown region", "", []string{"--down", "nowhere"}, exitUsage, []string{`no region is called "nowhere"`}},
		{"unknown flag", "", []string{"--tls"}, exitUsage, []string{"unknown flag: --tls"}},
		{"bad speed", "", []string{"--speed", "fast"}, exitUsage, []string{"instant"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			dir := copyProject(t, sample.Files())
			if c.file != "" {
				put(t, dir, c.file, "export const = 1;")
			}
			var stderr bytes.Buffer
			code := run(t.Context(), append([]string{"dev", "--listen", "127.0.0.1:0", dir}, c.args...), surroundings(io.Discard, &stderr))
			if code != c.code {
				t.Errorf("dev exits %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("stderr = %s\nwant %q in it", &stderr, want)
				}
			}
			if strings.Contains("\n"+stderr.String(), "\nready ") {
				t.Errorf("dev says ready:\n%s", &stderr)
			}
			if _, err := os.Stat(filepath.Join(dir, outputs.FairwayFile)); err == nil {
				t.Errorf("dev leaves %s behind", outputs.FairwayFile)
			}
			goleak.VerifyNone(t, before)
		})
	}
}

// TestDevSeedOutputs compares what dev writes for the guide with what the real
// toolchain wrote, except what is a deployment's own.
func TestDevSeedOutputs(t *testing.T) {
	dir := copyProject(t, seed.Files(t))
	d := startDev(t, dir)
	want := outputsObject(t, filepath.Join("..", "outputs", "testdata", "seed.json"))
	got := outputsObject(t, filepath.Join(dir, outputs.AmplifyFile))
	if url := got["data"].(map[string]any)["url"]; url != d.base+"/graphql" {
		t.Errorf("data.url = %v, want %s/graphql", url, d.base)
	}
	for section, names := range map[string][]string{"auth": {"user_pool_id", "user_pool_client_id", "identity_pool_id"}, "data": {"url", "api_key"}} {
		for _, name := range names {
			if text, _ := got[section].(map[string]any)[name].(string); text == "" {
				t.Errorf("%s.%s is missing", section, name)
			}
			delete(want[section].(map[string]any), name)
			delete(got[section].(map[string]any), name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", outputs.AmplifyFile, diff)
	}
}

func outputsObject(t *testing.T, path string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(readFile(t, path)), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// TestDevOutsideFolder: a file of the project that the folder imports from
// elsewhere is watched too.
func TestDevOutsideFolder(t *testing.T) {
	dir := copyProject(t, sample.Files())
	if err := os.Mkdir(filepath.Join(dir, "lib"), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "lib/name.ts", `export const name = "first";`)
	put(t, dir, "amplify/data/resource.ts", `import { a, defineData } from "@aws-amplify/backend";
import { name } from "../../lib/name";
export const data = defineData({ schema: a.schema({
  [name]: a.query().returns(a.string()).authorization((allow) => [allow.publicApiKey()])
    .handler(a.handler.custom({ entry: "./bedrock.js", dataSource: "bedrockDS" })),
}), authorizationModes: { defaultAuthorizationMode: "apiKey" } });`)
	d := startDev(t, dir)
	put(t, dir, "lib/name.ts", `export const name = "second";`)
	d.await(t, "reloaded")
	if got := queries(t, dir); !strings.Contains(got, `"second"`) {
		t.Errorf("the server answers %s, want second", got)
	}
}

// TestDevFolderComesBack: a folder that is removed and put back is still watched.
func TestDevFolderComesBack(t *testing.T) {
	dir := copyProject(t, sample.Files())
	d := startDev(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, "amplify")); err != nil {
		t.Fatal(err)
	}
	d.await(t, "reload failed")
	if err := os.CopyFS(dir, sample.Files()); err != nil {
		t.Fatal(err)
	}
	d.await(t, "reloaded")
	put(t, dir, "amplify/data/resource.ts", strings.Replace(readFile(t, dir, "amplify/data/resource.ts"), "askBedrock", "askAgain", 1))
	d.await(t, "reloaded")
	if got := queries(t, dir); !strings.Contains(got, `"askAgain"`) {
		t.Errorf("the server answers %s, want askAgain", got)
	}
}
