package server

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/inference"
)

// cable joins servers and a database until it is cut.
type cable struct {
	listener net.Listener
	socket   string // Unix, of the database

	mu    sync.Mutex
	isCut bool
	ends  map[net.Conn]bool
	all   sync.WaitGroup
}

func newCable(t *testing.T, socket string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, socket: socket, ends: map[net.Conn]bool{}}
	c.all.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.cut()
		c.all.Wait()
	})
	return c
}

func (c *cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.all.Go(func() { c.join(near) })
	}
}

// join carries what both ends say until one of them hangs up.
func (c *cable) join(near net.Conn) {
	far, err := net.Dial("unix", c.socket)
	if err != nil || !c.plug(near, far) {
		near.Close()
		if far != nil {
			far.Close()
		}
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			near.Close()
			far.Close()
		})
	}
	both.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ends, near)
	delete(c.ends, far)
}

func (c *cable) plug(ends ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range ends {
		if !c.isCut {
			c.ends[end] = true
		}
	}
	return !c.isCut
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	for end := range c.ends {
		end.Close()
	}
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = false
}

// sameMinute is a clock that does not come to another minute soon.
func sameMinute() func() time.Time {
	began, at := time.Now(), time.Now().UTC().Truncate(time.Hour)
	return func() time.Time { return at.Add(time.Since(began)) }
}

// threeServers are over one PostgreSQL.
func threeServers(t *testing.T, now func() time.Time, text string) ([]*Server, *cable) {
	t.Helper()
	dsn := startPostgres(t)
	_, folder, _ := strings.Cut(dsn, "host=")
	c := newCable(t, filepath.Join(folder, ".s.PGSQL.5432"))
	dsn = "postgres://fairway@" + c.listener.Addr().String() + "/postgres?sslmode=disable"
	servers := make([]*Server, 3)
	for i := range servers {
		servers[i], _ = opened(t, "store: env:STORE\nmaster_key: env:MASTER\n"+text+caller, func(o *Options) {
			o.State, o.Now, o.Env = t.TempDir(), now, func(name string) (string, bool) {
				if name == "STORE" {
					return dsn, true
				}
				return environment(name)
			}
		})
	}
	t.Cleanup(c.mend) // so that the servers can give back
	return servers, c
}

// invoke makes a call, and says what it cost.
func invoke(t *testing.T, s *Server) (status int, cost inference.Money) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, s.baseURL+"/region/"+string(entry)+"/model/"+profile+"/invoke", strings.NewReader(prompt)).WithContext(t.Context())
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Fairway-Cost", "1")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code == http.StatusOK {
		dollars, err := strconv.ParseFloat(w.Header().Get("X-Fairway-Cost-Usd"), 64)
		if err != nil {
			t.Errorf("cost of a call: %v", err)
		}
		cost = inference.Money(math.Round(dollars * float64(inference.Dollar)))
	}
	return w.Code, cost
}

// spend lets callers of each server call until they are refused.
func spend(t *testing.T, servers []*Server, callers int) (calls int, cost inference.Money) {
	t.Helper()
	var n, spent atomic.Int64
	var all sync.WaitGroup
	for _, s := range servers {
		for range callers {
			all.Go(func() {
				for {
					status, cost := invoke(t, s)
					if status != http.StatusOK {
						return
					}
					n.Add(1)
					spent.Add(int64(cost))
				}
			})
		}
	}
	all.Wait()
	return int(n.Load()), inference.Money(spent.Load())
}

const instantly = "simulate: {speed: instant}\n"

// TestServersShareRequests: three servers together admit exactly as many as the limit.
func TestServersShareRequests(t *testing.T) {
	servers, _ := threeServers(t, sameMinute(), instantly+`budgets: [{name: all, principals: ["*"], requests_per_minute: 200}]`+"\n")
	if calls, _ := spend(t, servers, 32); calls != 200 {
		t.Errorf("3 servers with 32 callers each made %d calls, want 200", calls)
	}
}

// TestServersShareDollars: three servers together never spend more than the limit, and
// refuse nothing while there is a call's worth of it on one of them.
func TestServersShareDollars(t *testing.T) {
	const limit = inference.Dollar
	servers, _ := threeServers(t, sameMinute(), instantly+`budgets: [{name: all, principals: ["*"], dollars_per_day: 1}]`+"\n")
	calls, cost := spend(t, servers, 32)
	t.Logf("%d calls spent %s of %s", calls, cost, limit)
	if cost > limit || cost < limit/2 {
		t.Errorf("3 servers with 32 callers each spent %s, want most of %s and no more", cost, limit)
	}
}

// TestServersAwayFromStore: each server that is cut off spends one block more where that
// is configured, and else what it had leased.
func TestServersAwayFromStore(t *testing.T) {
	const limit, block = 200, 10
	for away, most := range map[string]int{"allow": limit + 3*block, "refuse": limit} {
		t.Run(away, func(t *testing.T) {
			servers, cable := threeServers(t, sameMinute(), instantly+"leases: {away: "+away+"}\n"+
				fmt.Sprintf(`budgets: [{name: all, principals: ["*"], requests_per_minute: %d}]`, limit)+"\n")
			for _, s := range servers {
				if status, _ := invoke(t, s); status != http.StatusOK {
					t.Fatalf("a first call = %d, want 200", status)
				}
			}
			cable.cut()
			calls, _ := spend(t, servers, 32)
			leased := 3 * block // at least
			t.Logf("%d calls", 3+calls)
			if 3+calls > most || 3+calls < leased {
				t.Errorf("3 servers of which each holds a block made %d calls, want %d to %d", 3+calls, leased, most)
			}
			if away == "refuse" && 3+calls > 2*leased {
				t.Errorf("3 servers that are to spend what they hold made %d calls, want %d at most", 3+calls, 2*leased)
			}
		})
	}
}

// regionCalls counts the model calls that come to a region.
type regionCalls struct {
	http.Handler
	path string
	n    atomic.Int64
}

func (c *regionCalls) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, c.path) && r.Method == http.MethodPost {
		c.n.Add(1)
	}
	c.Handler.ServeHTTP(w, r)
}

// share is how many parts a server may take of the quota of its targets, all together.
func share(s *Server) (parts int) {
	for _, u := range s.app.Load().router.Quotas() {
		parts += u.Share
	}
	return parts
}

// TestServersShareQuotas: three servers stay within the quota of a region, but for a block
// each, and the one with calls comes to have most of it.
func TestServersShareQuotas(t *testing.T) {
	const limit, block = 600, 30
	far, _ := opened(t, "simulate: {speed: instant, hidden_routing: true}\n"+caller)
	region := &regionCalls{Handler: far, path: "/region/" + string(entry) + "/"}
	listener := httptest.NewServer(region)
	t.Cleanup(listener.Close)
	asApp(t)
	servers, _ := threeServers(t, time.Now, "model: bedrock\nbedrock:\n  endpoint: "+listener.URL+"/region/{region}\n  control_endpoint: "+listener.URL+"/region/{region}\n"+
		fmt.Sprintf("order: [%s]\nquotas: [{regions: [%s], requests_per_minute: %d}]\n", entry, entry, limit))

	began := time.Now()
	callUntil := func(servers []*Server, enough func() bool) {
		var all sync.WaitGroup
		for _, s := range servers {
			for range 4 {
				all.Go(func() {
					for !enough() && !t.Failed() {
						if status, _ := invoke(t, s); status != http.StatusOK {
							t.Errorf("a call = %d, want 200: other regions have room", status)
						}
					}
				})
			}
		}
		all.Wait()
	}
	within := func(when string) {
		t.Helper()
		most := 3*block + 3 + int(math.Ceil(limit*(1+3*.05)*time.Since(began).Minutes()))
		n := int(region.n.Load())
		t.Logf("%s: %d calls in %v, at most %d", when, n, time.Since(began), most)
		if n > most {
			t.Errorf("%s: %d calls came to the region in %v, want at most %d", when, n, time.Since(began), most)
		}
	}
	late := began.Add(30 * time.Second)
	isLate := func() bool { return time.Now().After(late) }
	callUntil(servers, func() bool {
		return isLate() || share(servers[0])+share(servers[1])+share(servers[2]) > 900
	})
	within("all servers")
	callUntil(servers[2:], func() bool { return isLate() || share(servers[2]) >= 700 })
	within("one server")
	if got := share(servers[2]); got < 700 {
		t.Errorf("share of the only server with calls = %d, want 700 or more", got)
	}
	if n := region.n.Load(); n < 2*block {
		t.Errorf("%d calls came to the region, want it to be used", n)
	}
}
