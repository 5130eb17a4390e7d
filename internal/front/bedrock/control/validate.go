package control

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"fairway/internal/front"
	"fairway/internal/inference"
)

// decode reads a JSON body. Members that the operation does not have are passed
// over. The error is of kind Validation.
func decode(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	if err == nil && utf8.Valid(body) {
		return nil
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "decode request", Err: err,
		Message: "Malformed input request, please reformat your input and try again.",
	}
}

// text is what a string member may be (Smithy constraint traits; API reference,
// read November 2026).
type text struct {
	min, max int // characters
	pattern  string
	match    *regexp.Regexp
}

func textOf(min, max int, pattern string) text {
	return text{min, max, pattern, regexp.MustCompile("^(?:" + pattern + ")$")}
}

const arnHead = `arn:aws(|-us-gov|-cn|-iso|-iso-b):bedrock:(|[0-9a-z-]{1,20}):(|[0-9]{12}):`

var (
	profileName        = textOf(1, 64, `([0-9a-zA-Z][ _-]?)+`)
	profileDescription = textOf(1, 200, `([0-9a-zA-Z:.][ _-]?)+`)
	requestToken       = textOf(1, 256, `[a-zA-Z0-9](-*[a-zA-Z0-9])*`)
	copySource         = textOf(1, 2048, arnHead+`(inference-profile|foundation-model)/[a-zA-Z0-9-:.]+`)
	profileIdentifier  = textOf(1, 2048, `(`+arnHead+`(inference-profile|application-inference-profile)/)?[a-zA-Z0-9-:.]+`)
	modelIdentifier    = textOf(1, 2048, `(`+arnHead+`[a-z-]+/)?[a-zA-Z0-9-_:./]+`)
	taggable           = textOf(20, 1011, arnHead+`[a-z-]+/[a-zA-Z0-9-_:./]+`)
	tagKey             = textOf(1, 128, `[a-zA-Z0-9\s._:/=+@-]*`)
	tagValue           = textOf(0, 256, `[a-zA-Z0-9\s._:/=+@-]*`)
	pageToken          = textOf(1, 2048, `\S*`)
)

// findings are what is wrong with a request, in the service's words.
type findings []string

// text holds a member against what it may be; nil is one that did not come.
func (f *findings) text(member string, value *string, required bool, t text) {
	switch {
	case value == nil && required:
		*f = append(*f, "Value at '"+member+"' failed to satisfy constraint: Member must not be null")
	case value == nil:
	case utf8.RuneCountInString(*value) < t.min:
		f.add(*value, member, "Member must have length greater than or equal to "+strconv.Itoa(t.min))
	case utf8.RuneCountInString(*value) > t.max:
		f.add(*value, member, "Member must have length less than or equal to "+strconv.Itoa(t.max))
	case !t.match.MatchString(*value):
		f.add(*value, member, "Member must satisfy regular expression pattern: "+t.pattern)
	}
}

// enum holds a member against the values it may have; the empty one did not come.
func (f *findings) enum(member, value string, values ...string) {
	for _, v := range values {
		if value == "" || value == v {
			return
		}
	}
	f.add(value, member, "Member must satisfy enum value set: ["+strings.Join(values, ", ")+"]")
}

func (f *findings) add(value, member, constraint string) {
	*f = append(*f, "Value '"+front.Clip(value)+"' at '"+member+"' failed to satisfy constraint: "+constraint)
}

// err is all findings as one Validation, nil when there is none.
func (f findings) err() error {
	errors := " validation errors"
	switch len(f) {
	case 0:
		return nil
	case 1:
		errors = " validation error"
	}
	return refuse(strconv.Itoa(len(f)) + errors + " detected: " + strings.Join(f, "; "))
}

func refuse(message string) error {
	return &inference.Error{Kind: inference.Validation, Op: "check request", Message: message}
}

// Our words for what does not exist; of the service's own only those for a model
// are known (aws-samples/bedrock-chat#91).
const (
	msgNoModel    = "Could not resolve the foundation model from the provided model identifier."
	msgNoProfile  = "The provided inference profile could not be found."
	msgNoResource = "The provided resource could not be found."
)

func notFound(message string) error {
	return &inference.Error{Kind: inference.ResourceNotFound, Op: "find resource", Message: message}
}
