package control

import (
	"maps"
	"slices"

	"fairway/internal/inference"
)

// listTagsForResource is POST /listTagsForResource: the tags by key.
func (f *Front) listTagsForResource(c *call) (any, error) {
	var r struct {
		ARN *string `json:"resourceARN"`
	}
	if err := decode(c.body, &r); err != nil {
		return nil, err
	}
	name, err := f.permitted(c, "bedrock:ListTagsForResource", r.ARN, nil)
	if err != nil {
		return nil, err
	}
	tags, err := f.tagsOf(c, name)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Tags []tag `json:"tags"`
	}{[]tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		answer.Tags = append(answer.Tags, tag{&key, new(tags[key])})
	}
	return answer, nil
}

// tagsOf are the tags of an application profile that is kept here, or else in a
// real region.
func (f *Front) tagsOf(c *call, name inference.ARN) (map[string]string, error) {
	if f.isOwn(c, name) {
		a, ok, err := f.Applications.Application(c.ctx, name)
		if ok || err != nil {
			return a.Tags, err
		}
	}
	tags, ok, err := f.Catalog.Tags(c.ctx, name, c.region)
	return tags, found(ok, err)
}
