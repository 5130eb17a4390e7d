package gateway

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fairway/internal/catalog"
	"fairway/internal/inference"
	"fairway/internal/meter"
	"fairway/internal/policy"
	"fairway/internal/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	model   = "anthropic.claude-sonnet-4-20250514-v1:0"
	profile = "apac." + model
	account = "123456789012"
	source  = inference.Region("ap-southeast-1")
)

// destinations are the profile's from source, in catalog order.
var destinations = []inference.Region{
	"ap-southeast-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-2", "ap-southeast-4",
}

// behaviour is how a region answers a call.
type behaviour func(ctx context.Context) (inference.Stream, error)

// regions is an upstream of scripted regions; one that is not in it is well.
type regions map[inference.Region]behaviour

func (r regions) Invoke(ctx context.Context, t inference.Target, _ *inference.Request) (inference.Stream, error) {
	if b, ok := r[t.Region]; ok {
		return b(ctx)
	}
	return sends(whole)(ctx)
}

// script is a stream of prepared events; err, or io.EOF, follows the last one.
type script struct {
	events []inference.Event
	err    error
}

func (s *script) Next(ctx context.Context) (inference.Event, error) {
	if err := ctx.Err(); err != nil {
		return inference.Event{}, err
	}
	if len(s.events) == 0 {
		if s.err != nil {
			return inference.Event{}, s.err
		}
		return inference.Event{}, io.EOF
	}
	e := s.events[0]
	s.events = s.events[1:]
	return e, nil
}

func (s *script) Close() error { return nil }

var (
	spent = inference.Usage{InputTokens: 1000, OutputTokens: 200}
	some  = inference.Usage{InputTokens: 1000, OutputTokens: 7}

	whole   = inference.Event{Raw: []byte(`{}`), Content: true, Final: true, Usage: &spent}
	begun   = inference.Event{Raw: []byte("begin"), Usage: &inference.Usage{InputTokens: 1000}}
	content = inference.Event{Raw: []byte("content"), Content: true, Usage: &some}
	ended   = inference.Event{Raw: []byte("end"), Final: true, Usage: &spent}
)

func sends(events ...inference.Event) behaviour {
	return func(context.Context) (inference.Stream, error) { return &script{events: events}, nil }
}

func breaks(err error, events ...inference.Event) behaviour {
	return func(context.Context) (inference.Stream, error) { return &script{events: events, err: err}, nil }
}

func fails(e inference.Error) behaviour {
	return func(context.Context) (inference.Stream, error) { return nil, &e }
}

func hangs(ctx context.Context) (inference.Stream, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

var (
	refused   = fails(inference.Error{Kind: inference.ServiceUnavailable, Transport: true})
	throttled = fails(inference.Error{Kind: inference.Throttling, Message: "Too many tokens, please wait before trying again."})
	missing   = fails(inference.Error{Kind: inference.ResourceNotFound, Message: "no such model here"})
	forbidden = fails(inference.Error{Kind: inference.AccessDenied, Message: "You don't have access to the model with the specified model ID."})
	broken    = fails(inference.Error{Kind: inference.InternalServer, Message: "internal"})
	cut       = sends(begun)
)

// line is a gateway of real stages over scripted regions, with what it wrote.
type line struct {
	*Gateway
	kept kept
	log  lines
}

// allow is a statement of the principal "caller".
func allow(resources ...string) policy.Statement {
	return policy.Statement{Effect: "Allow", Actions: []string{"bedrock:InvokeModel"}, Resources: resources, At: "policy:1"}
}

func modelARNs(in ...inference.Region) []string {
	arns := []string{string(inference.ProfileARN(source, account, profile))}
	for _, r := range in {
		arns = append(arns, string(inference.ModelARN(r, model)))
	}
	return arns
}

var everything = allow("*")

func newLine(tb testing.TB, upstream route.Upstream, clock func() time.Time, statements ...policy.Statement) *line {
	tb.Helper()
	engine, err := policy.New(policy.Options{Account: account}, policy.Principal{
		Principal:  inference.Principal{Name: "caller", ARN: "arn:aws:iam::123456789012:user/caller"},
		Statements: statements,
	})
	if err != nil {
		tb.Fatal(err)
	}
	l := &line{}
	known := catalog.New(catalog.Options{Account: account})
	l.Gateway = &Gateway{
		Catalog: known,
		Policy:  engine,
		Router:  route.New(route.Config{Upstream: upstream, Simulated: true}),
		Meter:   meter.New(meter.Config{Pricer: prices{known}, Sinks: []meter.Sink{&l.kept}, Now: clock}),
		Clock:   clock,
		Log:     slog.New(&l.log),
	}
	return l
}

// prices are the catalog's.
type prices struct{ *catalog.Catalog }

func (p prices) Cost(named string, u inference.Usage, _ time.Time) (inference.Money, bool) {
	price, ok := p.Price(named, time.Time{})
	return price.Cost(u), ok
}

// kept remembers settled records, as they were when they were settled.
type kept struct {
	mu      sync.Mutex
	records []inference.Record
}

func (k *kept) Put(_ context.Context, r *inference.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.records = append(k.records, *r)
	return nil
}

// lines remembers what was logged: each message with its attributes.
type lines struct {
	mu  sync.Mutex
	all []map[string]string
}

func (*lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l *lines) WithGroup(string) slog.Handler          { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	logged := map[string]string{"message": r.Message, "level": r.Level.String()}
	r.Attrs(func(a slog.Attr) bool { logged[a.Key] = a.Value.Resolve().String(); return true })
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, logged)
	return nil
}

// ticking is a clock that shows noon first; each look at it takes a second.
func ticking() func() time.Time {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	looks := -1
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		looks++
		return noon.Add(time.Duration(looks) * time.Second)
	}
}

func request(id string) *inference.Request {
	return &inference.Request{
		ID: id, Operation: inference.InvokeModel, Model: profile, SourceRegion: source,
		Principal: inference.Principal{Name: "caller"}, Caller: inference.Caller{ID: "sub", Name: "ada"},
		Body: []byte(`{}`),
	}
}

// read reads a stream to its end and closes it; the error is what ended it early.
func read(ctx context.Context, s inference.Stream) error {
	defer s.Close()
	for {
		if _, err := s.Next(ctx); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
