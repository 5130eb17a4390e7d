package catalog

import (
	"context"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// Applications knows the application inference profiles. It reports false for one
// that does not exist. It is safe for concurrent use.
type Applications interface {
	Application(ctx context.Context, arn inference.ARN) (inference.Application, bool, error)
}

// application finds an application profile.
func (c *Catalog) application(ctx context.Context, named string, source inference.Region) (inference.Profile, bool, error) {
	id, ok := c.applicationID(named, source)
	if !ok || c.applications == nil {
		return inference.Profile{}, false, nil
	}
	a, ok, err := c.applications.Application(ctx, inference.ApplicationARN(source, c.account, id))
	if !ok || err != nil {
		return inference.Profile{}, false, err
	}
	profile, err := c.Resolve(a)
	return profile, err == nil, err
}

// ask asks the Remote for what may be an inference profile. A region that nobody
// knows of has no control plane: asking would take a host from the caller.
func (c *Catalog) ask(ctx context.Context, named string, source inference.Region) (inference.Profile, bool, error) {
	if c.remote == nil || !IsRegion(source) || !askable(named, source) {
		return inference.Profile{}, false, nil
	}
	return c.remote(ctx, named, source)
}

// applicationID is the id of the application profile that was named by it, or by
// the ARN that it would have in source.
func (c *Catalog) applicationID(named string, source inference.Region) (string, bool) {
	id := named
	if name, err := arn.Parse(named); err == nil {
		_, id, _ = strings.Cut(name.Resource, "/")
		if named != string(inference.ApplicationARN(source, c.account, id)) {
			return "", false
		}
	}
	return id, inference.IsApplicationID(id)
}

// Resolve is the profile that an application profile stands for, in its own
// region: it runs where what it copies runs. Errors are of kind Validation, when
// nothing of what it copies can be called there any more.
func (c *Catalog) Resolve(a inference.Application) (inference.Profile, error) {
	profile, err := c.known(string(a.CopiedFrom), a.Region)
	if err != nil {
		return inference.Profile{}, err
	}
	profile.CopiedFrom = profile.Named()
	profile.ID, profile.ARN = inference.ProfileID(a.ID), a.ARN()
	return profile, nil
}

// maxIdentifier is the longest identifier of an inference profile, in bytes
// (Smithy shape InferenceProfileIdentifier).
const maxIdentifier = 2048

// askable reports whether named may be an inference profile that another control
// plane knows: an ARN of one in source, or an id that is not that of a model.
func askable(named string, source inference.Region) bool {
	if name, err := arn.Parse(named); err == nil {
		kind, id, _ := strings.Cut(name.Resource, "/")
		isProfile := kind == "inference-profile" || kind == "application-inference-profile"
		return isProfile && name.Service == "bedrock" && name.Region == string(source) && isIdentifier(id)
	}
	_, isModel := embedded().models[inference.ModelID(named)]
	return !isModel && isIdentifier(named)
}

// isIdentifier reports whether id has the characters of a profile's id.
func isIdentifier(id string) bool {
	return id != "" && len(id) <= maxIdentifier &&
		strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:.") == ""
}
