package front

import (
	"strings"
	"testing"

	"fairway/internal/inference"
)

func TestSourceRegion(t *testing.T) {
	const host = "bedrock-runtime.ap-southeast-1.amazonaws.com"
	for _, tt := range []struct {
		service    string
		signed     inference.Region
		host       string
		base, want inference.Region // want is empty for a refusal
	}{
		{"bedrock", "eu-west-1", "localhost:20002", "us-west-2", "eu-west-1"},
		{"bedrock", "ap-southeast-1", host, "", "ap-southeast-1"},
		{"bedrock", "", host, "us-west-2", "ap-southeast-1"},
		{"bedrock", "", "bedrock.ap-southeast-1.amazonaws.com:443", "", "ap-southeast-1"},
		{"bedrock", "", "localhost", "us-west-2", "us-west-2"},
		{"bedrock", "", "bedrock-runtime.localhost", "", "us-east-1"},
		{"bedrock", "eu-west-1", host, "", ""},
		{"bedrock", "nowhere", "localhost", "", ""},
		{"s3", "ap-southeast-1", host, "", ""},
		{"", "", host, "", ""},
	} {
		credential := inference.Credential{Service: tt.service, Region: tt.signed}
		got, err := SourceRegion(credential, tt.host, tt.base, "us-east-1")
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("SourceRegion(%+v, %q, %q) = %q, %v, want %q", credential, tt.host, tt.base, got, err, tt.want)
		}
	}
}

// TestShortTermKeyIsOfOneRegion: the key of another region than the one that is called is
// refused, as the service does; one that no region is named for calls its own.
func TestShortTermKeyIsOfOneRegion(t *testing.T) {
	key := inference.Credential{Service: "bedrock", Region: "eu-west-1", Bearer: true, BearerType: inference.ShortTerm}
	for _, tt := range []struct {
		host string
		base inference.Region
		good bool
	}{
		{"localhost", "", true},
		{"localhost", "eu-west-1", true},
		{"bedrock-runtime.eu-west-1.amazonaws.com", "", true},
		{"localhost", "us-west-2", false},
		{"bedrock-runtime.us-west-2.amazonaws.com", "", false},
		{"bedrock-runtime.us-west-2.amazonaws.com", "eu-west-1", false},
		{"bedrock-runtime.eu-west-1.amazonaws.com", "us-west-2", false},
	} {
		got, err := SourceRegion(key, tt.host, tt.base, "us-east-1")
		if tt.good && (got != "eu-west-1" || err != nil) || !tt.good && inference.AsError(err).Kind != inference.InvalidSignature {
			t.Errorf("SourceRegion(a key of eu-west-1, %q, %q) = %q, %v, want it good: %t", tt.host, tt.base, got, err, tt.good)
		}
	}
}

func TestIsRegion(t *testing.T) {
	for _, r := range []string{"us-east-1", "ap-southeast-7", "us-gov-west-1", "mx-central-1", "us-isob-east-1"} {
		if !IsRegion(inference.Region(r)) {
			t.Errorf("IsRegion(%q) = false, want true", r)
		}
	}
	for _, r := range []string{"", "us", "us-east", "us-east-", "us--1", "US-EAST-1", "us-east-1/", "us-east-1a", "europe-west-1", strings.Repeat("a-", 20) + "1"} {
		if IsRegion(inference.Region(r)) {
			t.Errorf("IsRegion(%q) = true, want false", r)
		}
	}
}
