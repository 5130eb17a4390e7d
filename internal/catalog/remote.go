package catalog

import (
	"context"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// Describe asks the Remote for what may be an inference profile, by its id or ARN.
func (c *Catalog) Describe(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, bool, error) {
	p, ok, err := c.askRemote(ctx, named, source)
	if !ok || err != nil || p.ID == "" {
		return inference.ProfileListing{}, false, err
	}
	return p, true, nil
}

// Tags asks the Remote for the tags of an application profile.
func (c *Catalog) Tags(ctx context.Context, profile inference.ARN, source inference.Region) (map[string]string, bool, error) {
	kind, _ := identified(string(profile), source)
	if c.remote == nil || !IsRegion(source) || kind != "application-inference-profile" {
		return nil, false, nil
	}
	return c.remote.Tags(ctx, profile, source)
}

// ask is askRemote for who wants to call what it finds.
func (c *Catalog) ask(ctx context.Context, named string, source inference.Region) (inference.Profile, bool, error) {
	p, ok, err := c.askRemote(ctx, named, source)
	return p.Profile, ok, err
}

// askRemote asks for what may be a profile or a model. A region that nobody knows
// of has no control plane: asking would take a host from the caller.
func (c *Catalog) askRemote(ctx context.Context, named string, source inference.Region) (inference.ProfileListing, bool, error) {
	if c.remote == nil || !IsRegion(source) || !askable(named, source) {
		return inference.ProfileListing{}, false, nil
	}
	return c.remote.Profile(ctx, named, source)
}

// maxIdentifier is the longest identifier of an inference profile, in bytes
// (Smithy shape InferenceProfileIdentifier).
const maxIdentifier = 2048

// askable reports whether named may be an inference profile or a model that another
// control plane knows: an ARN of one in source, or an id, that is not that of a
// model known here.
func askable(named string, source inference.Region) bool {
	kind, id := named, named
	if strings.HasPrefix(named, "arn:") {
		kind, id = identified(named, source)
		if kind != "inference-profile" && kind != "application-inference-profile" && kind != "foundation-model" {
			return false
		}
	}
	_, isKnown := embedded().models[inference.ModelID(id)]
	return !isKnown && isIdentifier(id, "")
}

// identified takes the ARN of a resource of Bedrock's in source apart. What is
// anything else has no kind.
func identified(named string, source inference.Region) (kind, id string) {
	name, err := arn.Parse(named)
	if err != nil || name.Service != "bedrock" || name.Region != string(source) {
		return "", ""
	}
	kind, id, _ = strings.Cut(name.Resource, "/")
	return kind, id
}

// isIdentifier reports whether id has the characters of a profile's or model's id,
// or any of more.
func isIdentifier(id, more string) bool {
	return id != "" && len(id) <= maxIdentifier &&
		strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:."+more) == ""
}
