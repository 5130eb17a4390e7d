// Command loadgen drives one HTTP/1.1 endpoint on loopback and prints one JSON
// line: latency percentiles, rps, the CPU used by the processes named with
// -pids per request, and their memory.
//
//	loadgen -url http://127.0.0.1:9100/v1/chat/completions -body @b.json -c 64 -d 10s            closed loop
//	loadgen ... -rate 2000 -c 256 -d 10s                                                           open loop
//	loadgen ... -stream -c 1000 -d 15s                                                             streams
//	loadgen ... -rate 200 -c 500 -log FILE -then http://127.0.0.1:9103/_ctl?hang=1                  each call, before and after a change
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type hdrs []string

func (h *hdrs) String() string     { return strings.Join(*h, ",") }
func (h *hdrs) Set(s string) error { *h = append(*h, s); return nil }

var (
	target = flag.String("url", "", "http://127.0.0.1:...; of {a,b,c} in it each request has the next one")
	bodyF  = flag.String("body", "{}", "request body or @file")
	conc   = flag.Int("c", 64, "connections")
	dur    = flag.Duration("d", 10*time.Second, "")
	warm   = flag.Duration("warm", 2*time.Second, "unmeasured lead-in")
	rate   = flag.Float64("rate", 0, "open loop at this rate; 0 is closed loop")
	stream = flag.Bool("stream", false, "streams: each connection starts a new stream when one ends")
	ramp   = flag.Duration("ramp", 2*time.Second, "spread the first streams over this time")
	pids   = flag.String("pids", "", "comma-separated processes whose CPU and memory to report")
	name   = flag.String("name", "", "label")
	expect = flag.Int("expect", 200, "status that counts as success")
	must   = flag.String("must", "", "text that a non-streamed answer must hold")
	logF   = flag.String("log", "", "`FILE` for a line a call that begins while it is measured, however late it ends; not with -stream")
	within = flag.Duration("within", 30*time.Second, "what a call may take; not with -stream")
	then   = flag.String("then", "", "`URL` to get when measuring begins; not with -stream")
)
var hs hdrs

type rec struct{ lat, sched int64 }

func main() {
	flag.Var(&hs, "H", "header")
	flag.Parse()
	body := []byte(*bodyF)
	if strings.HasPrefix(*bodyF, "@") {
		var err error
		if body, err = os.ReadFile((*bodyF)[1:]); err != nil {
			log.Fatal(err)
		}
	}
	var host string
	var reqs [][]byte
	for _, t := range alternatives(*target) {
		u, err := url.Parse(t)
		if err != nil || u.Hostname() != "127.0.0.1" {
			log.Fatal("loadgen sends to 127.0.0.1 only: ", t)
		}
		host = u.Host
		reqs = append(reqs, request(u, body))
	}
	if *stream {
		streams(host, reqs[0])
		return
	}
	plain(host, reqs)
}

// alternatives are the URLs that {a,b,c} in one stands for.
func alternatives(u string) []string {
	before, rest, _ := strings.Cut(u, "{")
	inside, after, ok := strings.Cut(rest, "}")
	if !ok {
		return []string{u}
	}
	var all []string
	for _, each := range strings.Split(inside, ",") {
		all = append(all, before+each+after)
	}
	return all
}

// request is all that is sent for a call.
func request(u *url.URL, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", u.RequestURI(), u.Host, len(body))
	signed, err := credential(u, body)
	if err != nil {
		log.Fatal(err)
	}
	for _, h := range append(hs, signed...) {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

type client struct {
	host string
	conn net.Conn
	br   *bufio.Reader
	buf  []byte

	first    time.Time // when content of the last answer was there: a chunk of the mock's, else all of it
	attempts int       // that Fairway says the last answer took
}

func (c *client) dial() error {
	if c.conn != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", c.host, 5*time.Second)
	if err != nil {
		return err
	}
	c.conn = conn
	if c.br == nil {
		c.br = bufio.NewReaderSize(conn, 8192)
	} else {
		c.br.Reset(conn)
	}
	return nil
}

func (c *client) drop() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// head reads the status line and headers; cl is -1 when the answer is chunked, -2 when it ends with the connection.
func (c *client) head() (status, cl int, closeIt bool, err error) {
	l, err := c.br.ReadSlice('\n')
	if err != nil {
		return
	}
	if len(l) < 12 {
		return 0, 0, true, fmt.Errorf("short status line")
	}
	status, _ = strconv.Atoi(string(l[9:12]))
	cl = -2
	for {
		if l, err = c.br.ReadSlice('\n'); err != nil {
			return
		}
		l = bytes.TrimRight(l, "\r\n")
		if len(l) == 0 {
			return
		}
		k, v, _ := bytes.Cut(l, []byte(":"))
		v = bytes.TrimSpace(v)
		switch {
		case len(k) == 14 && bytes.EqualFold(k, []byte("content-length")):
			cl, _ = strconv.Atoi(string(v))
		case len(k) == 17 && bytes.EqualFold(k, []byte("transfer-encoding")):
			cl = -1
		case len(k) == 10 && bytes.EqualFold(k, []byte("connection")) && bytes.EqualFold(v, []byte("close")):
			closeIt = true
		case len(k) == 18 && bytes.EqualFold(k, []byte("x-fairway-attempts")):
			c.attempts, _ = strconv.Atoi(string(v))
		}
	}
}

func (c *client) do(req []byte) (int, []byte, error) {
	c.first, c.attempts = time.Time{}, 0
	if err := c.dial(); err != nil {
		return 0, nil, err
	}
	c.conn.SetDeadline(time.Now().Add(*within))
	if _, err := c.conn.Write(req); err != nil {
		c.drop()
		return 0, nil, err
	}
	st, cl, closeIt, err := c.head()
	if err != nil {
		c.drop()
		return 0, nil, err
	}
	c.buf = c.buf[:0]
	switch {
	case cl >= 0:
		if cap(c.buf) < cl {
			c.buf = make([]byte, cl)
		}
		c.buf = c.buf[:cl]
		_, err = io.ReadFull(c.br, c.buf)
	case cl == -1:
		for {
			var l []byte
			if l, err = c.br.ReadSlice('\n'); err != nil {
				break
			}
			n, e := strconv.ParseInt(string(bytes.TrimSpace(l)), 16, 64)
			if e != nil {
				err = e
				break
			}
			off := len(c.buf)
			c.buf = append(c.buf, make([]byte, n)...)
			if _, err = io.ReadFull(c.br, c.buf[off:]); err != nil {
				break
			}
			if c.first.IsZero() && bytes.IndexByte(c.buf[off:], '#') >= 0 {
				c.first = time.Now()
			}
			if n == 0 {
				err = trailers(c.br)
				break
			}
			if _, err = c.br.ReadSlice('\n'); err != nil {
				break
			}
		}
	default:
		c.buf, err = io.ReadAll(c.br)
		closeIt = true
	}
	if err != nil || closeIt {
		c.drop()
	}
	return st, c.buf, err
}

func plain(host string, reqs [][]byte) {
	start := time.Now().Add(50 * time.Millisecond)
	mark := start.Add(*warm)
	end := mark.Add(*dur)
	var ok, bad atomic.Int64
	var firstBad atomic.Pointer[string]
	var calls callLog
	var next atomic.Int64
	all := make([][]rec, *conc)
	jobs := make(chan time.Time, 1<<16)
	if *rate > 0 {
		go func() {
			runtime.LockOSThread()
			syscall.RawSyscall(syscall.SYS_PRCTL, 29, 1000, 0) // timer slack 1 µs
			gap := float64(time.Second) / *rate
			for i := 0; ; i++ {
				t := start.Add(time.Duration(float64(i) * gap))
				if t.After(end) {
					close(jobs)
					return
				}
				if d := time.Until(t); d > 0 {
					ts := syscall.NsecToTimespec(int64(d))
					syscall.Nanosleep(&ts, nil)
				}
				select {
				case jobs <- t:
				default:
				}
			}
		}()
	}
	var cpu0 cpuT
	var t0 time.Time
	var hb0, ho0 float64
	go func() { time.Sleep(time.Until(mark)); hb0, ho0 = hostOf(); cpu0 = cpuOf(); t0 = time.Now() }()
	if *then != "" {
		time.AfterFunc(time.Until(mark), func() { get(*then) })
	}
	var wg sync.WaitGroup
	for w := 0; w < *conc; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			c := &client{host: host}
			one := func(at time.Time) {
				if *logF != "" {
					c.dial() // a call is what is measured, not its connection
				}
				req := reqs[int(next.Add(1))%len(reqs)]
				s := time.Now()
				if at.IsZero() {
					at = s
				}
				st, bd, err := c.do(req)
				e := time.Now()
				good := err == nil && st == *expect && (*must == "" || bytes.Contains(bd, []byte(*must)))
				if *logF != "" && s.After(mark) && s.Before(end) {
					calls.add(c, s.Sub(mark), s, e, good)
				}
				if e.Before(mark) || e.After(end) {
					return
				}
				if !good {
					bad.Add(1)
					m := fmt.Sprintf("status %d err %v body %.300s", st, err, bd)
					firstBad.CompareAndSwap(nil, &m)
					return
				}
				ok.Add(1)
				all[w] = append(all[w], rec{int64(e.Sub(s)), int64(e.Sub(at))})
			}
			if *rate > 0 {
				for t := range jobs {
					one(t)
				}
				return
			}
			time.Sleep(time.Until(start))
			for time.Now().Before(end) {
				one(time.Time{})
			}
		}(w)
	}
	var cpu1 cpuT
	var t1 time.Time
	time.Sleep(time.Until(end))
	cpu1, t1 = cpuOf(), time.Now()
	hb1, ho1 := hostOf()
	mem := memOf()
	wg.Wait()
	var lat, sch []int64
	for _, a := range all {
		for _, r := range a {
			lat = append(lat, r.lat)
			sch = append(sch, r.sched)
		}
	}
	n := float64(ok.Load() + bad.Load())
	out := map[string]any{"name": *name, "mode": map[bool]string{true: "open", false: "closed"}[*rate > 0], "c": *conc, "rate": *rate,
		"rps": round(float64(ok.Load()) / t1.Sub(t0).Seconds()), "ok": ok.Load(), "bad": bad.Load(),
		"p50us": pct(lat, .5), "p90us": pct(lat, .9), "p99us": pct(lat, .99), "p999us": pct(lat, .999), "maxus": pct(lat, 1),
		"other_pct": round((hb1 - hb0 - ho1 + ho0) / t1.Sub(t0).Seconds() * 100), "sched_p50us": pct(sch, .5), "sched_p99us": pct(sch, .99), "sched_p999us": pct(sch, .999)}
	if *pids != "" {
		out["cpu_us_per_req"] = round((cpu1.sec - cpu0.sec) * 1e6 / n)
		out["cpu_pct"] = round((cpu1.sec - cpu0.sec) / t1.Sub(t0).Seconds() * 100)
		out["rss_mb"], out["pss_mb"] = mem.rss, mem.pss
	}
	if m := firstBad.Load(); m != nil {
		out["first_bad"] = *m
	}
	if *logF != "" {
		if err := os.WriteFile(*logF, calls.lines.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	json.NewEncoder(os.Stdout).Encode(out)
}

// callLog is a line for each call.
type callLog struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

// add writes, in microseconds, when a call began since measuring did, its time to first
// content and to its end, the attempts it took, and 1 if it was answered as expected.
func (l *callLog) add(c *client, at time.Duration, began, ended time.Time, good bool) {
	first := c.first
	if first.IsZero() {
		first = ended
	}
	was := 0
	if good {
		was = 1
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(&l.lines, at.Microseconds(), first.Sub(began).Microseconds(), ended.Sub(began).Microseconds(), c.attempts, was)
}

func get(u string) {
	answer, err := http.Get(u)
	if err != nil {
		log.Fatal(err)
	}
	answer.Body.Close()
}

func streams(host string, req []byte) {
	start := time.Now()
	mark := start.Add(*ramp + *warm)
	end := mark.Add(*dur)
	var done, bad, chunks, open atomic.Int64
	var firstBad atomic.Pointer[string]
	ttfb := make([][]int64, *conc)
	relay := make([][]int64, *conc)
	var wg sync.WaitGroup
	for w := 0; w < *conc; w++ {
		wg.Add(1)
		go func(w int) {
			defer wg.Done()
			time.Sleep(time.Duration(float64(*ramp) * float64(w) / float64(*conc)))
			c := &client{host: host}
			buf := make([]byte, 4096)
			for time.Now().Before(end) {
				if err := c.dial(); err != nil {
					bad.Add(1)
					m := err.Error()
					firstBad.CompareAndSwap(nil, &m)
					time.Sleep(100 * time.Millisecond)
					continue
				}
				c.conn.SetDeadline(end.Add(5 * time.Second))
				s := time.Now()
				_, err := c.conn.Write(req)
				var st, cl int
				var closeIt bool
				if err == nil {
					st, cl, closeIt, err = c.head()
				}
				if err != nil || st != *expect {
					bad.Add(1)
					bb, _ := c.br.Peek(c.br.Buffered())
					m := fmt.Sprintf("status %d err %v %.200s", st, err, bb)
					firstBad.CompareAndSwap(nil, &m)
					c.drop()
					time.Sleep(20 * time.Millisecond)
					continue
				}
				open.Add(1)
				first := true
				var carry []byte
				var rd io.Reader = c.br
				if cl == -1 {
					rd = &dechunk{br: c.br}
				}
				for {
					n, e := rd.Read(buf)
					if n > 0 {
						now := time.Now()
						in := now.After(mark) && now.Before(end)
						if first {
							first = false
							if in && s.After(mark) || s.Before(mark) {
								ttfb[w] = append(ttfb[w], int64(now.Sub(s)))
							}
						}
						carry = append(carry, buf[:n]...)
						for {
							i := bytes.IndexByte(carry, '#')
							if i < 0 {
								carry = carry[:0]
								break
							}
							j := bytes.IndexByte(carry[i+1:], '#')
							if j < 0 {
								carry = append(carry[:0], carry[i:]...)
								break
							}
							if j == 19 {
								if t, pe := strconv.ParseInt(string(carry[i+1:i+1+j]), 10, 64); pe == nil && in {
									chunks.Add(1)
									relay[w] = append(relay[w], now.UnixNano()-t)
								}
								carry = append(carry[:0], carry[i+j+2:]...)
							} else {
								carry = append(carry[:0], carry[i+1+j:]...)
							}
						}
					}
					if e != nil || time.Now().After(end) {
						if e != io.EOF {
							c.drop()
						}
						break
					}
				}
				open.Add(-1)
				if closeIt {
					c.drop()
				}
				done.Add(1)
			}
			c.drop()
		}(w)
	}
	time.Sleep(time.Until(mark))
	cpu0, t0 := cpuOf(), time.Now()
	hb0, ho0 := hostOf()
	c0 := chunks.Load()
	d0 := done.Load()
	var peak memT
	var sumOpen, samples int64
	for time.Now().Before(end.Add(-200 * time.Millisecond)) {
		time.Sleep(200 * time.Millisecond)
		if m := memOf(); m.rss > peak.rss {
			peak = m
		}
		sumOpen += open.Load()
		samples++
	}
	time.Sleep(time.Until(end))
	cpu1, t1 := cpuOf(), time.Now()
	hb1, ho1 := hostOf()
	c1, d1 := chunks.Load(), done.Load()
	wg.Wait()
	var tt, rl []int64
	for w := range ttfb {
		tt = append(tt, ttfb[w]...)
		rl = append(rl, relay[w]...)
	}
	out := map[string]any{"name": *name, "mode": "stream", "c": *conc, "open_avg": sumOpen / max(samples, 1), "streams_done": d1 - d0, "bad": bad.Load(), "other_pct": round((hb1 - hb0 - ho1 + ho0) / t1.Sub(t0).Seconds() * 100),
		"chunks_per_s": round(float64(c1-c0) / t1.Sub(t0).Seconds()), "ttfb_p50us": pct(tt, .5), "ttfb_p99us": pct(tt, .99), "ttfb_n": len(tt),
		"relay_p50us": pct(rl, .5), "relay_p99us": pct(rl, .99), "relay_p999us": pct(rl, .999)}
	if *pids != "" {
		out["cpu_us_per_chunk"] = round((cpu1.sec - cpu0.sec) * 1e6 / float64(max(c1-c0, 1)))
		out["cpu_pct"] = round((cpu1.sec - cpu0.sec) / t1.Sub(t0).Seconds() * 100)
		out["rss_mb"], out["pss_mb"] = peak.rss, peak.pss
	}
	if m := firstBad.Load(); m != nil {
		out["first_bad"] = *m
	}
	json.NewEncoder(os.Stdout).Encode(out)
}

type dechunk struct {
	br   *bufio.Reader
	left int64
	eof  bool
}

func (d *dechunk) Read(p []byte) (int, error) {
	if d.eof {
		return 0, io.EOF
	}
	if d.left == 0 {
		l, err := d.br.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(l)), 16, 64)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			d.eof = true
			if err := trailers(d.br); err != nil {
				return 0, err
			}
			return 0, io.EOF
		}
		d.left = n
	}
	if int64(len(p)) > d.left {
		p = p[:d.left]
	}
	n, err := d.br.Read(p)
	d.left -= int64(n)
	if d.left == 0 && err == nil {
		_, err = d.br.Discard(2)
	}
	return n, err
}

// trailers reads what is behind the last chunk.
func trailers(br *bufio.Reader) error {
	for {
		l, err := br.ReadSlice('\n')
		if err != nil || len(bytes.TrimRight(l, "\r\n")) == 0 {
			return err
		}
	}
}

type cpuT struct{ sec float64 }

func eachPid(f func(dir string)) {
	for _, p := range strings.Split(*pids, ",") {
		if p != "" {
			f(filepath.Join("/proc", p))
		}
	}
}

func cpuOf() (t cpuT) {
	eachPid(func(d string) {
		b, err := os.ReadFile(d + "/stat")
		if err != nil {
			log.Print("process gone: ", err)
			return
		}
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
		u, _ := strconv.ParseFloat(f[11], 64)
		s, _ := strconv.ParseFloat(f[12], 64)
		t.sec += (u + s) / 100
	})
	return
}

// hostOf returns the busy seconds of the whole machine, and of the processes
// that belong to the test (the ones in -pids, in BENCH_ALSO, and this one).
func hostOf() (busy, ours float64) {
	b, _ := os.ReadFile("/proc/stat")
	f := strings.Fields(strings.SplitN(string(b), "\n", 2)[0])
	for i := 1; i < len(f) && i <= 8; i++ {
		if i == 4 || i == 5 { // idle, iowait
			continue
		}
		v, _ := strconv.ParseFloat(f[i], 64)
		busy += v / 100
	}
	seen := map[string]bool{}
	for _, p := range append(strings.Split(*pids, ","), append(strings.Split(os.Getenv("BENCH_ALSO"), ","), strconv.Itoa(os.Getpid()))...) {
		if p == "" || seen[p] {
			continue
		}
		seen[p] = true
		if b, err := os.ReadFile("/proc/" + p + "/stat"); err == nil {
			f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+2:]))
			u, _ := strconv.ParseFloat(f[11], 64)
			s, _ := strconv.ParseFloat(f[12], 64)
			ours += (u + s) / 100
		}
	}
	return
}

type memT struct{ rss, pss float64 }

func memOf() (m memT) {
	eachPid(func(d string) {
		b, _ := os.ReadFile(d + "/smaps_rollup")
		for _, l := range strings.Split(string(b), "\n") {
			f := strings.Fields(l)
			if len(f) >= 2 {
				kb, _ := strconv.ParseFloat(f[1], 64)
				switch f[0] {
				case "Rss:":
					m.rss += kb / 1024
				case "Pss:":
					m.pss += kb / 1024
				}
			}
		}
	})
	m.rss, m.pss = round(m.rss), round(m.pss)
	return
}

func pct(a []int64, p float64) float64 {
	if len(a) == 0 {
		return -1
	}
	sort.Slice(a, func(i, j int) bool { return a[i] < a[j] })
	i := int(p * float64(len(a)))
	if i >= len(a) {
		i = len(a) - 1
	}
	return round(float64(a[i]) / 1000)
}

func round(x float64) float64 { return float64(int64(x*10+.5)) / 10 }
