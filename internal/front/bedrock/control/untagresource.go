package control

import "strconv"

// untagResource is POST /untagResource: keys that the resource does not have are
// passed over.
func (f *Front) untagResource(c *call) (any, error) {
	var r struct {
		ARN  *string   `json:"resourceARN"`
		Keys []*string `json:"tagKeys"`
	}
	if err := decode(c.body, &r); err != nil {
		return nil, err
	}
	var wrong findings
	if r.Keys == nil {
		wrong.text("tagKeys", nil, true, tagKey)
	}
	if len(r.Keys) > maxTags {
		wrong = append(wrong, "Value at 'tagKeys' failed to satisfy constraint: Member must have length less than or equal to "+strconv.Itoa(maxTags))
		r.Keys = nil
	}
	keys := make([]string, len(r.Keys))
	for i, key := range r.Keys {
		wrong.text("tagKeys."+strconv.Itoa(i+1)+".member", key, true, tagKey)
		keys[i] = given(key)
	}
	name, err := f.tagged(c, "bedrock:UntagResource", r.ARN, wrong)
	if err != nil {
		return nil, err
	}
	return nil, found(f.Applications.UntagApplication(c.ctx, name, keys))
}
