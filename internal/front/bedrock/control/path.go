package control

import (
	"net/url"
	"strings"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// resource is the form of a path: its first segment, with "/" when an id follows.
type resource string

const (
	profiles resource = "inference-profiles"
	profile  resource = "inference-profiles/"
	models   resource = "foundation-models"
	model    resource = "foundation-models/"
	listTags resource = "listTagsForResource"
	addTags  resource = "tagResource"
	dropTags resource = "untagResource"
)

// path is a decoded request path.
type path struct {
	region   inference.Region // of the base path, empty without one
	resource resource
	id       string // decoded once; an ARN holds slashes
}

// parsePath reads the path of a control plane operation, also after
// /region/{region}. It takes the path as it was sent, for only there a slash
// inside an id differs from one between segments. When ok is false the path is
// zero.
func parsePath(escaped string) (p path, ok bool) {
	region, rest, ok := base(escaped)
	if !ok {
		return path{}, false
	}
	name, id, hasID := strings.Cut(rest, "/")
	p = path{region: region, resource: resource(name)}
	if hasID {
		plain, err := url.PathUnescape(id)
		if err != nil || plain == "" || strings.Contains(id, "/") {
			return path{}, false
		}
		p.resource, p.id = p.resource+"/", plain
	}
	if operations[p.resource] == nil {
		return path{}, false
	}
	return p, true
}

// base takes the slash and the base path off the front of a path. It reports
// false for a base path that names no region.
func base(escaped string) (inference.Region, string, bool) {
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok {
		return "", "", false
	}
	after, ok := strings.CutPrefix(rest, "region/")
	if !ok {
		return "", rest, true
	}
	name, rest, ok := strings.Cut(after, "/")
	region := inference.Region(name)
	if !ok || !front.IsRegion(region) {
		return "", "", false
	}
	return region, rest, true
}

// Serves reports whether a path, percent-encoded as it was sent, is the control
// plane's: also one of no operation, which a Front answers in the service's form.
func Serves(escaped string) bool {
	_, rest, ok := base(escaped)
	name, _, _ := strings.Cut(rest, "/")
	return ok && operations[resource(name)] != nil
}
