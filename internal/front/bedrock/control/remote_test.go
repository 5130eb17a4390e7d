package control_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"fairway/internal/inference"
)

const (
	elsewhere  = "arn:aws:bedrock:ap-southeast-1:999999999999:application-inference-profile/abcdef123456"
	systemsNew = "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac.new.model-v1:0"
)

// far is the control plane of a real region, of another account.
type far struct{}

func (far) Profile(_ context.Context, named string, source inference.Region) (inference.ProfileListing, bool, error) {
	made := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	switch named {
	case elsewhere, "abcdef123456":
		return inference.ProfileListing{Name: "theirs", Description: "Their costs", Created: made, Updated: made, Profile: inference.Profile{
			ID: "abcdef123456", ARN: elsewhere, Model: sonnet4, SourceRegion: source, Destinations: []inference.Region{"ap-south-1", source}, Remote: true,
		}}, true, nil
	case "apac.new.model-v1:0", systemsNew:
		return inference.ProfileListing{Name: "APAC New", Created: made, Updated: made, Profile: inference.Profile{
			ID: "apac.new.model-v1:0", ARN: systemsNew, Model: "new.model-v1:0", SourceRegion: source, Destinations: []inference.Region{source}, CopiedFrom: "new.model-v1:0", Remote: true,
		}}, true, nil
	case "new.model-v1:0":
		return inference.ProfileListing{Profile: inference.Profile{Model: "new.model-v1:0", SourceRegion: source, Destinations: []inference.Region{source}, Remote: true}}, true, nil
	case "apac.throttled":
		return inference.ProfileListing{}, false, &inference.Error{Kind: inference.Throttling, Message: "Too many requests, please wait before trying again."}
	}
	return inference.ProfileListing{}, false, nil
}

func (far) Tags(_ context.Context, profile inference.ARN, _ inference.Region) (map[string]string, bool, error) {
	return map[string]string{"team": "theirs"}, profile == elsewhere, nil
}

// TestRemote: what can be called because a real region knows it is shown as well,
// to who may see it under the name that it has there.
func TestRemote(t *testing.T) {
	p := newPlane(t, far{})
	const (
		theirs = `{"inferenceProfileName":"theirs","description":"Their costs","createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z","inferenceProfileArn":"` + elsewhere + `",` +
			`"models":[{"modelArn":"arn:aws:bedrock:ap-south-1::foundation-model/` + sonnet4 + `"},{"modelArn":"arn:aws:bedrock:ap-southeast-1::foundation-model/` + sonnet4 + `"}],` +
			`"inferenceProfileId":"abcdef123456","status":"ACTIVE","type":"APPLICATION"}`
		systems = `{"inferenceProfileName":"APAC New","createdAt":"2026-01-02T03:04:05Z","updatedAt":"2026-01-02T03:04:05Z","inferenceProfileArn":"` + systemsNew + `",` +
			`"models":[{"modelArn":"arn:aws:bedrock:ap-southeast-1::foundation-model/new.model-v1:0"}],"inferenceProfileId":"apac.new.model-v1:0","status":"ACTIVE","type":"SYSTEM_DEFINED"}`
		noProfile  = `{"message":"The provided inference profile could not be found."}`
		noResource = `{"message":"The provided resource could not be found."}`
	)
	for _, test := range []struct {
		key, method, path, body string
		status                  int
		want                    string
	}{
		{"developer", "GET", "/inference-profiles/" + url.PathEscape(elsewhere), "", 200, theirs},
		{"developer", "GET", "/inference-profiles/abcdef123456", "", 200, theirs},
		{"developer", "GET", "/inference-profiles/apac.new.model-v1:0", "", 200, systems},
		{"developer", "GET", "/inference-profiles/" + url.PathEscape(systemsNew), "", 200, systems},
		{"developer", "GET", "/inference-profiles/new.model-v1:0", "", 404, noProfile}, // a model
		{"developer", "GET", "/inference-profiles/apac.none", "", 404, noProfile},
		{"developer", "GET", "/inference-profiles/apac.throttled", "", 429, `{"message":"Too many requests, please wait before trying again."}`},
		{"developer", "GET", "/region/us-east-1/inference-profiles/" + url.PathEscape(elsewhere), "", 404, noProfile},
		{"ours", "GET", "/inference-profiles/abcdef123456", "", 403, `{"Message":"User: arn:aws:iam::123456789012:user/ours is not authorized to perform: bedrock:GetInferenceProfile on resource: ` + elsewhere + ` because no identity-based policy allows the bedrock:GetInferenceProfile action"}`},
		{"developer", "POST", "/listTagsForResource", `{"resourceARN":"` + elsewhere + `"}`, 200, `{"tags":[{"key":"team","value":"theirs"}]}`},
		{"developer", "POST", "/listTagsForResource", `{"resourceARN":"` + elsewhere + `x"}`, 404, noResource},
		{"developer", "POST", "/listTagsForResource", `{"resourceARN":"` + systemsNew + `"}`, 404, noResource},
		{"developer", "POST", "/tagResource", `{"resourceARN":"` + elsewhere + `","tags":[]}`, 404, noResource},
		{"developer", "DELETE", "/inference-profiles/abcdef123456", "", 404, noProfile},
	} {
		response, body := p.askAs(t, test.key, test.method, test.path, test.body)
		if response.StatusCode != test.status || body != test.want {
			t.Errorf("%s %s as %s = %d %s, want %d %s", test.method, test.path, test.key, response.StatusCode, body, test.status, test.want)
		}
	}
	if response, body := newPlane(t).ask(t, http.MethodGet, "/inference-profiles/abcdef123456", ""); response.StatusCode != 404 {
		t.Errorf("GetInferenceProfile where regions are not real = %d %s, want 404", response.StatusCode, body)
	}
}
