package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"fairway/internal/inference"
	"fairway/internal/meter"
)

// noTimes leaves out of a record what depends on the wall clock.
var noTimes = cmp.Options{
	cmpopts.IgnoreFields(inference.Attempt{}, "MS", "Cost"), // whose shares are the meter's
	cmpopts.IgnoreFields(inference.Record{}, "Time", "LatencyMS"),
}

var (
	named = profile
	noon  = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
)

func attempt(region inference.Region, kind inference.Kind, status int) inference.Attempt {
	a := inference.Attempt{Region: region, Model: model, Outcome: inference.OK, Kind: kind, Status: status}
	if kind != "" {
		a.Outcome = inference.Failed
	}
	return a
}

// broke is the row of an attempt whose answer broke off.
func broke(region inference.Region, kind inference.Kind, status int) inference.Attempt {
	a := attempt(region, kind, status)
	a.Cut = true
	return a
}

// record is what a call's record has in common with all others; change makes the
// rest.
func record(change func(*inference.Record)) inference.Record {
	r := inference.Record{
		ID: "id", Operation: inference.InvokeModel, Principal: "caller", Caller: "ada", UserID: "sub",
		Profile: &named, Model: model, SourceRegion: source,
		Attempts: []inference.Attempt{}, Outcome: inference.OK,
	}
	change(&r)
	if r.AWS != nil && r.Policy == "" { // it was planned
		r.Policy = inference.Adaptive
	}
	return r
}

func failure(r *inference.Record, status int, kind inference.Kind, message string) {
	r.Outcome = inference.Failed
	r.Error = &inference.Failure{Status: status, Type: kind, Message: message}
}

const (
	unavailable = "Bedrock is unable to process your request."
	away        = "the caller went away before the answer ended"
)

// TestInvoke makes one call each and compares the record with what became of it.
func TestInvoke(t *testing.T) {
	allowed := &inference.Verdict{Allowed: true}
	everywhere := regions{}
	for _, r := range destinations {
		everywhere[r] = refused
	}
	throttledOnce := regions{"ap-southeast-1": throttled}
	for _, r := range destinations[1:] {
		throttledOnce[r] = missing
	}
	for _, c := range []struct {
		name    string
		regions regions
		allow   []string // resources; nil is everything
		model   string   // default the profile
		use     func(context.Context, inference.Stream) error
		want    func(*inference.Record)
	}{
		{name: "success", want: func(r *inference.Record) {
			r.DestinationRegion, r.Attempts = source, []inference.Attempt{attempt(source, "", 200)}
			r.Usage, r.Cost, r.AWS, r.Simulated = spent, 6_000_000, allowed, true
		}},
		{name: "a bare model", model: "amazon.nova-micro-v1:0", allow: []string{"arn:aws:bedrock:ap-southeast-2::foundation-model/*"}, want: func(r *inference.Record) {
			r.Profile, r.Model, r.SourceRegion, r.DestinationRegion = nil, "amazon.nova-micro-v1:0", "ap-southeast-2", "ap-southeast-2"
			r.Policy = inference.Ordered
			r.Attempts = []inference.Attempt{{Region: "ap-southeast-2", Model: "amazon.nova-micro-v1:0", Outcome: inference.OK, Status: 200}}
			r.Usage, r.Cost, r.AWS, r.Simulated = spent, 63_000, allowed, true
		}},
		{name: "the second region", regions: regions{source: refused}, want: func(r *inference.Record) {
			r.DestinationRegion = destinations[1]
			r.Attempts = []inference.Attempt{attempt(source, inference.ServiceUnavailable, 0), attempt(destinations[1], "", 200)}
			r.Usage, r.Cost, r.AWS, r.Simulated = spent, 6_000_000, allowed, true
		}},
		{name: "a stream", regions: regions{source: sends(begun, content, ended)}, want: func(r *inference.Record) {
			r.DestinationRegion, r.Attempts = source, []inference.Attempt{attempt(source, "", 200)}
			r.Usage, r.Cost, r.AWS, r.Simulated = spent, 6_000_000, allowed, true
		}},
		{name: "narrowed", allow: modelARNs("ap-southeast-1", "ap-northeast-1"), want: func(r *inference.Record) {
			r.DestinationRegion, r.Attempts = source, []inference.Attempt{attempt(source, "", 200)}
			r.Usage, r.Cost, r.Simulated, r.Policy = spent, 6_000_000, true, inference.Ordered
			r.AWS = &inference.Verdict{Resource: inference.ModelARN("ap-northeast-2", model)}
		}},
		{name: "no such model", model: "no.such-model", want: func(r *inference.Record) {
			r.Profile, r.Model = nil, "no.such-model"
			failure(r, 400, inference.Validation, "The provided model identifier is invalid.")
		}},
		{name: "denied", allow: modelARNs(), want: func(r *inference.Record) {
			failure(r, 403, inference.AccessDenied, "User: arn:aws:iam::123456789012:user/caller is not authorized to perform: bedrock:InvokeModel on resource: "+
				string(inference.ModelARN(source, model))+" because no identity-based policy allows the bedrock:InvokeModel action")
		}},
		{name: "all attempts failed", regions: everywhere, want: func(r *inference.Record) {
			for _, region := range destinations {
				r.Attempts = append(r.Attempts, attempt(region, inference.ServiceUnavailable, 0))
			}
			r.AWS, r.Simulated = allowed, true
			failure(r, 503, inference.ServiceUnavailable, unavailable)
		}},
		{name: "the failure that waiting may cure is answered", regions: throttledOnce, want: func(r *inference.Record) {
			r.Attempts = append(r.Attempts, attempt(source, inference.Throttling, 429))
			for _, region := range destinations[1:] {
				r.Attempts = append(r.Attempts, attempt(region, inference.ResourceNotFound, 404))
			}
			r.AWS, r.Simulated = allowed, true
			failure(r, 429, inference.Throttling, "Too many tokens, please wait before trying again.")
		}},
		{name: "cut after content", regions: regions{source: sends(begun, content)}, want: func(r *inference.Record) {
			r.DestinationRegion, r.Attempts = source, []inference.Attempt{broke(source, inference.ServiceUnavailable, 0)}
			r.Usage, r.Cost, r.AWS, r.Simulated = some, 3_105_000, allowed, true
			failure(r, 503, inference.ServiceUnavailable, unavailable)
		}},
		{
			name: "an error after content", want: func(r *inference.Record) {
				r.DestinationRegion, r.Attempts = source, []inference.Attempt{broke(source, inference.ModelStreamError, 424)}
				r.Usage, r.Cost, r.AWS, r.Simulated = some, 3_105_000, allowed, true
				failure(r, 424, inference.ModelStreamError, "The model stopped.")
			},
			regions: regions{source: breaks(&inference.Error{Kind: inference.ModelStreamError, Message: "The model stopped."}, begun, content)},
		},
		{
			name: "closed early", regions: regions{source: sends(begun, content, ended)},
			use: func(ctx context.Context, s inference.Stream) error {
				for range 2 {
					if _, err := s.Next(ctx); err != nil {
						return err
					}
				}
				return s.Close()
			},
			want: func(r *inference.Record) {
				r.DestinationRegion, r.Attempts = source, []inference.Attempt{attempt(source, "", 200)}
				r.Usage, r.Cost, r.AWS, r.Simulated = some, 3_105_000, allowed, true
				failure(r, 499, inference.Canceled, away)
			},
		},
		{
			name: "closed unread",
			use:  func(_ context.Context, s inference.Stream) error { return s.Close() },
			want: func(r *inference.Record) {
				r.DestinationRegion, r.Attempts = source, []inference.Attempt{attempt(source, "", 200)}
				r.AWS, r.Simulated = allowed, true
				r.Usage, r.Estimated, r.Cost, r.Attempts[0].Cost = spent, true, 6_000_000, 6_000_000
				failure(r, 499, inference.Canceled, away)
			},
		},
		{name: "a panic", regions: regions{source: func(context.Context) (inference.Stream, error) { panic("boom") }}, want: func(r *inference.Record) {
			r.AWS, r.Simulated = allowed, true
			failure(r, 500, inference.InternalServer, "The system encountered an unexpected error during processing. Try your request again.")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			statement := everything
			if c.allow != nil {
				statement = allow(c.allow...)
			}
			want := record(c.want)
			l := newLine(t, c.regions, func() time.Time { return noon }, statement)
			req := request("id")
			req.SourceRegion = want.SourceRegion
			if c.model != "" {
				req.Model = c.model
			}
			stream, got, err := l.Invoke(t.Context(), req)
			if (stream == nil) == (err == nil) {
				t.Fatalf("Invoke = %v, %v, want exactly one", stream, err)
			}
			if stream != nil {
				if len(l.kept.records) != 0 {
					t.Errorf("a record was settled before the stream was closed")
				}
				if c.use == nil {
					c.use = read
				}
				err = c.use(t.Context(), stream)
				if err := stream.Close(); err != nil {
					t.Errorf("Close again = %v", err)
				}
			}
			checkError(t, err, want.Error)
			if diff := cmp.Diff(&want, got, noTimes); diff != "" {
				t.Errorf("record differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]inference.Record{*got}, l.kept.records); diff != "" {
				t.Errorf("settled other than once, or changed since (-want +got):\n%s", diff)
			}
		})
	}
}

// checkError checks that the caller was told what the record says. A caller that
// closes early is told nothing.
func checkError(t *testing.T, err error, want *inference.Failure) {
	t.Helper()
	if want == nil || want.Type == inference.Canceled {
		if err != nil {
			t.Errorf("error = %v, want none", err)
		}
		return
	}
	e, ok := errors.AsType[*inference.Error](err)
	if !ok || e.Kind != want.Type || e.Message != want.Message {
		t.Errorf("error = %v, want %+v", err, *want)
	}
}

// TestCutAnswersAreEstimated: who leaves a stream before the model tells its usage
// is charged for what we count ourselves.
func TestCutAnswersAreEstimated(t *testing.T) {
	word := inference.Event{Raw: []byte("word"), Content: true}
	quiet := inference.Event{Raw: []byte("begin")}
	absurd := inference.Event{Raw: []byte("begin"), Usage: &inference.Usage{InputTokens: -5, OutputTokens: -1 << 40, CacheReadTokens: 1 << 60}}
	stopped := &inference.Error{Kind: inference.ModelStreamError, Message: "The model stopped."}
	for _, c := range []struct {
		name      string
		region    behaviour
		read      int // events
		want      inference.Usage
		cost      inference.Money
		estimated bool
	}{
		{"left", sends(quiet, word, word, word, ended), 3, inference.Usage{InputTokens: 50, OutputTokens: 2}, 180_000, true},
		{"left before content", sends(quiet, word, ended), 1, inference.Usage{InputTokens: 50}, 150_000, true},
		{"no model server counts below zero", sends(absurd, word, ended), 2, inference.Usage{OutputTokens: 1, CacheReadTokens: 100_000_000}, 60_000_022_500, true},
		{"the region breaks", breaks(stopped, word, word), 3, inference.Usage{InputTokens: 50, OutputTokens: 2}, 180_000, true},
		{"the input is told", sends(begun, word, word, ended), 3, inference.Usage{InputTokens: 1000, OutputTokens: 2}, 3_030_000, true},
		{"more is told", sends(begun, content, content, ended), 3, some, 3_105_000, false},
		{"read to its end", sends(begun, content, word, word, ended), 5, spent, 6_000_000, false},
		{"ended without usage", sends(word, word, inference.Event{Final: true}), 3, inference.Usage{}, 0, false},
	} {
		l := newLine(t, regions{source: c.region}, time.Now, everything)
		l.Estimate = func(r *inference.Request, m inference.ModelID) int {
			if r.ID != "id" || m != model {
				t.Errorf("%s: Estimate(%s, %s), want the request's and the foundation model", c.name, r.ID, m)
			}
			return 50
		}
		stream, got, err := l.Invoke(t.Context(), request("id"))
		if err != nil {
			t.Fatal(err)
		}
		for range c.read {
			if _, err := stream.Next(t.Context()); err != nil && inference.AsError(err).Kind != stopped.Kind {
				t.Errorf("%s: Next = %v", c.name, err)
			}
		}
		stream.Close()
		if got.Usage != c.want || got.Cost != c.cost || got.Estimated != c.estimated {
			t.Errorf("%s: record of %+v, %s, estimated %t, want %+v, %s, %t", c.name, got.Usage, got.Cost, got.Estimated, c.want, c.cost, c.estimated)
		}
	}
}

// TestLatency is from the call's beginning to the stream's close.
func TestLatency(t *testing.T) {
	l := newLine(t, regions{}, ticking(), everything)
	stream, r, err := l.Invoke(t.Context(), request("id"))
	if err != nil {
		t.Fatal(err)
	}
	before := l.Clock()
	if err := read(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	if !r.Time.Equal(noon) {
		t.Errorf("Time = %s, want %s", r.Time, noon)
	}
	if want := before.Add(time.Second).Sub(noon).Milliseconds(); r.LatencyMS != want {
		t.Errorf("LatencyMS = %d, want %d", r.LatencyMS, want)
	}
}

// TestCallerLeaves ends the caller's context in the middle of a stream.
func TestCallerLeaves(t *testing.T) {
	l := newLine(t, regions{source: sends(begun, content, ended)}, time.Now, everything)
	ctx, leave := context.WithCancel(t.Context())
	stream, r, err := l.Invoke(ctx, request("id"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := stream.Next(ctx); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	if _, err := stream.Next(ctx); inference.AsError(err).Kind != inference.Canceled {
		t.Errorf("Next after the caller left = %v, want Canceled", err)
	}
	stream.Close()
	if r.Error == nil || r.Error.Type != inference.Canceled || r.Usage != some || len(l.kept.records) != 1 {
		t.Errorf("record = %+v, settled %d times, want Canceled with %+v, once", r, len(l.kept.records), some)
	}
}

// TestVerdictLogged logs what AWS would refuse, or we do, once a call, and nothing
// else.
func TestVerdictLogged(t *testing.T) {
	const denied = "authorize: ap-southeast-1: AccessDeniedException: User: arn:aws:iam::123456789012:user/caller is not authorized to perform: bedrock:InvokeModel " +
		"on resource: arn:aws:bedrock:ap-southeast-1::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0 because no identity-based policy allows the bedrock:InvokeModel action"
	for _, c := range []struct {
		name  string
		allow []string
		want  []map[string]string
	}{
		{"refused", modelARNs("ap-southeast-1"), []map[string]string{{
			"level": "INFO", "message": "aws would refuse this call", "request_id": "id", "principal": "caller",
			"profile": profile, "resource": string(inference.ModelARN("ap-northeast-1", model)),
		}}},
		{"allowed", modelARNs("*"), nil},
		{"denied here too", modelARNs(), []map[string]string{{
			"level": "INFO", "message": "call denied", "request_id": "id", "error": denied,
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine(t, regions{}, time.Now, allow(c.allow...))
			if stream, _, err := l.Invoke(t.Context(), request("id")); err == nil {
				if err := read(t.Context(), stream); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(c.want, l.log.all); diff != "" {
				t.Errorf("log differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWordsOfRegionsAreForCallers: what a region says may quote the prompt. The record
// marks it, and the log has none of it.
func TestWordsOfRegionsAreForCallers(t *testing.T) {
	for _, kind := range []inference.Kind{inference.Validation, inference.ResourceNotFound, inference.InternalServer, inference.AccessDenied} {
		everywhere := regions{}
		for _, r := range destinations {
			everywhere[r] = fails(inference.Error{Kind: kind, Message: "SECRET", Foreign: true})
		}
		l := newLine(t, everywhere, time.Now, everything)
		_, _, err := l.Invoke(t.Context(), request("id"))
		if e := inference.AsError(err); e.Message != "SECRET" || !e.Foreign {
			t.Errorf("%s: Invoke() = %+v, want the region's words", kind, e)
		}
		if f := l.kept.records[0].Error; f == nil || f.Message != "SECRET" || !f.Foreign || f.Type != kind {
			t.Errorf("%s: the record has %+v, want the region's words, marked as foreign", kind, f)
		}
		if text := fmt.Sprint(l.log.all); strings.Contains(text, "SECRET") {
			t.Errorf("%s: log = %s, want none of the region's words", kind, text)
		}
	}
}

// TestPanicLogged tells the operator where it came from.
func TestPanicLogged(t *testing.T) {
	l := newLine(t, regions{source: func(context.Context) (inference.Stream, error) { panic("boom") }}, time.Now, everything)
	if _, _, err := l.Invoke(t.Context(), request("id")); err == nil {
		t.Fatal("Invoke = nil error, want one")
	}
	if len(l.log.all) != 1 || l.log.all[0]["panic"] != "boom" || l.log.all[0]["request_id"] != "id" || l.log.all[0]["stack"] == "" {
		t.Errorf("log = %v, want one line with the panic and its stack", l.log.all)
	}
}

// TestConcurrentCalls makes calls at once: each has its own record, and writing to
// one afterwards reaches no other.
func TestConcurrentCalls(t *testing.T) {
	l := newLine(t, regions{source: refused}, time.Now, allow(modelARNs("ap-southeast-1", "ap-northeast-1")...))
	records := make([]*inference.Record, 32)
	var calls sync.WaitGroup
	for i := range records {
		calls.Go(func() {
			stream, r, err := l.Invoke(t.Context(), request(strconv.Itoa(i)))
			if err != nil {
				t.Errorf("Invoke = %v", err)
				return
			}
			if err := read(t.Context(), stream); err != nil {
				t.Errorf("read = %v", err)
			}
			records[i] = r
		})
	}
	calls.Wait()
	if t.Failed() {
		return
	}
	*records[0].Profile, records[0].AWS.Allowed, records[0].Attempts[0].Region = "", true, ""
	for i, r := range records {
		if r.ID != strconv.Itoa(i) {
			t.Errorf("record %d has the id %s", i, r.ID)
		}
		if i > 0 && (*r.Profile != profile || r.AWS.Allowed || r.Attempts[0].Region == "") {
			t.Errorf("record %d changed with record 0: %+v", i, r)
		}
	}
	if n := len(l.kept.records); n != len(records) {
		t.Errorf("settled %d records of %d calls", n, len(records))
	}
}

// faults are what moves a call on.
var faults = []behaviour{refused, throttled, missing, forbidden, broken, cut, hangs}

// weather is what is wrong with the regions for the time of one call.
type weather struct {
	sick  regions
	after time.Duration // until the next call
}

// TestHealthyDestinationAnswers is the promise of the whole: while a permitted
// destination is healthy, calls succeed. The attempts are a beginning of the plan.
func TestHealthyDestinationAnswers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		permitted := rapid.SliceOfNDistinct(rapid.SampledFrom(destinations), 1, len(destinations), rapid.ID).Draw(rt, "permitted")
		forecast := make([]weather, rapid.IntRange(1, 12).Draw(rt, "calls"))
		for i := range forecast {
			healthy := rapid.SampledFrom(permitted).Draw(rt, "healthy")
			forecast[i] = weather{regions{}, time.Duration(rapid.IntRange(0, 10).Draw(rt, "seconds")) * time.Second}
			for _, r := range destinations {
				if fault := rapid.IntRange(0, 2*len(faults)).Draw(rt, string(r)); r != healthy && fault < len(faults) {
					forecast[i].sick[r] = faults[fault]
				}
			}
		}
		var failure error
		synctest.Test(t, func(t *testing.T) {
			now := regions{}
			l := newLine(t, now, time.Now, allow(modelARNs(permitted...)...))
			for _, w := range forecast {
				clear(now)
				maps.Copy(now, w.sick)
				if failure = checkCall(t.Context(), l); failure != nil {
					return
				}
				time.Sleep(w.after) // the bubble's time
			}
		})
		if failure != nil {
			rt.Fatal(failure)
		}
	})
}

// checkCall makes one call and says what is wrong with how it went.
func checkCall(ctx context.Context, l *line) error {
	req := request("id")
	req.Steering.Trace = true
	stream, r, err := l.Invoke(ctx, req)
	if err != nil {
		return fmt.Errorf("Invoke = %w after %v, with a healthy destination", err, r.Attempts)
	}
	if err := read(ctx, stream); err != nil {
		return fmt.Errorf("read = %w", err)
	}
	n, plan := len(r.Attempts), r.Plan
	if n == 0 || n > len(plan) {
		return fmt.Errorf("%d attempts of a plan of %d", n, len(plan))
	}
	for i, a := range r.Attempts {
		if a.Region != plan[i].Region || (a.Outcome == inference.OK) != (i == n-1) {
			return fmt.Errorf("attempts = %+v, want a beginning of %v of which only the last ends well", r.Attempts, plan)
		}
	}
	if r.Outcome != inference.OK || r.DestinationRegion != r.Attempts[n-1].Region || r.Usage != spent {
		return fmt.Errorf("record = %+v, want the last attempt's", r)
	}
	return nil
}

// instant answers with one event from memory.
type instant struct{}

func (instant) Invoke(context.Context, inference.Target, *inference.Request) (inference.Stream, error) {
	return &script{events: oneEvent}, nil
}

var oneEvent = []inference.Event{whole}

// BenchmarkInvoke is what the straight line adds to a region's answer: a profile
// of eight destinations, read and settled.
func BenchmarkInvoke(b *testing.B) {
	l := newLine(b, instant{}, time.Now, everything)
	l.Meter = meter.New(meter.Config{Pricer: prices{l.Catalog}}) // keeps nothing
	req := request("id")
	b.ReportAllocs()
	for b.Loop() {
		stream, _, err := l.Invoke(b.Context(), req)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := stream.Next(b.Context()); err == io.EOF {
				break
			}
		}
		stream.Close()
	}
}
