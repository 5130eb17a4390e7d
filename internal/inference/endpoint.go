package inference

import (
	"net/url"
	"strings"
)

// BedrockEndpoint is the region of a Bedrock Runtime endpoint,
// "https://bedrock-runtime.ap-southeast-1.amazonaws.com"; false for every other.
func BedrockEndpoint(endpoint string) (Region, bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.Port() != "" {
		return "", false
	}
	region, ok := strings.CutPrefix(u.Hostname(), "bedrock-runtime.")
	region, isAWS := strings.CutSuffix(region, ".amazonaws.com")
	if !ok || !isAWS || region == "" || strings.ContainsRune(region, '.') {
		return "", false
	}
	return Region(region), true
}

// ServiceRole is the role that a data source calls as, with the ARN that its
// sessions have when AppSync assumes it.
func ServiceRole(account, name string) Principal {
	return Principal{
		Name: name,
		ARN:  ARN("arn:aws:sts::" + account + ":assumed-role/" + name + "ServiceRole/APPSYNC_ASSUME_ROLE"),
	}
}
