package control

import (
	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// getFoundationModel is GET /foundation-models/{modelIdentifier}.
func (f *Front) getFoundationModel(c *call) (any, error) {
	var wrong findings
	wrong.text("modelIdentifier", &c.id, true, modelIdentifier)
	if err := wrong.err(); err != nil {
		return nil, err
	}
	name := inference.ARN(c.id)
	if _, err := arn.Parse(c.id); err != nil {
		name = inference.ModelARN(c.region, inference.ModelID(c.id))
	}
	if err := f.permit(c, "bedrock:GetFoundationModel", name); err != nil {
		return nil, err
	}
	for _, m := range f.Catalog.ListModels(c.region) {
		if inference.ModelARN(c.region, m.ID) == name {
			return struct {
				Details modelJSON `json:"modelDetails"`
			}{encodeModel(m, c.region)}, nil
		}
	}
	return nil, notFound(msgNoModel)
}
