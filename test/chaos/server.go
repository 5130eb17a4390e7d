package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// sources are the regions that calls enter in: each is a destination too, so that
// wherever something breaks it is somebody's first choice.
var sources = []string{"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"}

// The callers' access key, and the environment variables of their secrets. The
// stranger's is known to no server.
const (
	accessKeyID = "FWAKCHAOSCHAOSCHAOSX"
	secretKey   = "CHAOS_SECRET"
	bearerKey   = "CHAOS_BEARER"
	outsiderKey = "CHAOS_OUTSIDER"
	strangerKey = "CHAOS_STRANGER"
)

// configuration is fairway.yaml: the defaults, but that time goes as much faster as
// the simulated regions do. The quota is out of reach: what throttles is the fault.
const configuration = `listen: 127.0.0.1:0
admin: {listen: 127.0.0.1:0}
log: {format: json}
simulate: {speed: %v, seed: %d, quota: {tokens_per_minute: 2000000000}}
attempt_timeout: 1s
stall_timeout: 2s
first_content_timeout: 5s
chunk_timeout: 5s
breaker: {open_for: 50ms, max_open_for: 1200ms}
principals:
  - name: chaos
    access_keys: [{id: ` + accessKeyID + `, secret: "env:` + secretKey + `"}]
    bearer_keys: ["env:` + bearerKey + `"]
    policies: [{Statement: [{Effect: Allow, Action: "bedrock:*", Resource: "*"}]}]
  - name: outsider
    bearer_keys: ["env:` + outsiderKey + `"]
    policies: [{Statement: [{Effect: Allow, Action: "bedrock:CallWithBearerToken", Resource: "*"}]}]
`

// withoutFailover takes everything away that saves a call.
const withoutFailover = `max_attempts: 1
retry: {wait: 0s}
hedge: {budget: 0}
`

// server is a fairway serve: one process after the other, on the same folder.
type server struct {
	binary string
	dir    string // its configuration, state and log
	env    []string
	doors  string // URL
	admin  string // URL
	keys   map[string]string
	client *http.Client // of the admin listener

	command *exec.Cmd
	exited  chan error // of command
	said    int64      // length of the log before command
}

// serve starts the binary as a user would and waits until it is ready.
func serve(ctx context.Context, binary, settings string) (*server, error) {
	s, err := newServer(binary, settings)
	if err != nil {
		return nil, err
	}
	return s, s.start(ctx)
}

// newServer makes the folder of a server that does not run yet. More is added to its
// environment.
func newServer(binary, settings string, more ...string) (*server, error) {
	dir, err := os.MkdirTemp("", "fairway-chaos-")
	if err != nil {
		return nil, err
	}
	s := &server{binary: binary, dir: dir, keys: map[string]string{}, client: &http.Client{Timeout: patience}}
	s.env = append(os.Environ(), more...)
	for _, name := range []string{secretKey, bearerKey, outsiderKey, strangerKey} {
		s.keys[name] = "fairway-" + rand.Text()
		s.env = append(s.env, name+"="+s.keys[name])
	}
	return s, os.WriteFile(s.config(), []byte(settings), 0o600)
}

// start starts a process and waits until it is ready.
func (s *server) start(ctx context.Context) error {
	if err := s.spawn(ctx); err != nil {
		return err
	}
	return s.ready(ctx)
}

// spawn starts a process.
func (s *server) spawn(ctx context.Context) error {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own
	if s.said, err = log.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	s.exited = make(chan error, 1)
	s.command = exec.CommandContext(ctx, s.binary, "serve", "--config", s.config())
	s.command.Stderr, s.command.Env = log, s.env
	if err := s.command.Start(); err != nil {
		return err
	}
	go func(command *exec.Cmd, exited chan<- error) { exited <- command.Wait() }(s.command, s.exited)
	return nil
}

// kill ends the process where it stands.
func (s *server) kill() error {
	if err := s.command.Process.Kill(); err != nil {
		return fmt.Errorf("kill server: %w", err)
	}
	<-s.exited
	return nil
}

func (s *server) config() string { return filepath.Join(s.dir, "fairway.yaml") }

func (s *server) log() string { return filepath.Join(s.dir, logFile) }

// logFile is the server's log, beside its configuration.
const logFile = "server.log"

// patience is how long anything but a call may take.
const patience = time.Minute

// until asks often whether something has come to be, for as long as patience has it.
func until(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ready waits until the log says that the process is, and reads the addresses off it.
func (s *server) ready(ctx context.Context) error {
	var doors, admin string
	err := until(ctx, func() (bool, error) {
		select {
		case err := <-s.exited:
			return false, fmt.Errorf("it ended: %v", err)
		default:
		}
		text, err := s.tells()
		for line := range strings.Lines(text) {
			if url, ok := strings.CutPrefix(line, "admin "); ok {
				admin = strings.TrimSpace(url)
			}
			if url, ok := strings.CutPrefix(line, "ready "); ok && strings.HasSuffix(url, "\n") {
				doors = strings.TrimSpace(url)
			}
		}
		return doors != "", err
	})
	if err != nil {
		text, _ := s.tells()
		return fmt.Errorf("start server: %w: %s", err, text)
	}
	if doors != s.doors || admin != s.admin { // else calls may be reading them
		s.doors, s.admin = doors, admin
	}
	return nil
}

// tells is what the process has logged.
func (s *server) tells() (string, error) {
	text, err := os.ReadFile(s.log())
	return string(text[min(int(s.said), len(text)):]), err
}

// set gives a region a fault and returns when it has it.
func (s *server) set(c change) error {
	req, err := http.NewRequest(http.MethodPut, s.admin+"/api/regions/"+c.region, bytes.NewReader(encode(object{"fault": c.fault})))
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("set fault %s of %s: %s: %s", c.fault, c.region, resp.Status, text)
	}
	return err
}

// destinations are where a profile's calls may run that enter in source, as the server
// itself says.
func (s *server) destinations(profile, source string) (regions []string, err error) {
	req, err := http.NewRequest(http.MethodGet, s.doors+"/region/"+source+"/inference-profiles/"+profile, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.keys[bearerKey])
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var body struct {
		Models []struct{ ModelARN string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return nil, err
	}
	for _, m := range body.Models {
		if part := strings.Split(m.ModelARN, ":"); len(part) > 3 {
			regions = append(regions, part[3]) // arn:aws:bedrock:REGION::foundation-model/ID
		}
	}
	if len(regions) < 2 {
		return nil, fmt.Errorf("profile %s in %s: %s: it has %d destinations", profile, source, resp.Status, len(regions))
	}
	return regions, nil
}

// metrics are the series of the server, by name and labels as they are written.
type metrics map[string]float64

func (s *server) metrics() (metrics, error) {
	resp, err := s.client.Get(s.admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	m := metrics{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if at := strings.LastIndexByte(lines.Text(), ' '); strings.Contains(name, "{") && at > 0 {
			name, value = lines.Text()[:at], lines.Text()[at+1:]
		}
		if n, err := strconv.ParseFloat(value, 64); err == nil && !strings.HasPrefix(name, "#") {
			m[name] = n
		}
	}
	return m, lines.Err()
}

// sum adds up the series of a name that have all of the labels.
func (m metrics) sum(name string, labels ...string) (total float64) {
	for series, value := range m {
		of, has, _ := strings.Cut(series, "{")
		fits := of == name
		for _, label := range labels {
			fits = fits && strings.Contains(has, label)
		}
		if fits {
			total += value
		}
	}
	return total
}

// health is how much the server holds.
type health struct {
	goroutines int
	heap       int // MB that were live at the last collection
	resident   int // MB
}

func (m metrics) health() health {
	const mega = 1 << 20
	return health{
		goroutines: int(m["go_goroutines"]),
		heap:       int(m["go_memstats_next_gc_bytes"]/2) / mega,
		resident:   int(m["process_resident_memory_bytes"]) / mega,
	}
}

// idle waits until no call is under way, and at most so many goroutines are left.
func (s *server) idle(ctx context.Context, goroutines int) (m metrics, err error) {
	err = until(ctx, func() (bool, error) {
		m, err = s.metrics()
		return err == nil && m["fairway_in_flight"] == 0 && int(m["go_goroutines"]) <= goroutines, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil // what is left is told by m
	}
	return m, err
}

// stop has the server drain, and end.
func (s *server) stop() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-s.exited:
		return err
	case <-time.After(patience):
		s.command.Process.Kill()
		return errors.New("stop server: it does not end")
	}
}

// encode is JSON of what this package made.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers, lists and maps of them always encode
	}
	return text
}
