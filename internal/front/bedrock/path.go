package bedrock

import (
	"net/url"
	"strings"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// path is a decoded request path.
type path struct {
	region inference.Region // of the base path, empty without one
	model  string           // decoded once; an ARN holds slashes
	action string           // "invoke"
}

// parsePath reads /model/{modelId}/{action}, also after /region/{region}. It
// takes the path as it was sent, for only there a slash inside modelId differs
// from one between segments: SDKs send %3A and %2F, AppSync and curl users a
// literal colon. When ok is false the path is zero.
func parsePath(escaped string) (p path, ok bool) {
	segments := strings.Split(escaped, "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return path{}, false
		}
		segments[i] = plain
	}
	if len(segments) == 6 && segments[1] == "region" {
		p.region = inference.Region(segments[2])
		if !front.IsRegion(p.region) {
			return path{}, false
		}
		segments = segments[2:]
		segments[0] = ""
	}
	if len(segments) != 4 || segments[0] != "" || segments[1] != "model" || segments[2] == "" {
		return path{}, false
	}
	p.model, p.action = segments[2], segments[3]
	return p, true
}
