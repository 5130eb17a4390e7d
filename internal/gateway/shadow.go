package gateway

import (
	"cmp"
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"fairway/internal/inference"
	"fairway/internal/route"
	"fairway/internal/wire/uuid"
)

// Shadows are the repeats of calls that are under way: calls that are sent to a second
// target for comparison, from which nobody is answered. They outlive the Gateway that
// began them, which a reload replaces.
type Shadows struct {
	ctx     context.Context // of all of them
	stop    context.CancelFunc
	running sync.WaitGroup
	skipped atomic.Int64

	mu    sync.Mutex
	count int // under way
}

// A shadow holds the body of its call, and its target's time.
const (
	maxShadows    = 16 // at once
	shadowTimeout = 5 * time.Minute
)

// NewShadows has none under way. The caller closes it.
func NewShadows() *Shadows {
	ctx, stop := context.WithCancel(context.Background())
	return &Shadows{ctx: ctx, stop: stop}
}

// Close ends those under way and waits for that. None begins from then on.
func (s *Shadows) Close() {
	s.mu.Lock()
	s.stop()
	s.mu.Unlock()
	s.running.Wait()
}

// Skipped is how many were not begun, since too many were under way.
func (s *Shadows) Skipped() int64 { return s.skipped.Load() }

// begin runs f in a goroutine of its own, with the values of ctx and its own time. It
// reports false where there is no room for another.
func (s *Shadows) begin(ctx context.Context, f func(context.Context)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return false
	case s.count == maxShadows:
		s.skipped.Add(1)
		return false
	}
	s.count++
	s.running.Go(func() {
		defer s.end()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shadowTimeout)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		f(ctx)
	})
	return true
}

func (s *Shadows) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count--
}

// isShadowed reports whether a call is one of the share that is repeated: its id
// decides, so that every server decides alike.
func (g *Gateway) isShadowed(c *call) bool {
	share := c.routing.Route.Shadow.Share
	if share <= 0 || g.Shadows == nil || c.request.Operation == inference.CountTokens {
		return false
	}
	return float64(fnv("shadow", c.request.ID)>>11)/(1<<53) < share
}

// shadow repeats a call whose answer has begun, beside it. The answer is read as what
// it returns from then on.
func (g *Gateway) shadow(ctx context.Context, c *call, answer inference.Stream) inference.Stream {
	shown := make(chan sight, 1)
	if !g.Shadows.begin(ctx, func(ctx context.Context) { g.repeat(ctx, c, shown) }) {
		return answer
	}
	return g.watch(c, answer, shown)
}

// repeat makes the call of again, as its route's shadow has it, and logs how that
// differs from what the caller was shown, once both have ended.
func (g *Gateway) repeat(ctx context.Context, of *call, shown <-chan sight) {
	defer func() {
		if cause := recover(); cause != nil {
			g.Log.LogAttrs(ctx, slog.LevelError, "shadow panicked", slog.String("request_id", of.request.ID),
				slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
		}
	}()
	req := *of.request
	req.ID, req.Model = uuid.New(), cmp.Or(of.routing.Route.Shadow.Model, req.Model)
	req.Steering, req.Deadline = inference.Steering{OnCut: inference.FailOnCut}, time.Time{}
	if _, err := g.standIn(ctx, of, req.Model); err != nil {
		g.leaveOut(ctx, of.request, "shadow left out", req.Model, err)
		return
	}
	c := &call{request: &req, record: g.open(&req), repeats: of}
	c.record.ShadowOf = of.request.ID
	seen := g.look(ctx, c)
	select {
	case first := <-shown:
		g.contrast(ctx, first, seen)
	case <-ctx.Done():
	}
}

// look makes a call and reads its answer to the end.
func (g *Gateway) look(ctx context.Context, c *call) sight {
	answer, err := g.run(ctx, c)
	if err != nil {
		return sight{record: c.record}
	}
	shown := make(chan sight, 1)
	stream := g.watch(c, answer, shown)
	for err == nil {
		_, err = stream.Next(ctx)
	}
	stream.Close()
	return <-shown
}

// aside keeps of a plan the one target that a shadow is sent to: the best, in the region
// that its route names, that is not the caller's own. The error is AccessDenied.
func (c *call) aside(plan []route.Choice) ([]route.Choice, error) {
	region, answers := c.repeats.routing.Route.Shadow.Region, &c.repeats.answer.Target
	for i, choice := range plan {
		t := choice.Target
		same := t.Region == answers.Region && t.Model == answers.Model && t.Account == answers.Account
		if !same && (region == "" || t.Region == region) {
			return plan[i : i+1], nil
		}
	}
	return nil, &inference.Error{
		Kind: inference.AccessDenied, Op: "plan", Region: region,
		Message: "invoke model: the call may run in no target that its shadow could be sent to: allow the shadow's region",
	}
}
