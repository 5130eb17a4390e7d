package catalog

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

const (
	sonnet4  = "anthropic.claude-sonnet-4-20250514-v1:0"
	sonnet35 = "anthropic.claude-3-5-sonnet-20240620-v1:0"

	singapore = inference.Region("ap-southeast-1")
	tokyo     = inference.Region("ap-northeast-1")
)

func TestLookup(t *testing.T) {
	c := New(Options{})
	apac := inference.Profile{
		ID:           "apac." + sonnet4,
		ARN:          "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac." + sonnet4,
		Model:        sonnet4,
		SourceRegion: singapore,
		Destinations: []inference.Region{
			"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
			"ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-4",
		},
	}
	bare := func(region inference.Region) inference.Profile {
		return inference.Profile{Model: sonnet35, SourceRegion: region, Destinations: []inference.Region{region}}
	}
	for _, test := range []struct {
		named  string
		source inference.Region
		want   inference.Profile
	}{
		{"apac." + sonnet4, singapore, apac},
		{string(apac.ARN), singapore, apac},
		{sonnet35, singapore, bare(singapore)}, // retired: where it last was
		{sonnet35, tokyo, bare(tokyo)},
		{"arn:aws:bedrock:ap-northeast-1::foundation-model/" + sonnet35, tokyo, bare(tokyo)},
		{"us.anthropic.claude-3-5-sonnet-20240620-v1:0", "us-east-2", inference.Profile{ // the source is no destination
			ID:           "us." + sonnet35,
			ARN:          "arn:aws:bedrock:us-east-2:123456789012:inference-profile/us." + sonnet35,
			Model:        sonnet35,
			SourceRegion: "us-east-2",
			Destinations: []inference.Region{"us-east-1", "us-west-2"},
		}},
		{"global." + sonnet4, "us-east-1", inference.Profile{
			ID:           "global." + sonnet4,
			ARN:          "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global." + sonnet4,
			Model:        sonnet4,
			SourceRegion: "us-east-1",
			Destinations: []inference.Region{"ap-northeast-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"},
			Global:       true,
		}},
	} {
		got, err := c.Lookup(t.Context(), test.named, test.source)
		if err != nil {
			t.Errorf("Lookup(%q, %s) = error %v", test.named, test.source, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("Lookup(%q, %s) (-want +got):\n%s", test.named, test.source, diff)
		}
	}
}

func TestLookupRefuses(t *testing.T) {
	const (
		invalid      = "The provided model identifier is invalid."
		needsProfile = "Invocation of model ID " + sonnet4 + " with on-demand throughput isn’t supported. " +
			"Retry your request with the ID or ARN of an inference profile that contains this model."
	)
	c := New(Options{})
	for _, test := range []struct {
		named  string
		source inference.Region
		want   string
	}{
		{sonnet4, singapore, needsProfile},
		{sonnet4, "sa-east-1", invalid}, // in no form there
		{"", singapore, invalid},
		{"anthropic.claude-9", singapore, invalid},
		{"apac." + sonnet4, "us-east-1", invalid}, // not callable from there
		{"us." + sonnet4, singapore, invalid},
		{"arn:aws:bedrock:us-east-1:123456789012:inference-profile/apac." + sonnet4, singapore, invalid},
		{"arn:aws:bedrock:ap-southeast-1:999999999999:inference-profile/apac." + sonnet4, singapore, invalid},
		{"arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/" + sonnet35, singapore, invalid},
		{"arn:aws:bedrock:ap-southeast-1::foundation-model/apac." + sonnet4, singapore, invalid},
		{"arn:aws:bedrock:us-east-1::foundation-model/" + sonnet35, singapore, invalid},
		{"arn:aws:bedrock:::foundation-model/" + sonnet35, singapore, invalid},
		{"arn:aws:s3:::" + sonnet35, singapore, invalid},
	} {
		got, err := c.Lookup(t.Context(), test.named, test.source)
		e, ok := errors.AsType[*inference.Error](err)
		if !ok || e.Kind != inference.Validation || e.Message != test.want || e.Region != test.source {
			t.Errorf("Lookup(%q, %s) = %v, %v, want ValidationException %q", test.named, test.source, got, err, test.want)
		}
	}
}

func TestAccount(t *testing.T) {
	got, err := New(Options{Account: "111122223333"}).Lookup(t.Context(), "apac."+sonnet4, singapore)
	if want := inference.ARN("arn:aws:bedrock:ap-southeast-1:111122223333:inference-profile/apac." + sonnet4); err != nil || got.ARN != want {
		t.Errorf("Lookup with an account = %v, %v, want ARN %s", got, err, want)
	}
}

func TestModel(t *testing.T) {
	c := New(Options{})
	want := inference.Model{
		ID: sonnet4, Name: "Claude Sonnet 4", Provider: "Anthropic",
		ContextWindow: 200000, MaxOutput: 64000, Prefill: true, Streaming: true, CountTokens: true, Caching: true,
		OutputBurndown: 5, EndOfLife: "2026-10-14", EndOfLifeMarked: true,
	}
	got, ok := c.Model(sonnet4)
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("Model(%s) = %v (-want +got):\n%s", sonnet4, ok, diff)
	}
	if m, ok := c.Model("anthropic.claude-3-haiku-20240307-v1:0"); !ok || m.EndOfLife != "2026-09-10" || m.EndOfLifeMarked || m.Caching {
		t.Errorf("Model(Claude 3 Haiku) = %+v, want an end of life that a call confirmed, and no caching", m)
	}
	if m, ok := c.Model("anthropic.claude-sonnet-4-6"); !ok || m.EndOfLife != "" || m.Prefill {
		t.Errorf("Model(Claude Sonnet 4.6) = %+v, want it active and without prefill", m)
	}
	if _, ok := c.Model("apac." + sonnet4); ok {
		t.Errorf("Model(a profile id) = true, want false")
	}
}

// TestEveryProfile checks the data against itself: each profile resolves from
// each of its source regions, to regions, and to a model of the catalog.
func TestEveryProfile(t *testing.T) {
	c := New(Options{})
	for id, p := range embedded().profiles {
		if _, ok := c.Model(p.model); !ok {
			t.Errorf("profile %s is of model %q, which the catalog lacks", id, p.model)
		}
		for source := range p.destinations {
			got, err := c.Lookup(t.Context(), string(id), source)
			if err != nil || len(got.Destinations) == 0 || slices.Contains(got.Destinations, "*") {
				t.Errorf("Lookup(%s, %s) = %v, %v, want destination regions", id, source, got, err)
			}
			if !slices.ContainsFunc(c.Profiles(source), func(p inference.Profile) bool { return p.ID == id }) {
				t.Errorf("Profiles(%s) lacks %s", source, id)
			}
		}
	}
	if got := len(c.Models()); got != len(embedded().models) || got == 0 {
		t.Errorf("Models() has %d, want the file's %d", got, len(embedded().models))
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("apac."+sonnet4, "ap-southeast-1")
	f.Add(sonnet35, "ap-northeast-1")
	f.Add("arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac."+sonnet4, "ap-southeast-1")
	c := New(Options{})
	f.Fuzz(func(t *testing.T, named, source string) {
		got, err := c.Lookup(t.Context(), named, inference.Region(source))
		if err != nil {
			if diff := cmp.Diff(inference.Profile{}, got); diff != "" {
				t.Errorf("Lookup(%q, %q) with an error (-want +got):\n%s", named, source, diff)
			}
			return
		}
		again, err := c.Lookup(t.Context(), got.Named(), got.SourceRegion)
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("Lookup(%q, %q) = %v, by its own name %v, %v", named, source, got, again, err)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	c := New(Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Lookup(b.Context(), "apac."+sonnet4, singapore); err != nil {
			b.Fatal(err)
		}
	}
}
