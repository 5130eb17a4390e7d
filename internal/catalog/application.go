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
