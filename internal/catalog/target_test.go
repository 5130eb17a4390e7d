package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// all are the targets of one of the two methods, for each account.
func all(target func(i int) (inference.Target, bool)) (found []inference.Target) {
	for i := 0; ; i++ {
		t, ok := target(i)
		if !ok {
			return found
		}
		found = append(found, t)
	}
}

func lookup(t *testing.T, named string, source inference.Region) *inference.Profile {
	t.Helper()
	p, err := New(Options{}).Lookup(t.Context(), named, source)
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

func TestEnter(t *testing.T) {
	apac := []inference.Region{"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-4"}
	for _, test := range []struct {
		name    string
		profile *inference.Profile
		region  inference.Region
		want    []inference.Target
	}{
		{"a model that only profiles reach", lookup(t, "apac."+sonnet4, singapore), singapore,
			[]inference.Target{{Region: singapore, Model: "apac." + sonnet4, RunSet: apac}}},
		{"a model on demand is pinned", lookup(t, "apac."+sonnet35, singapore), singapore,
			[]inference.Target{{Region: singapore, Model: sonnet35}}},
		{"a region that is no source", lookup(t, "apac."+sonnet4, singapore), "us-east-1", nil},
		{"a bare model", lookup(t, sonnet35, singapore), singapore,
			[]inference.Target{{Region: singapore, Model: sonnet35}}},
		{"an application profile is what it copies",
			&inference.Profile{ID: "abcdef123456", Model: sonnet4, SourceRegion: singapore, CopiedFrom: "apac." + sonnet4}, singapore,
			[]inference.Target{{Region: singapore, Model: "apac." + sonnet4, RunSet: apac}}},
		{"an application profile of one model",
			&inference.Profile{ID: "abcdef123456", Model: sonnet35, SourceRegion: singapore, CopiedFrom: sonnet35}, singapore,
			[]inference.Target{{Region: singapore, Model: sonnet35}}},
		{"a profile that only AWS knows",
			&inference.Profile{ID: "abcdef123456", Model: sonnet35, SourceRegion: singapore, Remote: true}, singapore, nil},
	} {
		got := all(func(i int) (inference.Target, bool) { return Targets{}.Enter(test.profile, test.region, i) })
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: Enter(%s) (-want +got):\n%s", test.name, test.region, diff)
		}
	}
}

func TestOwn(t *testing.T) {
	const remote = "arn:aws:bedrock:ap-southeast-1:222222222222:application-inference-profile/abcdef123456"
	accounts := Targets{Accounts: []Account{{ID: "111111111111"}, {ID: "222222222222"}}}
	for _, test := range []struct {
		name    string
		targets Targets
		profile *inference.Profile
		want    []inference.Target
	}{
		{"a bare model has none", Targets{}, lookup(t, sonnet35, singapore), nil},
		{"a profile that only AWS knows, in its account", accounts,
			&inference.Profile{ID: "abcdef123456", ARN: remote, SourceRegion: singapore, Destinations: []inference.Region{singapore, "ap-south-1"}, Remote: true},
			[]inference.Target{{Region: singapore, Model: remote, Account: "222222222222", RunSet: []inference.Region{singapore, "ap-south-1"}}}},
		{"the same with no account of that name", Targets{},
			&inference.Profile{ID: "abcdef123456", ARN: remote, SourceRegion: singapore, Destinations: []inference.Region{singapore}, Remote: true, Global: true},
			[]inference.Target{{Region: singapore, Model: remote, RunSet: []inference.Region{singapore}, OpenEnded: true}}},
	} {
		got := all(func(i int) (inference.Target, bool) { return test.targets.Own(test.profile, i) })
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: Own() (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestGlobalRunSet: where a global profile runs is not known, only where it is
// known to.
func TestGlobalRunSet(t *testing.T) {
	p := lookup(t, "global."+sonnet4, "us-east-1")
	got, ok := Targets{}.Own(p, 0)
	if !ok || !got.OpenEnded || got.Pinned() || !slices.Equal(got.RunSet, p.Destinations) {
		t.Errorf("Own(%s) = %+v, %t, want an open-ended run set of its source regions", p.ID, got, ok)
	}
}

func TestAccounts(t *testing.T) {
	targets := Targets{Accounts: []Account{{ID: "1"}, {ID: "2", Regions: []inference.Region{"us-east-1"}}, {ID: "3", Regions: []inference.Region{singapore}}}}
	p := lookup(t, "apac."+sonnet35, singapore)
	var got []string
	for _, target := range all(func(i int) (inference.Target, bool) { return targets.Enter(p, singapore, i) }) {
		got = append(got, target.Account)
	}
	if want := []string{"1", "3"}; !slices.Equal(got, want) {
		t.Errorf("accounts that enter in %s = %v, want %v", singapore, got, want)
	}
}

// TestTargetsOfEveryProfile: every profile can be called from each of its sources,
// and what is called runs where the profile may run from there.
func TestTargetsOfEveryProfile(t *testing.T) {
	for id, system := range embedded().profiles {
		for source, destinations := range system.destinations {
			p := lookup(t, string(id), source)
			own, ok := Targets{}.Own(p, 0)
			if !ok || own.Region != source || own.Model != string(id) || !slices.Equal(own.RunSet, destinations) {
				t.Errorf("Own(%s from %s) = %+v, %t", id, source, own, ok)
			}
			for _, region := range destinations {
				entered, ok := Targets{}.Enter(p, region, 0)
				if ok && (entered.Region != region || !strings.HasSuffix(entered.Model, string(p.Model))) {
					t.Errorf("Enter(%s, %s) = %+v, want the model or its profile there", id, region, entered)
				}
			}
		}
	}
}
