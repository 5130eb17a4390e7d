package control_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fairway/internal/inference"
)

func TestSDKListsSystemProfiles(t *testing.T) {
	p := newPlane(t)
	c := p.client(singapore)
	var ids []string
	pages := bedrock.NewListInferenceProfilesPaginator(c, &bedrock.ListInferenceProfilesInput{MaxResults: aws.Int32(7)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(page.InferenceProfileSummaries) > 7 {
			t.Fatalf("a page has %d profiles, want at most 7", len(page.InferenceProfileSummaries))
		}
		for _, s := range page.InferenceProfileSummaries {
			ids = append(ids, *s.InferenceProfileId)
		}
	}
	var want []string
	for _, profile := range p.catalog.Profiles(singapore) {
		want = append(want, string(profile.ID))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, ids); diff != "" || len(ids) < 8 {
		t.Errorf("ListInferenceProfiles in pages of 7 (-want +got):\n%s", diff)
	}
	for _, region := range []string{"us-east-1", "eu-west-1"} {
		out, err := p.client(region).ListInferenceProfiles(t.Context(), &bedrock.ListInferenceProfilesInput{TypeEquals: types.InferenceProfileTypeSystemDefined})
		if err != nil || len(out.InferenceProfileSummaries) != len(p.catalog.Profiles(inference.Region(region))) || out.NextToken != nil {
			t.Errorf("ListInferenceProfiles from %s = %d of them, %v, want all that can be called there", region, len(out.InferenceProfileSummaries), err)
		}
	}
}

func TestSDKGetsSystemProfiles(t *testing.T) {
	launched := time.Date(2025, 5, 22, 0, 0, 0, 0, time.UTC) // the model
	c := newPlane(t).client(singapore)
	for _, id := range []string{"apac." + sonnet4, apac} {
		out, err := c.GetInferenceProfile(t.Context(), &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &id})
		if err != nil {
			t.Fatalf("GetInferenceProfile(%s) = %v", id, err)
		}
		const description = "Routes requests to Claude Sonnet 4 in ap-northeast-1, ap-northeast-2, ap-northeast-3, ap-south-1, ap-south-2, ap-southeast-1, ap-southeast-2 and ap-southeast-4."
		if *out.InferenceProfileArn != apac || *out.InferenceProfileId != "apac."+sonnet4 || *out.Description != description ||
			!out.CreatedAt.Equal(launched) || !out.UpdatedAt.Equal(launched) || out.Status != types.InferenceProfileStatusActive || out.Type != types.InferenceProfileTypeSystemDefined || len(out.Models) != 8 ||
			*out.Models[0].ModelArn != "arn:aws:bedrock:ap-northeast-1::foundation-model/"+sonnet4 {
			t.Errorf("GetInferenceProfile(%s) = %+v", id, out)
		}
	}
	out, err := c.GetInferenceProfile(t.Context(), &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: aws.String("global.anthropic.claude-sonnet-4-6")})
	if err != nil {
		t.Fatal(err)
	}
	var models []string
	for _, m := range out.Models {
		models = append(models, *m.ModelArn)
	}
	want := []string{
		"arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-6",
		"arn:aws:bedrock:ap-southeast-1::foundation-model/anthropic.claude-sonnet-4-6",
	}
	if diff := cmp.Diff(want, models); diff != "" {
		t.Errorf("models of a global profile (-want +got):\n%s", diff)
	}
}

// TestSDKApplicationProfile is the life of an application profile: created, found,
// called, tagged and deleted.
func TestSDKApplicationProfile(t *testing.T) {
	p := newPlane(t)
	c := p.client(singapore)
	create := &bedrock.CreateInferenceProfileInput{
		InferenceProfileName: aws.String("team-a"), Description: aws.String("Cost of team A"), ClientRequestToken: aws.String("token-1"),
		ModelSource: &types.InferenceProfileModelSourceMemberCopyFrom{Value: apac},
		Tags:        []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}, {Key: aws.String("cost"), Value: aws.String("")}},
	}
	created, err := c.CreateInferenceProfile(t.Context(), create)
	if err != nil || created.Status != types.InferenceProfileStatusActive {
		t.Fatalf("CreateInferenceProfile() = %+v, %v", created, err)
	}
	name := *created.InferenceProfileArn
	again, err := c.CreateInferenceProfile(t.Context(), create)
	if err != nil || *again.InferenceProfileArn != name {
		t.Errorf("CreateInferenceProfile() with the same token = %+v, %v, want %s", again, err, name)
	}
	_, id, _ := strings.Cut(name, "/")
	for _, identifier := range []string{name, id} {
		out, err := c.GetInferenceProfile(t.Context(), &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &identifier})
		if err != nil || *out.InferenceProfileId != id || *out.InferenceProfileName != "team-a" || *out.Description != "Cost of team A" ||
			out.Type != types.InferenceProfileTypeApplication || len(out.Models) != 8 || time.Since(*out.CreatedAt) > time.Minute || !out.UpdatedAt.Equal(*out.CreatedAt) {
			t.Errorf("GetInferenceProfile(%s) = %+v, %v", identifier, out, err)
		}
		profile, err := p.catalog.Lookup(t.Context(), identifier, singapore)
		if err != nil || profile.CopiedFrom != "apac."+sonnet4 || string(profile.ARN) != name || profile.Model != sonnet4 || len(profile.Destinations) != 8 {
			t.Errorf("Lookup(%s) = %+v, %v, want the profile at once", identifier, profile, err)
		}
	}
	list, err := c.ListInferenceProfiles(t.Context(), &bedrock.ListInferenceProfilesInput{TypeEquals: types.InferenceProfileTypeApplication})
	if err != nil || len(list.InferenceProfileSummaries) != 1 || *list.InferenceProfileSummaries[0].InferenceProfileArn != name {
		t.Errorf("ListInferenceProfiles(APPLICATION) = %+v, %v", list, err)
	}
	tagLife(t, c, name)

	if _, err := c.DeleteInferenceProfile(t.Context(), &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &name}); err != nil {
		t.Errorf("DeleteInferenceProfile() = %v", err)
	}
	if _, err := p.catalog.Lookup(t.Context(), name, singapore); inference.AsError(err).Message != "The provided model identifier is invalid." {
		t.Errorf("Lookup() of a deleted profile = %v", err)
	}
	_, err = c.DeleteInferenceProfile(t.Context(), &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &id})
	wantError[*types.ResourceNotFoundException](t, "DeleteInferenceProfile() again", err)
}

// tagLife begins with the tags team=a and cost= of the profile.
func tagLife(t *testing.T, c *bedrock.Client, name string) {
	t.Helper()
	tags := func() map[string]string {
		out, err := c.ListTagsForResource(t.Context(), &bedrock.ListTagsForResourceInput{ResourceARN: &name})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, tag := range out.Tags {
			got[*tag.Key] = *tag.Value
		}
		return got
	}
	if diff := cmp.Diff(map[string]string{"team": "a", "cost": ""}, tags()); diff != "" {
		t.Errorf("tags of a new profile (-want +got):\n%s", diff)
	}
	_, err := c.TagResource(t.Context(), &bedrock.TagResourceInput{ResourceARN: &name, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("b")}}})
	if err != nil {
		t.Error(err)
	}
	if _, err := c.UntagResource(t.Context(), &bedrock.UntagResourceInput{ResourceARN: &name, TagKeys: []string{"cost", "absent"}}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"team": "b"}, tags()); diff != "" {
		t.Errorf("tags after changes (-want +got):\n%s", diff)
	}
	var many []types.Tag
	for i := range 51 {
		many = append(many, types.Tag{Key: aws.String(strings.Repeat("k", i+1)), Value: aws.String("")})
	}
	_, err = c.TagResource(t.Context(), &bedrock.TagResourceInput{ResourceARN: &name, Tags: many})
	wantError[*types.TooManyTagsException](t, "TagResource() with too many", err)
}

// wantError wants the SDK's own type of an error.
func wantError[T error](t *testing.T, what string, err error) {
	t.Helper()
	var target T
	if !errors.As(err, &target) {
		t.Errorf("%s = %v, want %T", what, err, target)
	}
}

func TestSDKErrors(t *testing.T) {
	p := newPlane(t)
	c := p.client(singapore)
	source := &types.InferenceProfileModelSourceMemberCopyFrom{Value: apac}
	if _, err := c.CreateInferenceProfile(t.Context(), &bedrock.CreateInferenceProfileInput{InferenceProfileName: aws.String("taken"), ModelSource: source}); err != nil {
		t.Fatal(err)
	}
	_, err := c.CreateInferenceProfile(t.Context(), &bedrock.CreateInferenceProfileInput{InferenceProfileName: aws.String("taken"), ModelSource: source})
	wantError[*types.ConflictException](t, "CreateInferenceProfile() with a name that is taken", err)
	_, err = c.CreateInferenceProfile(t.Context(), &bedrock.CreateInferenceProfileInput{InferenceProfileName: aws.String("a!"), ModelSource: source})
	wantError[*types.ValidationException](t, "CreateInferenceProfile() with a bad name", err)
	_, err = c.GetInferenceProfile(t.Context(), &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: aws.String("apac.none")})
	wantError[*types.ResourceNotFoundException](t, "GetInferenceProfile() of none", err)
	_, err = p.client("us-east-1").GetInferenceProfile(t.Context(), &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: aws.String(apac)})
	wantError[*types.ResourceNotFoundException](t, "GetInferenceProfile() of another region", err)
	_, err = c.DeleteInferenceProfile(t.Context(), &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: aws.String(apac)})
	wantError[*types.ValidationException](t, "DeleteInferenceProfile() of a system-defined one", err)
	_, err = c.ListTagsForResource(t.Context(), &bedrock.ListTagsForResourceInput{ResourceARN: aws.String(apac)})
	wantError[*types.ResourceNotFoundException](t, "ListTagsForResource() of a system-defined profile", err)
	_, err = c.GetFoundationModel(t.Context(), &bedrock.GetFoundationModelInput{ModelIdentifier: aws.String("anthropic.claude-9")})
	wantError[*types.ResourceNotFoundException](t, "GetFoundationModel() of none", err)
	p.store.Close()
	_, err = c.ListInferenceProfiles(t.Context(), &bedrock.ListInferenceProfilesInput{TypeEquals: types.InferenceProfileTypeApplication})
	if err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "ServiceUnavailableException") {
		t.Errorf("ListInferenceProfiles() without a store = %v, want it to be unavailable", err)
	}
}

func TestSDKFoundationModels(t *testing.T) {
	c := newPlane(t).client(singapore)
	for _, id := range []string{sonnet4, "arn:aws:bedrock:ap-southeast-1::foundation-model/" + sonnet4} {
		out, err := c.GetFoundationModel(t.Context(), &bedrock.GetFoundationModelInput{ModelIdentifier: &id})
		if err != nil {
			t.Fatal(err)
		}
		want := &types.FoundationModelDetails{
			ModelArn: aws.String("arn:aws:bedrock:ap-southeast-1::foundation-model/" + sonnet4), ModelId: aws.String(sonnet4),
			ModelName: aws.String("Claude Sonnet 4"), ProviderName: aws.String("Anthropic"),
			InputModalities: []types.ModelModality{"TEXT", "IMAGE"}, OutputModalities: []types.ModelModality{"TEXT"},
			ResponseStreamingSupported: aws.Bool(true), CustomizationsSupported: []types.ModelCustomization{},
			InferenceTypesSupported: []types.InferenceType{"INFERENCE_PROFILE"},
			ModelLifecycle: &types.FoundationModelLifecycle{
				Status: "LEGACY", EndOfLifeTime: day("2026-10-14"), LegacyTime: day("2026-04-14"),
				StartOfLifeTime: day("2025-05-22"), PublicExtendedAccessTime: out.ModelDetails.ModelLifecycle.PublicExtendedAccessTime,
			},
		}
		if diff := cmp.Diff(want, out.ModelDetails, cmpopts.IgnoreUnexported(types.FoundationModelDetails{}, types.FoundationModelLifecycle{})); diff != "" {
			t.Errorf("GetFoundationModel(%s) (-want +got):\n%s", id, diff)
		}
	}
	list := func(in bedrock.ListFoundationModelsInput) []types.FoundationModelSummary {
		t.Helper()
		out, err := c.ListFoundationModels(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return out.ModelSummaries
	}
	all := list(bedrock.ListFoundationModelsInput{})
	for name, test := range map[string]struct {
		in   bedrock.ListFoundationModelsInput
		want func(types.FoundationModelSummary) bool
	}{
		"provider": {bedrock.ListFoundationModelsInput{ByProvider: aws.String("anthropic")}, func(m types.FoundationModelSummary) bool { return *m.ProviderName == "Anthropic" }},
		"modality": {bedrock.ListFoundationModelsInput{ByOutputModality: "EMBEDDING"}, func(m types.FoundationModelSummary) bool { return slices.Contains(m.OutputModalities, "EMBEDDING") }},
		"inference type": {bedrock.ListFoundationModelsInput{ByInferenceType: "ON_DEMAND"}, func(m types.FoundationModelSummary) bool {
			return slices.Contains(m.InferenceTypesSupported, "ON_DEMAND")
		}},
		"customization": {bedrock.ListFoundationModelsInput{ByCustomizationType: "FINE_TUNING"}, func(types.FoundationModelSummary) bool { return false }},
	} {
		want := 0
		for _, m := range all {
			if test.want(m) {
				want++
			}
		}
		got := list(test.in)
		if len(got) != want || want == len(all) || want == 0 && name != "customization" {
			t.Errorf("ListFoundationModels by %s = %d of %d, want %d", name, len(got), len(all), want)
		}
		for _, m := range got {
			if !test.want(m) {
				t.Errorf("ListFoundationModels by %s has %s", name, *m.ModelId)
			}
		}
	}
}

func day(text string) *time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return &t
}
