package catalog

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// kept is Applications by ARN.
type kept map[inference.ARN]inference.Application

var errKept = &inference.Error{Kind: inference.ServiceUnavailable, Message: "the store is away"}

func (k kept) Application(_ context.Context, arn inference.ARN) (inference.Application, bool, error) {
	if k == nil {
		return inference.Application{}, false, errKept
	}
	a, ok := k[arn]
	return a, ok, nil
}

func keep(all ...inference.Application) kept {
	k := kept{}
	for _, a := range all {
		k[a.ARN()] = a
	}
	return k
}

func application(id string, region inference.Region, copied inference.ARN) inference.Application {
	return inference.Application{ID: id, Account: DefaultAccount, Region: region, Name: id, CopiedFrom: copied}
}

var (
	ofProfile = application("aaaaaaaaaaaa", singapore, inference.ProfileARN(singapore, DefaultAccount, "apac."+sonnet4))
	ofGlobal  = application("bbbbbbbbbbbb", "us-east-1", inference.ProfileARN("us-east-1", DefaultAccount, "global."+sonnet4))
	ofModel   = application("cccccccccccc", tokyo, inference.ModelARN(tokyo, sonnet35))
	ofNothing = application("dddddddddddd", tokyo, inference.ModelARN(tokyo, "anthropic.gone"))
)

func TestLookupApplication(t *testing.T) {
	c := New(Options{Applications: keep(ofProfile, ofGlobal, ofModel, ofNothing)})
	for _, a := range []inference.Application{ofProfile, ofGlobal, ofModel} {
		copied, err := c.Lookup(t.Context(), string(a.CopiedFrom), a.Region)
		if err != nil {
			t.Fatal(err)
		}
		want := copied
		want.ID, want.ARN, want.CopiedFrom = inference.ProfileID(a.ID), a.ARN(), copied.Named()
		for _, named := range []string{a.ID, string(a.ARN())} {
			got, err := c.Lookup(t.Context(), named, a.Region)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("Lookup(%s, %s) = %v (-want +got):\n%s", named, a.Region, err, diff)
			}
			if got, err := c.Lookup(t.Context(), named, "eu-west-1"); err == nil {
				t.Errorf("Lookup(%s) from another region = %+v, want a refusal", named, got)
			}
		}
	}
	other := inference.ApplicationARN(singapore, "999999999999", ofProfile.ID)
	for _, named := range []string{string(other), "AAAAAAAAAAAA", "eeeeeeeeeeee", ofNothing.ID, string(ofProfile.ARN()) + "/x"} {
		got, err := c.Lookup(t.Context(), named, tokyo)
		if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Validation || e.Message != "The provided model identifier is invalid." {
			t.Errorf("Lookup(%s) = %+v, %v, want an invalid identifier", named, got, err)
		}
	}
}

// TestLookupWithoutStore: a store that is away fails what only it knows.
func TestLookupWithoutStore(t *testing.T) {
	c := New(Options{Applications: kept(nil)})
	if _, err := c.Lookup(t.Context(), ofProfile.ID, singapore); !errors.Is(err, errKept) {
		t.Errorf("Lookup(an application profile) = %v, want %v", err, errKept)
	}
	if _, err := c.Lookup(t.Context(), "apac."+sonnet4, singapore); err != nil {
		t.Errorf("Lookup(a system-defined profile) = %v, want the store not asked", err)
	}
}

// TestApplicationPrice: a copy costs what its original does.
func TestApplicationPrice(t *testing.T) {
	c := New(Options{Applications: keep(ofProfile)})
	got, err := c.Lookup(t.Context(), ofProfile.ID, singapore)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := c.Price("apac."+sonnet4, time.Time{})
	if price, ok := c.Price(got.CopiedFrom, time.Time{}); !ok || price.ID != want.ID {
		t.Errorf("Price(%s) = %+v, %v, want %+v", got.CopiedFrom, price, ok, want)
	}
}
