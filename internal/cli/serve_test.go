package cli

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"fairway/internal/sample"
)

// longest is how long a script waits for what a server is about to do.
const longest = 20 * time.Second

// TestServe drives fairway serve as an operator does.
func TestServe(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("..", "..", "testdata", "script", "serve"),
		Setup: func(env *testscript.Env) error {
			env.Values[serving{}] = &process{}
			return os.CopyFS(filepath.Join(env.WorkDir, "sample"), sample.Files())
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"json": compareJSON, "serve": serveCmd, "logged": loggedCmd, "hangup": signalCmd(syscall.SIGHUP), "terminate": signalCmd(syscall.SIGTERM),
			"ended": endedCmd, "fetch": fetchCmd, "certificate": certificateCmd, "supervise": superviseCmd, "notified": notifiedCmd, "drain": drainCmd,
		},
	})
}

// serving is the key of a script's server.
type serving struct{}

// process is a fairway serve that runs beside a script.
type process struct {
	cmd     *exec.Cmd
	lines   chan string // of its stderr; closed when it has ended
	systemd *net.UnixConn
}

func of(ts *testscript.TestScript) *process { return ts.Value(serving{}).(*process) }

// serveCmd is "serve ARG...": starts fairway serve and waits until it is ready. It
// sets URL and ADMIN to where it listens.
func serveCmd(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	program, err := lookIn(ts.Getenv("PATH"), "fairway")
	ts.Check(err)
	s.cmd = exec.Command(program, append([]string{"serve"}, args...)...)
	s.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"HOME", "PATH", "SECRET", "BEARER", "MASTER", "ADMIN_TOKEN", "NOTIFY_SOCKET"} {
		s.cmd.Env = append(s.cmd.Env, name+"="+ts.Getenv(name))
	}
	stderr, err := s.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	s.lines = make(chan string, 1024)
	go func(lines chan string) {
		defer close(lines)
		for scan := bufio.NewScanner(stderr); scan.Scan(); {
			lines <- scan.Text()
		}
	}(s.lines)
	end := sync.OnceFunc(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		_ = s.cmd.Wait()
	})
	ts.Defer(end)
	ts.Setenv("ADMIN", "")
	for {
		line := s.next(ts, regexp.MustCompile(`^(ready|admin) http`))
		name, url, _ := strings.Cut(line, " ")
		if name == "ready" {
			ts.Setenv("URL", url)
			return
		}
		ts.Setenv("ADMIN", url)
	}
}

// lookIn finds a program in a list of folders.
func lookIn(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if file := filepath.Join(dir, name); isFile(file) {
			return file, nil
		}
	}
	return "", fmt.Errorf("no %s in %s", name, path)
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// next is the next line of the log that matches.
func (s *process) next(ts *testscript.TestScript, want *regexp.Regexp) string {
	late := time.After(longest)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				ts.Fatalf("the server ended and said nothing like %s", want)
			}
			ts.Logf("[serve] %s", line)
			if want.MatchString(line) {
				return line
			}
		case <-late:
			ts.Fatalf("the server said nothing like %s within %s", want, longest)
		}
	}
}

// loggedCmd is "logged REGEXP": waits for a line of the server's log.
func loggedCmd(ts *testscript.TestScript, _ bool, args []string) {
	of(ts).next(ts, regexp.MustCompile(args[0]))
}

func signalCmd(signal os.Signal) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		ts.Check(of(ts).cmd.Process.Signal(signal))
	}
}

// endedCmd is "ended": waits until the server has, without an error.
func endedCmd(ts *testscript.TestScript, _ bool, _ []string) {
	s := of(ts)
	for range s.lines {
	}
	ts.Check(s.cmd.Wait())
}

// drainCmd is "drain URL NAME:VALUE... @FILE": sends a request whose answer takes a
// while and tells the server to stop. Meanwhile its admin listener says that it is
// not ready. What comes of the answer is on stdout.
func drainCmd(ts *testscript.TestScript, _ bool, args []string) {
	answer, err := new(http.Transport).RoundTrip(request(ts, append([]string{http.MethodPost}, args...)))
	ts.Check(err)
	defer answer.Body.Close()
	first := make([]byte, 1)
	_, err = io.ReadFull(answer.Body, first)
	ts.Check(err)
	ts.Check(of(ts).cmd.Process.Signal(syscall.SIGTERM))
	for ready := true; ready; {
		probe, err := http.Get(ts.Getenv("ADMIN") + "/readyz")
		ts.Check(err)
		probe.Body.Close()
		ready = probe.StatusCode != http.StatusServiceUnavailable
	}
	rest, err := io.ReadAll(answer.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s%s\n", answer.StatusCode, first, rest)
}

// fetchCmd is "fetch METHOD URL [NAME:VALUE...] [@FILE]": sends a request with
// headers and a body, and puts "PROTOCOL STATUS", the name on the certificate, and
// the body of the answer on stdout.
func fetchCmd(ts *testscript.TestScript, _ bool, args []string) {
	r := request(ts, args)
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true, DisableKeepAlives: true}
	answer, err := tr.RoundTrip(r)
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	subject := ""
	if answer.TLS != nil {
		subject = answer.TLS.PeerCertificates[0].Subject.CommonName
	}
	fmt.Fprintf(ts.Stdout(), "%s %d %s\n%s\n", answer.Proto, answer.StatusCode, subject, body)
}

// request is "METHOD URL [NAME:VALUE...] [@FILE]".
func request(ts *testscript.TestScript, args []string) *http.Request {
	r, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	for _, arg := range args[2:] {
		if file, ok := strings.CutPrefix(arg, "@"); ok {
			body := ts.ReadFile(file)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			continue
		}
		name, value, _ := strings.Cut(arg, ":")
		r.Header.Set(name, value)
	}
	return r
}

// certificateCmd is "certificate CERT KEY NAME": makes one that is signed by itself.
func certificateCmd(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: args[2]}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{args[2]},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for name, block := range map[string]*pem.Block{args[0]: {Type: "CERTIFICATE", Bytes: cert}, args[1]: {Type: "PRIVATE KEY", Bytes: private}} {
		var text bytes.Buffer
		ts.Check(pem.Encode(&text, block))
		ts.Check(os.WriteFile(ts.MkAbs(name), text.Bytes(), 0o600))
	}
}

// superviseCmd is "supervise": listens as systemd does, and sets NOTIFY_SOCKET.
func superviseCmd(ts *testscript.TestScript, _ bool, _ []string) {
	dir, err := os.MkdirTemp("", "notify") // the path of a socket is short
	ts.Check(err)
	address := &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", address)
	ts.Check(err)
	of(ts).systemd = conn
	ts.Setenv("NOTIFY_SOCKET", address.Name)
	ts.Defer(func() {
		conn.Close()
		os.RemoveAll(dir)
	})
}

// notifiedCmd is "notified STATE": the next thing that systemd is told.
func notifiedCmd(ts *testscript.TestScript, _ bool, args []string) {
	s := of(ts)
	ts.Check(s.systemd.SetReadDeadline(time.Now().Add(longest)))
	told := make([]byte, 256)
	n, err := s.systemd.Read(told)
	ts.Check(err)
	if string(told[:n]) != args[0] {
		ts.Fatalf("systemd was told %q, want %q", told[:n], args[0])
	}
}
