package openai

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// operation is what can be asked of the API.
type operation struct {
	method string
	answer func(*Front, context.Context, *call) error
}

var (
	chatCompletions = operation{http.MethodPost, (*Front).chatCompletions}
	listModels      = operation{http.MethodGet, (*Front).listModels}
	retrieveModel   = operation{http.MethodGet, (*Front).retrieveModel}
)

// The paths of the API, and where Bedrock had it before.
const (
	pathChat   = "/v1/chat/completions"
	pathModels = "/v1/models"
	prefix     = "/openai"
)

// Serves reports whether the percent-encoded path is for this front: anything under
// /openai, or under /v1 but for what is Anthropic's there, whose front is asked first.
func Serves(path string) bool {
	path, _ = cutRegion(path)
	return isUnder(path, "/v1") || isUnder(path, prefix)
}

func isUnder(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, dir)
	return ok && (rest == "" || rest[0] == '/')
}

// path is a decoded request path.
type path struct {
	region    inference.Region // of the base path, empty without one
	operation operation
	model     string // of retrieveModel, decoded once; an ARN holds slashes
}

// parsePath takes the path as it was sent. The model of /v1/models/{id} is the rest
// of the path: clients encode the slash of an ARN or send it as it is. When ok is
// false the path is zero.
func parsePath(escaped string) (p path, ok bool) {
	rest, region := cutRegion(escaped)
	p.region = region
	rest = strings.TrimPrefix(rest, prefix)
	switch rest {
	case pathChat:
		p.operation = chatCompletions
		return p, true
	case pathModels:
		p.operation = listModels
		return p, true
	}
	named, ok := strings.CutPrefix(rest, pathModels+"/")
	model, err := url.PathUnescape(named)
	if !ok || err != nil || model == "" {
		return path{}, false
	}
	p.operation, p.model = retrieveModel, model
	return p, true
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
