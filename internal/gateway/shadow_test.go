package gateway

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/route"
)

// shadowed is a line that repeats calls by s. What it began has ended when end returns.
func shadowed(t *testing.T, upstream route.Upstream, s route.Shadow, statements ...policy.Statement) (l *line, end func()) {
	t.Helper()
	l = routed(t, upstream, route.Route{Policy: inference.Ordered, Shadow: s}, statements...)
	l.Shadows = NewShadows()
	t.Cleanup(l.Shadows.Close)
	l.Text = func(inference.Operation, inference.ModelID) func(inference.Event) string {
		return func(e inference.Event) string { return string(e.Raw) }
	}
	return l, l.Shadows.running.Wait
}

// said is the one line of that message in the log.
func (l *lines) said(t *testing.T, message string) map[string]string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []map[string]string
	for _, line := range l.all {
		if line["message"] == message {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d lines of %q in %v, want one", len(found), message, l.all)
	}
	return found[0]
}

const tokyo = inference.Region("ap-northeast-1")

// TestShadow: a call is made again at another target, of which its caller knows
// nothing, and the two are compared.
func TestShadow(t *testing.T) {
	mine := sends(begun, content, ended)
	for name, test := range map[string]struct {
		shadow  route.Shadow
		regions regions
		want    map[string]string // of the line
	}{
		"the same": {route.Shadow{Share: 1, Region: tokyo}, regions{source: mine, tokyo: mine}, map[string]string{
			"shadow_region": "ap-northeast-1", "shadow_model": model, "shadow_outcome": "ok", "shadow_kind": "", "shadow_output_tokens": "200", "same_text": "true",
		}},
		"another text": {route.Shadow{Share: 1, Region: tokyo}, regions{source: mine}, map[string]string{
			"shadow_region": "ap-northeast-1", "shadow_model": model, "shadow_outcome": "ok", "shadow_kind": "", "shadow_output_tokens": "200", "same_text": "false",
		}},
		"another model": {route.Shadow{Share: 1, Model: novaProfile}, regions{source: mine}, map[string]string{
			"shadow_region": "ap-southeast-1", "shadow_model": nova, "shadow_outcome": "ok", "shadow_kind": "", "shadow_output_tokens": "200", "same_text": "true",
		}},
		"any other": {route.Shadow{Share: 1}, regions{source: mine, tokyo: mine}, map[string]string{
			"shadow_region": "ap-northeast-1", "shadow_model": model, "shadow_outcome": "ok", "shadow_kind": "", "shadow_output_tokens": "200", "same_text": "true",
		}},
		"one that fails": {route.Shadow{Share: 1, Region: tokyo}, regions{source: mine, tokyo: throttled}, map[string]string{
			"shadow_region": "ap-northeast-1", "shadow_model": model, "shadow_outcome": "failed", "shadow_kind": "ThrottlingException", "shadow_output_tokens": "0",
		}},
		"one that breaks off": {route.Shadow{Share: 1, Region: tokyo}, regions{source: mine, tokyo: sends(begun, content)}, map[string]string{
			"shadow_region": "ap-northeast-1", "shadow_model": model, "shadow_outcome": "failed", "shadow_kind": "ServiceUnavailableException", "shadow_output_tokens": "7",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l, end := shadowed(t, test.regions, test.shadow, everything)
			stream, r, err := l.Invoke(t.Context(), converse("id"))
			if err != nil {
				t.Fatal(err)
			}
			if err := read(t.Context(), stream); err != nil {
				t.Fatal(err)
			}
			stream.Close()
			end()
			line := l.log.said(t, "shadow answered")
			if line["request_id"] != "id" || line["shadow_request_id"] == "id" || line["region"] != string(source) || line["outcome"] != "ok" || line["output_tokens"] != "200" {
				t.Errorf("line = %v, want the caller's call in it", line)
			}
			got := map[string]string{}
			for _, key := range []string{"shadow_region", "shadow_model", "shadow_outcome", "shadow_kind", "shadow_output_tokens", "same_text"} {
				if value, ok := line[key]; ok {
					got[key] = value
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("of the shadow the line has (-want +got):\n%s", diff)
			}
			if len(l.kept.records) != 2 {
				t.Fatalf("%d records kept, want two", len(l.kept.records))
			}
			for _, kept := range l.kept.records {
				if of := kept.ShadowOf; (kept.ID == "id") != (of == "") || of != "" && (of != "id" || kept.ID != line["shadow_request_id"] || len(kept.Attempts) != 1) {
					t.Errorf("record %s is a shadow of %q with attempts %v, want one attempt of the call's shadow", kept.ID, of, kept.Attempts)
				}
			}
			if len(r.Attempts) != 1 || r.Attempts[0].Region != source {
				t.Errorf("the caller's attempts = %v, want one in %s", r.Attempts, source)
			}
		})
	}
}

// TestShadowIsAuthorized: no shadow calls what the principal may not.
func TestShadowIsAuthorized(t *testing.T) {
	l, end := shadowed(t, regions{}, route.Shadow{Share: 1, Model: novaProfile}, allow(modelARNs(destinations...)...))
	for range 2 {
		stream, _, err := l.Invoke(t.Context(), converse("id"))
		if err != nil {
			t.Fatal(err)
		}
		stream.Close()
		end()
	}
	if line := l.log.said(t, "shadow left out"); line["model"] != novaProfile || len(l.kept.records) != 2 {
		t.Errorf("line = %v with %d records, want %s left out of two calls", line, len(l.kept.records), novaProfile)
	}
}

// TestShadowStaysWhereTheCallMay: neither grant nor residency is left.
func TestShadowStaysWhereTheCallMay(t *testing.T) {
	l, end := shadowed(t, regions{}, route.Shadow{Share: 1, Region: "us-east-1"}, everything)
	stream, _, err := l.Invoke(t.Context(), converse("id"))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	end()
	if line := l.log.said(t, "shadow answered"); line["shadow_outcome"] != "failed" || line["shadow_kind"] != "AccessDeniedException" || line["shadow_region"] != "" {
		t.Errorf("line = %v, want no attempt in a region that is not granted", line)
	}
}

// TestShadowShare: about so many calls are repeated, the same ones each time.
func TestShadowShare(t *testing.T) {
	l := routed(t, regions{}, route.Route{}, everything)
	l.Shadows = NewShadows()
	defer l.Shadows.Close()
	for _, share := range []float64{0, 0.1, 0.5, 1} {
		n := 0
		for i := range 2000 {
			c := &call{request: request("0b9e37f2-" + strconv.Itoa(i)), routing: route.Call{Route: &route.Route{Shadow: route.Shadow{Share: share}}}}
			first, again := l.isShadowed(c), l.isShadowed(c)
			if first != again {
				t.Fatal("a call is decided two ways")
			}
			if first {
				n++
			}
		}
		if got := float64(n) / 2000; got < share-0.04 || got > share+0.04 {
			t.Errorf("with share %g %g of the calls are repeated", share, got)
		}
	}
	if c := (&call{request: counting("id"), routing: route.Call{Route: &route.Route{Shadow: route.Shadow{Share: 1}}}}); l.isShadowed(c) {
		t.Error("a count of tokens is repeated")
	}
}

// TestShadowsAreBounded: more than so many at once are not begun, and the caller waits
// for none; those that hang end when their time is over, or with the server.
func TestShadowsAreBounded(t *testing.T) {
	for name, end := range map[string]func(*Shadows){
		"closed":   (*Shadows).Close,
		"overtime": func(s *Shadows) { s.running.Wait(); s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck := regions{tokyo: func(ctx context.Context) (inference.Stream, error) {
					<-ctx.Done()
					return nil, &inference.Error{Kind: inference.Canceled, Message: "gone"}
				}}
				l, _ := shadowed(t, stuck, route.Shadow{Share: 1, Region: tokyo}, everything)
				l.Clock = time.Now
				began := time.Now()
				var calls sync.WaitGroup
				for i := range maxShadows + 3 {
					calls.Go(func() {
						stream, _, err := l.Invoke(t.Context(), converse(strconv.Itoa(i)))
						if err != nil {
							t.Error(err)
							return
						}
						if err := read(t.Context(), stream); err != nil {
							t.Error(err)
						}
					})
				}
				calls.Wait()
				if took := time.Since(began); took != 0 || l.Shadows.Skipped() != 3 {
					t.Errorf("the calls took %s and %d shadows were skipped, want no time and 3", took, l.Shadows.Skipped())
				}
				end(l.Shadows)
				if took := time.Since(began); took > shadowTimeout || l.Shadows.count != 0 {
					t.Errorf("%d shadows left after %s, want none after %s", l.Shadows.count, took, shadowTimeout)
				}
				if l.Shadows.begin(t.Context(), func(context.Context) { t.Error("a shadow began after the end") }) {
					t.Error("begin = true after Close, want false")
				}
			})
		})
	}
}

// TestShadowOutlivesItsCaller, who leaves in the middle: then there is nothing to
// compare the text with.
func TestShadowOutlivesItsCaller(t *testing.T) {
	l, end := shadowed(t, regions{source: sends(begun, content, ended)}, route.Shadow{Share: 1, Region: tokyo}, everything)
	ctx, leave := context.WithCancel(t.Context())
	stream, _, err := l.Invoke(ctx, converse("id"))
	if err != nil {
		t.Fatal(err)
	}
	leave()
	stream.Close()
	end()
	line := l.log.said(t, "shadow answered")
	if _, compared := line["same_text"]; compared || line["kind"] != string(inference.Canceled) || line["shadow_outcome"] != "ok" {
		t.Errorf("line = %v, want a shadow that answered beside a call that was left", line)
	}
}

// TestShadowWithoutText: answers that hold none are not said to be alike.
func TestShadowWithoutText(t *testing.T) {
	l, end := shadowed(t, regions{}, route.Shadow{Share: 1, Region: tokyo}, everything)
	l.Text = func(inference.Operation, inference.ModelID) func(inference.Event) string {
		return func(inference.Event) string { return "" }
	}
	stream, _, err := l.Invoke(t.Context(), converse("id"))
	if err != nil {
		t.Fatal(err)
	}
	if err := read(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	end()
	if line := l.log.said(t, "shadow answered"); line["same_text"] != "" {
		t.Errorf("line = %v, want nothing of texts that are not there", line)
	}
}

// TestShadowPanics: the server goes on.
func TestShadowPanics(t *testing.T) {
	l, end := shadowed(t, regions{}, route.Shadow{Share: 1, Model: novaProfile}, everything)
	l.Text = func(_ inference.Operation, m inference.ModelID) func(inference.Event) string {
		if m == nova {
			panic("boom")
		}
		return nil
	}
	stream, _, err := l.Invoke(t.Context(), converse("id"))
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	end()
	if line := l.log.said(t, "shadow panicked"); line["panic"] != "boom" || line["request_id"] != "id" || line["stack"] == "" {
		t.Errorf("line = %v, want the panic and its stack", line)
	}
}

// TestShadowStaysInItsRoute: the residency of a call's route holds for its shadow, also
// where that calls a model for which there is no route, and the record says so.
func TestShadowStaysInItsRoute(t *testing.T) {
	for name, test := range map[string]struct {
		region inference.Region // of the shadow
		want   string           // its outcome
	}{
		"outside": {tokyo, "failed"},
		"inside":  {source, "ok"},
	} {
		calls := &visited{}
		l, end := shadowed(t, calls, route.Shadow{}, everything)
		l.Router = route.New(route.Config{Upstream: calls, Simulated: true, Rules: []route.Rule{{
			Models: []string{"apac.anthropic.*"},
			Route: route.Route{
				Policy:    inference.Ordered,
				Residency: route.Residency{Names: []string{"singapore"}, Regions: []inference.Region{source}},
				Shadow:    route.Shadow{Share: 1, Model: novaProfile, Region: test.region},
			},
		}}})
		stream, _, err := l.Invoke(t.Context(), converse("id"))
		if err != nil {
			t.Fatal(err)
		}
		if err := read(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
		end()
		if line := l.log.said(t, "shadow answered"); line["shadow_outcome"] != test.want {
			t.Errorf("%s: line = %v, want a shadow that %s", name, line, test.want)
		}
		for _, region := range calls.regions {
			if region != source {
				t.Errorf("%s: %s was called, outside of the residency", name, region)
			}
		}
		for _, r := range l.kept.records {
			if !slices.Equal(r.Residency, []string{"singapore"}) {
				t.Errorf("%s: residency of the record that is a shadow of %q = %v, want singapore", name, r.ShadowOf, r.Residency)
			}
		}
	}
}

// visited remembers the regions that were called, each of which answers well.
type visited struct {
	mu      sync.Mutex
	regions []inference.Region
}

func (v *visited) Invoke(ctx context.Context, t inference.Target, _ *inference.Request) (inference.Stream, error) {
	v.mu.Lock()
	v.regions = append(v.regions, t.Region)
	v.mu.Unlock()
	return sends(whole)(ctx)
}
