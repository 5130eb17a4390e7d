package control

import (
	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// getInferenceProfile is GET /inference-profiles/{inferenceProfileIdentifier}.
func (f *Front) getInferenceProfile(c *call) (any, error) {
	name, err := f.profileARN(c)
	if err != nil {
		return nil, err
	}
	if err := f.permit(c, "bedrock:GetInferenceProfile", name); err != nil {
		return nil, err
	}
	p, ok, err := f.find(c, name)
	if !ok && err == nil {
		p, err = f.findElsewhere(c, name)
	}
	if err != nil {
		return nil, err
	}
	return encodeProfile(p), nil
}

// profileARN is the ARN of the profile that the path identifies, whether there is
// one or not. The error is of kind Validation.
func (f *Front) profileARN(c *call) (inference.ARN, error) {
	var wrong findings
	wrong.text("inferenceProfileIdentifier", &c.id, true, profileIdentifier)
	if err := wrong.err(); err != nil {
		return "", err
	}
	switch _, err := arn.Parse(c.id); {
	case err == nil:
		return inference.ARN(c.id), nil
	case inference.IsApplicationID(c.id):
		return inference.ApplicationARN(c.region, f.Account, c.id), nil
	default:
		return inference.ProfileARN(c.region, f.Account, inference.ProfileID(c.id)), nil
	}
}

// find is the profile of an ARN, of either type, as far as it is known here. It
// reports false where it cannot be called from the caller's region.
func (f *Front) find(c *call, name inference.ARN) (inference.ProfileListing, bool, error) {
	for _, p := range f.Catalog.ListProfiles(c.region) {
		if p.ARN == name {
			return p, true, nil
		}
	}
	if !f.isOwn(c, name) {
		return inference.ProfileListing{}, false, nil
	}
	a, ok, err := f.Applications.Application(c.ctx, name)
	if !ok || err != nil {
		return inference.ProfileListing{}, false, err
	}
	return f.describe(a), true, nil
}

// findElsewhere is a profile that only the control plane of a real region knows. The
// caller must be permitted to see it under the ARN that it has there, which is of
// the account that calls go to. The error is of kind ResourceNotFound where there is
// none, AccessDenied, or what the control plane failed with.
func (f *Front) findElsewhere(c *call, name inference.ARN) (inference.ProfileListing, error) {
	p, ok, err := f.Catalog.Describe(c.ctx, c.id, c.region)
	switch {
	case err != nil:
		return inference.ProfileListing{}, err
	case !ok:
		return inference.ProfileListing{}, notFound(msgNoProfile)
	case p.ARN != name:
		return p, f.permit(c, "bedrock:GetInferenceProfile", p.ARN)
	}
	return p, nil
}

// isOwn reports whether an ARN is of the caller's region and the server's account.
func (f *Front) isOwn(c *call, name inference.ARN) bool {
	fields, err := arn.Parse(string(name))
	return err == nil && fields.Region == string(c.region) && fields.Account == f.Account
}
