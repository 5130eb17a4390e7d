package control

import (
	"strconv"
	"strings"

	"fairway/internal/inference"
)

// tag is Tag of the Smithy model.
type tag struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

// maxTags is how many tags one request may have; a profile has fewer still.
const maxTags = 200

// tags holds tags against what they may be and gives them as a map. Of a key that
// comes twice one value is there: checkTags refuses it.
func (f *findings) tags(all []tag) map[string]string {
	if len(all) > maxTags {
		*f = append(*f, "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to "+strconv.Itoa(maxTags))
		return nil
	}
	set := make(map[string]string, len(all))
	for i, t := range all {
		member := "tags." + strconv.Itoa(i+1) + ".member."
		f.text(member+"key", t.Key, true, tagKey)
		f.text(member+"value", t.Value, true, tagValue)
		set[given(t.Key)] = given(t.Value)
	}
	return set
}

// checkTags refuses, of tags that are well formed, those that may not be set.
func checkTags(all []tag) error {
	seen := make(map[string]bool, len(all))
	for _, t := range all {
		key := *t.Key
		switch {
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return refuse("aws: prefixed tag key names are not allowed for external use.")
		case seen[key]:
			return refuse("The tag key " + key + " is given more than once.")
		}
		seen[key] = true
	}
	return nil
}

// given is a member that may not have come.
func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// tagged is the resource whose tags a request changes, once the caller may do the
// action on it. Nothing but application profiles has tags here. Errors are those of
// permitted, and ResourceNotFound where it is of another region or account.
func (f *Front) tagged(c *call, action string, name *string, wrong findings) (inference.ARN, error) {
	resource, err := f.permitted(c, action, name, wrong)
	if err == nil && !f.isOwn(c, resource) {
		return "", notFound(msgNoResource)
	}
	return resource, err
}

// permitted is the resource that a request about tags names, once the caller may do
// the action on it. Errors are of kind Validation and AccessDenied.
func (f *Front) permitted(c *call, action string, name *string, wrong findings) (inference.ARN, error) {
	wrong.text("resourceARN", name, true, taggable)
	if err := wrong.err(); err != nil {
		return "", err
	}
	resource := inference.ARN(*name)
	return resource, f.permit(c, action, resource)
}

// found is what a change of tags comes to.
func found(ok bool, err error) error {
	if err == nil && !ok {
		return notFound(msgNoResource)
	}
	return err
}
