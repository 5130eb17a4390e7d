package control

import (
	"maps"
	"slices"
)

// listTagsForResource is POST /listTagsForResource: the tags by key.
func (f *Front) listTagsForResource(c *call) (any, error) {
	var r struct {
		ARN *string `json:"resourceARN"`
	}
	if err := decode(c.body, &r); err != nil {
		return nil, err
	}
	name, err := f.tagged(c, "bedrock:ListTagsForResource", r.ARN, nil)
	if err != nil {
		return nil, err
	}
	a, ok, err := f.Applications.Application(c.ctx, name)
	if err := found(ok, err); err != nil {
		return nil, err
	}
	answer := struct {
		Tags []tag `json:"tags"`
	}{[]tag{}}
	for _, key := range slices.Sorted(maps.Keys(a.Tags)) {
		answer.Tags = append(answer.Tags, tag{&key, new(a.Tags[key])})
	}
	return answer, nil
}
