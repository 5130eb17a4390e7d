package control

// tagResource is POST /tagResource: sets tags and leaves the others.
func (f *Front) tagResource(c *call) (any, error) {
	var r struct {
		ARN  *string `json:"resourceARN"`
		Tags []tag   `json:"tags"`
	}
	if err := decode(c.body, &r); err != nil {
		return nil, err
	}
	var wrong findings
	if r.Tags == nil {
		wrong.text("tags", nil, true, tagKey)
	}
	tags := wrong.tags(r.Tags)
	name, err := f.tagged(c, "bedrock:TagResource", r.ARN, wrong)
	if err != nil {
		return nil, err
	}
	if err := checkTags(r.Tags); err != nil {
		return nil, err
	}
	return nil, found(f.Applications.TagApplication(c.ctx, name, tags))
}
