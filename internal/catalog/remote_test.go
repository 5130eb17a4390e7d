package catalog

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// plane is a control plane of real regions, and what it was asked.
type plane struct {
	asked []string
}

var errAway = &inference.Error{Kind: inference.Throttling, Message: "Too many requests, please wait before trying again."}

func (p *plane) Profile(_ context.Context, named string, source inference.Region) (inference.ProfileListing, bool, error) {
	p.asked = append(p.asked, named)
	found := inference.Profile{Model: "new.model-v1:0", SourceRegion: source, Destinations: []inference.Region{source}, Remote: true}
	switch named {
	case "apac.new.model-v1:0":
		found.ID, found.ARN = "apac.new.model-v1:0", inference.ProfileARN(source, "999999999999", "apac.new.model-v1:0")
		return inference.ProfileListing{Name: "APAC New", Profile: found}, true, nil
	case "new.model-v1:0":
		return inference.ProfileListing{Name: "New", Profile: found}, true, nil
	case "apac.throttled":
		return inference.ProfileListing{}, false, errAway
	}
	return inference.ProfileListing{}, false, nil
}

func (p *plane) Tags(_ context.Context, profile inference.ARN, _ inference.Region) (map[string]string, bool, error) {
	p.asked = append(p.asked, string(profile))
	return map[string]string{"team": "kitchen"}, true, nil
}

func TestLookupRemote(t *testing.T) {
	p := &plane{}
	c := New(Options{Applications: keep(ofProfile), Remote: p})
	for _, named := range []string{"apac.new.model-v1:0", "new.model-v1:0"} {
		if got, err := c.Lookup(t.Context(), named, singapore); err != nil || !got.Remote || got.Model != "new.model-v1:0" || got.Named() != named {
			t.Errorf("Lookup(%s) = %+v, %v, want what the remote knows", named, got, err)
		}
	}
	if _, err := c.Lookup(t.Context(), "apac.throttled", singapore); !errors.Is(err, errAway) {
		t.Errorf("Lookup(apac.throttled) = %v, want %v", err, errAway)
	}
}

// TestAsked: nothing is asked for that is known here, that could be nothing there,
// or in a region that nobody knows of.
func TestAsked(t *testing.T) {
	arnOf := func(region inference.Region, account string) string {
		return string(inference.ApplicationARN(region, account, "ffffffffffff"))
	}
	p := &plane{}
	c := New(Options{Applications: keep(ofProfile), Remote: p})
	for _, test := range []struct {
		named string
		asks  bool
	}{
		{"ffffffffffff", true},
		{arnOf(singapore, "999999999999"), true}, // another account's may be called
		{"us." + sonnet4, true},                  // not from here by what is known, which may be old
		{"arn:aws:bedrock:ap-southeast-1::foundation-model/new.model", true},
		{arnOf(tokyo, DefaultAccount), false},
		{ofProfile.ID, false},
		{"apac." + sonnet4, false},
		{sonnet4, false},
		{"arn:aws:bedrock:ap-southeast-1::foundation-model/" + sonnet4, false},
		{"arn:aws:bedrock:us-east-1::foundation-model/new.model", false},
		{"arn:aws:bedrock:::foundation-model/new.model", false},
		{"arn:aws:bedrock:ap-southeast-1:123456789012:provisioned-model/x", false},
		{"arn:aws:other:ap-southeast-1:123456789012:inference-profile/x", false},
		{"arn:aws:bedrock", false},
		{"", false},
		{"../x", false},
		{"apac.x?y", false},
	} {
		p.asked = nil
		_, _ = c.Lookup(t.Context(), test.named, singapore)
		if got := len(p.asked) == 1; got != test.asks {
			t.Errorf("Lookup(%q) asked the remote for %q, want asked %v", test.named, p.asked, test.asks)
		}
	}
	p.asked = nil
	_, _ = c.Lookup(t.Context(), "new.model", "evil-host-1")
	_, _, _ = c.Describe(t.Context(), "new.model", "evil-host-1")
	_, _, _ = c.Tags(t.Context(), inference.ApplicationARN("evil-host-1", DefaultAccount, "ffffffffffff"), "evil-host-1")
	if len(p.asked) > 0 {
		t.Errorf("a region that nobody knows of was asked for %q", p.asked)
	}
}

// TestDescribe: a model is no profile.
func TestDescribe(t *testing.T) {
	c := New(Options{Remote: &plane{}})
	if got, ok, err := c.Describe(t.Context(), "apac.new.model-v1:0", singapore); !ok || err != nil || got.Name != "APAC New" {
		t.Errorf("Describe(a profile) = %+v, %t, %v, want what the remote knows", got, ok, err)
	}
	if got, ok, err := c.Describe(t.Context(), "new.model-v1:0", singapore); ok || err != nil {
		t.Errorf("Describe(a model) = %+v, %t, %v, want none", got, ok, err)
	}
	if _, ok, err := c.Describe(t.Context(), "apac.throttled", singapore); ok || !errors.Is(err, errAway) {
		t.Errorf("Describe(apac.throttled) = %t, %v, want %v", ok, err, errAway)
	}
	if got, ok, err := New(Options{}).Describe(t.Context(), "apac.new.model-v1:0", singapore); ok || err != nil {
		t.Errorf("Describe without a remote = %+v, %t, %v, want none", got, ok, err)
	}
}

// TestTags: only application profiles of the region are asked for.
func TestTags(t *testing.T) {
	for _, test := range []struct {
		remote Remote
		named  inference.ARN
		want   bool
	}{
		{&plane{}, inference.ApplicationARN(singapore, "999999999999", "ffffffffffff"), true},
		{&plane{}, inference.ApplicationARN(tokyo, "999999999999", "ffffffffffff"), false},
		{&plane{}, inference.ProfileARN(singapore, DefaultAccount, "apac."+sonnet4), false},
		{nil, inference.ApplicationARN(singapore, "999999999999", "ffffffffffff"), false},
	} {
		tags, ok, err := New(Options{Remote: test.remote}).Tags(t.Context(), test.named, singapore)
		if ok != test.want || err != nil || (tags["team"] == "kitchen") != test.want {
			t.Errorf("Tags(%s) = %v, %t, %v, want tags: %t", test.named, tags, ok, err, test.want)
		}
	}
}

// TestRegional: a resource of the region is taken at its word where regions are
// real, in any account.
func TestRegional(t *testing.T) {
	const (
		provisioned = "arn:aws:bedrock:ap-southeast-1:999999999999:provisioned-model/abcdefghijkl"
		east        = "arn:aws:bedrock:us-east-1:111111111111:provisioned-model/lkjihgfedcba"
		custom      = "arn:aws:bedrock:ap-southeast-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/abcdefghijkl"
	)
	c := New(Options{Remote: &plane{}, Equivalents: Equivalents{provisioned: {
		"us-west-2": "arn:west", "us-east-1": east, singapore: "arn:itself",
	}}})
	alone := func(named string) inference.Profile {
		return inference.Profile{
			ARN: inference.ARN(named), Model: inference.ModelID(named), SourceRegion: singapore,
			Destinations: []inference.Region{singapore}, Remote: true,
		}
	}
	several := alone(provisioned)
	several.Destinations = []inference.Region{singapore, "us-east-1", "us-west-2"}
	several.Equivalents = map[inference.Region]inference.ARN{"us-east-1": east, "us-west-2": "arn:west"}
	for named, want := range map[string]inference.Profile{
		provisioned: several,
		custom:      alone(custom),
		"arn:aws:bedrock:ap-southeast-1:123456789012:custom-model-deployment/abcdefghijkl": alone("arn:aws:bedrock:ap-southeast-1:123456789012:custom-model-deployment/abcdefghijkl"),
		"arn:aws:bedrock:ap-southeast-1:123456789012:imported-model/abcdefghijkl":          alone("arn:aws:bedrock:ap-southeast-1:123456789012:imported-model/abcdefghijkl"),
		"arn:aws:bedrock:ap-southeast-1:123456789012:prompt/ABCDEFGHIJ:1":                  alone("arn:aws:bedrock:ap-southeast-1:123456789012:prompt/ABCDEFGHIJ:1"),
	} {
		got, err := c.Lookup(t.Context(), named, singapore)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Lookup(%s) = %v (-want +got):\n%s", named, err, diff)
		}
		if got, err := c.Lookup(t.Context(), named, tokyo); inference.AsError(err).Kind != inference.Validation {
			t.Errorf("Lookup(%s) from another region = %+v, %v, want an invalid identifier", named, got, err)
		}
		if got, err := New(Options{}).Lookup(t.Context(), named, singapore); inference.AsError(err).Kind != inference.Validation {
			t.Errorf("Lookup(%s) where regions are simulated = %+v, %v, want an invalid identifier", named, got, err)
		}
	}
	for _, named := range []string{
		"arn:aws:bedrock:ap-southeast-1:123456789012:provisioned-model/",
		"arn:aws:bedrock:ap-southeast-1:123456789012:provisioned-model/a?b",
		"arn:aws:bedrock:ap-southeast-1:123456789012:guardrail/abc",
		"arn:aws:sagemaker:ap-southeast-1:123456789012:provisioned-model/abc",
	} {
		if got, err := c.Lookup(t.Context(), named, singapore); inference.AsError(err).Kind != inference.Validation {
			t.Errorf("Lookup(%s) = %+v, %v, want an invalid identifier", named, got, err)
		}
	}

	accounts := Targets{Accounts: []Account{{ID: "111111111111"}, {ID: "222222222222"}}}
	for region, want := range map[inference.Region][]inference.Target{
		singapore:   {{Region: singapore, Model: provisioned}},
		"us-east-1": {{Region: "us-east-1", Model: east, Account: "111111111111"}},
		tokyo:       nil,
	} {
		got := all(func(i int) (inference.Target, bool) { return accounts.Enter(&several, region, i) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Enter(%s) (-want +got):\n%s", region, diff)
		}
	}
	if got := all(func(i int) (inference.Target, bool) { return accounts.Own(&several, i) }); got != nil {
		t.Errorf("Own() = %v, want none: it is entered", got)
	}
}

// TestNewModel: a model that only the remote knows is called as any other, by each
// account, in its region.
func TestNewModel(t *testing.T) {
	p, err := New(Options{Remote: &plane{}}).Lookup(t.Context(), "new.model-v1:0", singapore)
	if err != nil {
		t.Fatal(err)
	}
	accounts := Targets{Accounts: []Account{{ID: "1"}, {ID: "2"}}}
	got := all(func(i int) (inference.Target, bool) { return accounts.Enter(&p, singapore, i) })
	want := []inference.Target{{Region: singapore, Model: "new.model-v1:0", Account: "1"}, {Region: singapore, Model: "new.model-v1:0", Account: "2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Enter() (-want +got):\n%s", diff)
	}
	if got := all(func(i int) (inference.Target, bool) { return accounts.Enter(&p, tokyo, i) }); got != nil {
		t.Errorf("Enter(another region) = %v, want none", got)
	}
	if got := all(func(i int) (inference.Target, bool) { return accounts.Own(&p, i) }); got != nil {
		t.Errorf("Own() = %v, want none", got)
	}
}

func TestEquivalent(t *testing.T) {
	c := New(Options{Equivalents: Equivalents{"gr1": {"us-west-2": "gr2"}}})
	if got, ok := c.Equivalent("gr1", "us-west-2"); got != "gr2" || !ok {
		t.Errorf("Equivalent(gr1, us-west-2) = %q, %t, want gr2", got, ok)
	}
	if got, ok := c.Equivalent("gr1", "us-east-1"); ok {
		t.Errorf("Equivalent(gr1, us-east-1) = %q, want none", got)
	}
	if got, ok := New(Options{}).Equivalent("gr1", "us-west-2"); ok {
		t.Errorf("Equivalent(gr1) where none is configured = %q, want none", got)
	}
}
