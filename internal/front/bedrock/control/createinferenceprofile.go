package control

import "fairway/internal/inference"

// createRequest is CreateInferenceProfileRequest of the Smithy model.
type createRequest struct {
	Name        *string `json:"inferenceProfileName"`
	Description *string `json:"description"`
	Token       *string `json:"clientRequestToken"`
	Source      *struct {
		CopyFrom *string `json:"copyFrom"`
	} `json:"modelSource"`
	Tags []tag `json:"tags"`
}

// createInferenceProfile is POST /inference-profiles: an application profile,
// which can be called at once.
func (f *Front) createInferenceProfile(c *call) (any, error) {
	a, err := f.requested(c)
	if err != nil {
		return nil, err
	}
	every := inference.ApplicationARN(c.region, f.Account, "*")
	if err := f.permit(c, "bedrock:CreateInferenceProfile", every, a.CopiedFrom); err != nil {
		return nil, err
	}
	if len(a.Tags) > 0 {
		if err := f.permit(c, "bedrock:TagResource", every); err != nil {
			return nil, err
		}
	}
	if _, err := f.Catalog.Resolve(a); err != nil {
		return nil, err
	}
	created, err := f.Applications.CreateApplication(c.ctx, a)
	if err != nil {
		return nil, err
	}
	return struct {
		ARN    inference.ARN `json:"inferenceProfileArn"`
		Status string        `json:"status"`
	}{created.ARN(), active}, nil
}

// requested is the profile that a request asks for. Errors are of kind Validation.
func (f *Front) requested(c *call) (inference.Application, error) {
	var r createRequest
	if err := decode(c.body, &r); err != nil {
		return inference.Application{}, err
	}
	var wrong findings
	wrong.text("inferenceProfileName", r.Name, true, profileName)
	wrong.text("description", r.Description, false, profileDescription)
	wrong.text("clientRequestToken", r.Token, false, requestToken)
	if r.Source == nil {
		wrong.text("modelSource", nil, true, copySource)
	} else {
		wrong.text("modelSource.copyFrom", r.Source.CopyFrom, true, copySource)
	}
	tags := wrong.tags(r.Tags)
	if err := wrong.err(); err != nil {
		return inference.Application{}, err
	}
	if err := checkTags(r.Tags); err != nil {
		return inference.Application{}, err
	}
	return inference.Application{
		Account: f.Account, Region: c.region, Name: *r.Name, Description: given(r.Description),
		CopiedFrom: inference.ARN(*r.Source.CopyFrom), Token: given(r.Token), Tags: tags,
	}, nil
}
