// Package sim is the simulated regions: in-process Bedrock regions with
// realistic latency, quotas and faults around a text source. No model runs, and
// every reply of the default source says so in its first line.
//
// A call reads top to bottom in stream.begin: travel to the region, meet its
// fault, have the body checked as Bedrock checks it, take tokens from the quota,
// let the source write, travel back with the first token. The rest is spoken
// piece by piece while the stream is read. Whatever the operation and the dialect
// of the body, between the check and the frames there is one conversation and one
// reply.
package sim

import (
	"context"
	"math"
	"sync"
	"time"

	"fairway/internal/atlas"
	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Instant is the speed that never waits. Nothing else about a call changes: a
// hanging region still hangs and a reply still has its pieces.
const Instant = math.MaxFloat64

// Config is what the regions are made of. Models and Tokens are required.
type Config struct {
	Models func(inference.ModelID) (inference.Model, bool)
	Tokens func(inference.ModelID) Tokenizer

	Text  TextSource // nil is Written
	Speed float64    // 1, and 0, is real time, 10 ten times faster
	Seed  uint64     // of the jitter and of ids
	Quota Quota

	// Profiles lets a target name an inference profile, as at AWS's own endpoint:
	// it gives the profile's model and where that may run when it is called in
	// source. The region then picks a destination itself and no answer says which.
	// nil leaves every target to name a model.
	Profiles func(named string, source inference.Region) (model inference.ModelID, destinations []inference.Region, ok bool)

	Now   func() time.Time                           // nil is time.Now
	Sleep func(context.Context, time.Duration) error // nil is a timer; gives ctx.Err() when ctx ends first
}

// Tokenizer counts as a model's tokenizer does.
type Tokenizer interface {
	Text(s string) int
	Cut(s string, n int) int // bytes of the longest prefix with at most n tokens
	Conversation(c *dialect.Conversation) int
}

// World is all simulated regions. A region exists from its first call or fault
// on; there is no list of those that may. Safe for concurrent use.
//
// Everything random about a call (jitter, ids) follows from the seed, the region
// and how many calls the region had before: the same calls in the same order get
// the same answers to the byte and the same latency.
type World struct {
	config Config
	atlas  *atlas.Atlas

	mu      sync.Mutex
	regions map[inference.Region]*region
}

// New makes a world in which every region is up.
func New(c Config) *World {
	if c.Text == nil {
		c.Text = Written{}
	}
	if c.Speed <= 0 {
		c.Speed = 1
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	return &World{config: c, atlas: atlas.Load(), regions: map[inference.Region]*region{}}
}

// Invoke runs the request's operation on t.Model, a foundation model's id or what
// Config.Profiles knows, in t.Region. It returns with the first token: exactly one
// of Stream and error is non-nil. The stream shows life at once and, for as long
// as there is nothing else to give, every few seconds; the region is at work until
// it has ended or is closed. Errors, also the stream's, are *inference.Error with
// the region set, of the kinds and with the texts that Bedrock answers with;
// refused, dropped and timed-out calls are ServiceUnavailable with Transport set,
// a caller that went away is Canceled.
func (w *World) Invoke(ctx context.Context, t inference.Target, r *inference.Request) (answer inference.Stream, err error) {
	s := &stream{world: w, visit: w.region(t.Region).enter(ctx, w.config.Seed)}
	defer func() {
		if answer == nil {
			s.leave()
		}
	}()
	if err := s.begin(t, r); err != nil {
		return nil, s.visit.failure(err)
	}
	return s, nil
}

// wait lets d of simulated time pass. It fails when the call ends first.
func (w *World) wait(v *visit, d time.Duration) error {
	if d = w.scale(d); d <= 0 {
		return v.ctx.Err()
	}
	return w.config.Sleep(v.ctx, d)
}

// scale is what simulated time takes in real time.
func (w *World) scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / w.config.Speed)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
