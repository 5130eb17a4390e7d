package control

import (
	"slices"
	"strings"

	"fairway/internal/inference"
)

// listFoundationModels is GET /foundation-models: those that can be called from
// the region, by their own id or through a profile, all on one page.
func (f *Front) listFoundationModels(c *call) (any, error) {
	provider, customization := c.query.Get("byProvider"), c.query.Get("byCustomizationType")
	modality, inferenceType := c.query.Get("byOutputModality"), c.query.Get("byInferenceType")
	var wrong findings
	wrong.enum("byCustomizationType", customization, "FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION")
	wrong.enum("byOutputModality", modality, "TEXT", "IMAGE", "EMBEDDING")
	wrong.enum("byInferenceType", inferenceType, "ON_DEMAND", "PROVISIONED")
	if err := wrong.err(); err != nil {
		return nil, err
	}
	if err := f.permit(c, "bedrock:ListFoundationModels", "*"); err != nil {
		return nil, err
	}
	wanted := func(m inference.ModelListing) bool {
		return customization == "" &&
			(provider == "" || strings.EqualFold(provider, m.Provider)) &&
			(modality == "" || slices.Contains(m.Output, modality)) &&
			(inferenceType == "" || slices.Contains(m.InferenceTypes, inferenceType))
	}
	answer := struct {
		Summaries []modelJSON `json:"modelSummaries"`
	}{[]modelJSON{}}
	for _, m := range f.Catalog.ListModels(c.region) {
		if wanted(m) {
			answer.Summaries = append(answer.Summaries, encodeModel(m, c.region))
		}
	}
	return answer, nil
}
