package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// killable is fairway.yaml of a server that is killed: it comes back where it was, before
// regions that are real to it. Only the streams at a time are a limit that calls could
// reach, if what a killed server held of it stayed held: a block is as many as there are
// callers, so that a store which is slow to lease one refuses nobody.
const killable = `listen: %s
admin: {listen: "%s"}
log: {format: json}
model: bedrock
bedrock: {endpoint: "%s/{region}"}
ledger: {durability: %s}
hedge: {budget: 0.2}
breaker: {open_for: 50ms, max_open_for: 200ms}
leases: {block: 0.5}
budgets:
  - {name: everything, principals: ["*"], dollars_per_day: 1000000, dollars_per_month: 9000000, streams: %d}
  - {name: each-model, principals: ["*"], per: model, dollars_per_day: 1000000}
teams: [{name: cooks, principals: [chaos]}]
principals:
  - name: chaos
    access_keys: [{id: ` + accessKeyID + `, secret: "env:` + secretKey + `"}]
    bearer_keys: ["env:` + bearerKey + `"]
    policies: [{Statement: [{Effect: Allow, Action: "bedrock:*", Resource: "*"}]}]
`

// storeVariable has the store's URL in the server's environment.
const storeVariable = "CHAOS_STORE"

// runKilled is a server that is killed all the while, and the audit of what it kept.
func runKilled(ctx context.Context, o *options) (*audit, error) {
	regions, err := listenRegions(o.seed, 4*time.Millisecond, 250*time.Millisecond)
	if err != nil {
		return nil, err
	}
	defer regions.server.Close()
	s, err := killableServer(o, regions.url)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	defer func() { s.command.Process.Kill() }() // whichever is the last
	a := &audit{options: o, dir: s.dir, began: time.Now()}
	if err := s.isFresh(ctx); err != nil {
		return nil, err
	}
	c := &caller{server: s, seed: o.seed, pool: pool(o.seed), onCut: "continue"}
	c.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.callers, DisableCompression: true}}
	if err := a.learn(ctx, c); err != nil {
		return nil, err
	}
	if err := a.rage(ctx, c); err != nil {
		return nil, err
	}
	if err := a.close(ctx, s); err != nil {
		return nil, err
	}
	a.reached, a.nameless = regions.told()
	return a, a.settle()
}

// learn has the caller learn what is answered; these calls have records too.
func (a *audit) learn(ctx context.Context, c *caller) error {
	quiet, err := c.learn(ctx, a.options.callers)
	for _, q := range quiet {
		a.trials = append(a.trials, &trial{outcome: q, ended: time.Now()})
	}
	return err
}

// close lets the server end in peace, and reads the books out of one that starts anew.
func (a *audit) close(ctx context.Context, s *server) error {
	if err := s.stop(); err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	a.took = time.Since(a.began)
	var err error
	if a.books, err = s.read(ctx, a.began); err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return fmt.Errorf("stop server: %w", err)
	}
	return nil
}

// killableServer is a server with addresses that stay.
func killableServer(o *options, regions string) (*server, error) {
	var addresses [2]string
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // once both are known to differ
		addresses[i] = l.Addr().String()
	}
	settings := fmt.Sprintf(killable, addresses[0], addresses[1], regions, o.durability, 2*o.callers)
	more := []string{
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=chaos", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
	if o.store != "" {
		settings += "store: env:" + storeVariable + "\n"
		more = append(more, storeVariable+"="+o.store)
	}
	return newServer(o.fairway, settings, more...)
}

// trial is a call that a kill may have struck.
type trial struct {
	*outcome
	ended  time.Time
	struck error // what became of a call whose server was killed before its end
}

// killedMenu are the kinds of calls that a killed server is given.
var killedMenu = []kind{
	{10, "InvokeModel, Claude", invokeClaude, claude, plain, false, nil, false},
	{10, "Converse, Nova", converseDoor, nova, plain, false, nil, false},
	{10, "Messages, Claude", messagesDoor, claude, plain, false, nil, false},
	{10, "chat completion, Nova", chatDoor, nova, plain, false, nil, false},
	{15, "InvokeModelWithResponseStream, Claude", invokeClaude, claude, plain, true, nil, false},
	{10, "InvokeModelWithResponseStream, Nova", invokeNova, nova, plain, true, nil, false},
	{10, "ConverseStream, Claude", converseDoor, claude, plain, true, nil, false},
	{10, "Messages stream, Claude", messagesDoor, claude, plain, true, nil, false},
	{10, "chat stream, Nova", chatDoor, nova, plain, true, nil, false},
	{5, "ConverseStream, left", converseDoor, claude, plain, true, nil, true},
}

// rage makes the calls while the server is killed. At its end the server runs.
func (a *audit) rage(ctx context.Context, c *caller) error {
	r := &reaper{
		server: c.server, every: a.options.kill, rand: rand.New(rand.NewPCG(c.seed, 1<<60)),
		forget: c.client.CloseIdleConnections, ready: make(chan struct{}),
	}
	r.open()
	raging, calm := context.WithCancel(ctx)
	defer calm()
	over := make(chan error, 1)
	go func() {
		err := r.rage(raging, ctx)
		calm() // without a server nobody is to wait for it
		over <- err
	}()
	trials := make([]*trial, a.options.calls)
	var next atomic.Uint64
	var callers sync.WaitGroup
	for range a.options.callers {
		callers.Go(func() {
			for n := next.Add(1) - 1; n < a.options.calls; n = next.Add(1) - 1 {
				if trials[n] = r.try(raging, c, n); trials[n] == nil {
					return
				}
			}
		})
	}
	callers.Wait()
	calm()
	if err := errors.Join(<-over, ctx.Err()); err != nil {
		return err
	}
	if len(r.kills) == 0 {
		return errors.New("all calls were made before the first kill: ask for more of them")
	}
	a.trials, a.kills, a.early = append(a.trials, trials...), r.kills, r.early
	return nil
}
