package anthropic

import (
	"context"
	"strings"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// An operation answers a call whose body is open.
type operation func(*Front, context.Context, *call) error

// operations are the paths of the API.
var operations = map[string]operation{
	"/v1/messages":              (*Front).messages,
	"/v1/messages/count_tokens": (*Front).countTokens,
}

// Serves reports whether the percent-encoded path is for this front: one of its
// operations or something below it, such as batches, or anything under /anthropic.
func Serves(path string) bool {
	rest, _ := cutRegion(path)
	return isUnder(rest, "/v1/messages") || isUnder(rest, prefix)
}

func isUnder(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || rest[0] == '/')
}

// prefix is where Bedrock has the API, and what clients put behind the host.
const prefix = "/anthropic"

// parsePath is the region of the base path, empty without one, and the operation;
// nil where the path is of none. No path of the API has a character to encode, so
// that an encoded one is another path.
func parsePath(path string) (inference.Region, operation) {
	rest, region := cutRegion(path)
	return region, operations[strings.TrimPrefix(rest, prefix)]
}

// cutRegion cuts /region/{region} off.
func cutRegion(path string) (string, inference.Region) {
	after, ok := strings.CutPrefix(path, "/region/")
	if !ok {
		return path, ""
	}
	name, rest, _ := strings.Cut(after, "/")
	if !front.IsRegion(inference.Region(name)) {
		return path, ""
	}
	return "/" + rest, inference.Region(name)
}
