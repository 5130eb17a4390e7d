package front

import (
	"cmp"
	"slices"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/wire/address"
)

// The service's texts for a signature that is good for something else.
const (
	msgWrongService = "Credential should be scoped to correct service: 'bedrock'."
	msgWrongRegion  = "Credential should be scoped to a valid region."
)

// SourceRegion is where a call enters: the region it was signed for, else the one
// its Host names, else that of the base path, else the default. A signature for
// another service, or for another region than the Host's, is refused. So is a
// short-term key, which is good in its own region alone, below the base path of another.
func SourceRegion(c inference.Credential, host string, base, fallback inference.Region) (inference.Region, error) {
	named := HostRegion(host)
	switch {
	case c.Service != "bedrock":
		return "", refuseScope(msgWrongService)
	case c.Region != "" && (!IsRegion(c.Region) || named != "" && named != c.Region),
		c.BearerType == inference.ShortTerm && base != "" && base != c.Region:
		return "", refuseScope(msgWrongRegion)
	}
	return cmp.Or(c.Region, named, base, fallback), nil
}

func refuseScope(message string) error {
	return &inference.Error{Kind: inference.InvalidSignature, Op: "check signature scope", Message: message}
}

// HostRegion is the region of a Host that is an endpoint of the service, such as
// "bedrock-runtime.ap-southeast-1.amazonaws.com", also by FIPS, through a VPC
// endpoint, or with nothing behind the region; empty for any other host.
func HostRegion(host string) inference.Region {
	labels := strings.Split(strings.ToLower(address.Host(host)), ".")
	if strings.HasPrefix(labels[0], "vpce-") {
		labels = labels[1:]
	}
	if len(labels) < 2 || !slices.Contains(services, labels[0]) || !slices.Contains(domains, strings.Join(labels[2:], ".")) {
		return ""
	}
	if region := inference.Region(labels[1]); IsRegion(region) {
		return region
	}
	return ""
}

// The names of the service's endpoints, and what they are below of.
var (
	services = []string{"bedrock", "bedrock-fips", "bedrock-runtime", "bedrock-runtime-fips"}
	domains  = []string{"", "amazonaws.com", "amazonaws.com.cn", "api.aws", "vpce.amazonaws.com"}
)

// IsRegion reports whether r has the form of a region code: a geography of two
// or three letters, words, a number, as in "us-gov-west-1".
func IsRegion(r inference.Region) bool {
	words := strings.Split(string(r), "-")
	if len(words) < 3 || len(r) > 32 {
		return false
	}
	last := len(words) - 1
	for _, w := range words[:last] {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" {
			return false
		}
	}
	return len(words[0]) <= 3 && words[last] != "" && strings.Trim(words[last], "0123456789") == ""
}
