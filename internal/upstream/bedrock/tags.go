package bedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"fairway/internal/inference"
)

// Tags asks source's control plane for the tags of an application profile. It
// reports false as Profile does.
func (u *Upstream) Tags(ctx context.Context, profile inference.ARN, source inference.Region) (map[string]string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, profileTimeout)
	defer cancel()
	tags, err := u.listTags(ctx, profile, source)
	ok, err := u.found(ctx, err, source)
	return tags, ok, err
}

// listTags is ListTagsForResource.
func (u *Upstream) listTags(ctx context.Context, resource inference.ARN, source inference.Region) (map[string]string, error) {
	base, err := u.control.at(source)
	if err != nil {
		return nil, err
	}
	question := encode(map[string]inference.ARN{"resourceARN": resource})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("listTagsForResource").String(), bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	body, err := u.ask(request, question, string(resource), source)
	if err != nil {
		return nil, err
	}
	var said struct {
		Tags []struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"tags"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, lost(ctx, err)
	}
	tags := make(map[string]string, len(said.Tags))
	for _, t := range said.Tags {
		tags[t.Key] = t.Value
	}
	return tags, nil
}
