package control

// deleteInferenceProfile is DELETE /inference-profiles/{inferenceProfileIdentifier}
// of an application profile. Calls that are under way go on.
func (f *Front) deleteInferenceProfile(c *call) (any, error) {
	name, err := f.profileARN(c)
	if err != nil {
		return nil, err
	}
	if err := f.permit(c, "bedrock:DeleteInferenceProfile", name); err != nil {
		return nil, err
	}
	p, ok, err := f.find(c, name)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, notFound(msgNoProfile)
	case p.CopiedFrom == "":
		return nil, refuse("The provided inference profile is system-defined and cannot be deleted.")
	}
	_, err = f.Applications.DeleteApplication(c.ctx, name)
	return nil, err
}
