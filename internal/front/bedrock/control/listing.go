package control

import (
	"strings"
	"time"

	"fairway/internal/inference"
)

// profileJSON is an inference profile as it goes on the wire (Smithy shapes
// InferenceProfileSummary and GetInferenceProfileResponse).
type profileJSON struct {
	Name        string         `json:"inferenceProfileName"`
	Description string         `json:"description,omitempty"`
	Created     time.Time      `json:"createdAt,omitzero"`
	Updated     time.Time      `json:"updatedAt,omitzero"`
	ARN         inference.ARN  `json:"inferenceProfileArn"`
	Models      []profileModel `json:"models"`
	ID          string         `json:"inferenceProfileId"`
	Status      string         `json:"status"`
	Type        string         `json:"type"`
}

type profileModel struct {
	ARN inference.ARN `json:"modelArn"`
}

// The types of an inference profile.
const (
	systemDefined = "SYSTEM_DEFINED"
	application   = "APPLICATION"
)

const active = "ACTIVE"

func encodeProfile(p inference.ProfileListing) profileJSON {
	kind := systemDefined
	if strings.Contains(string(p.ARN), ":application-inference-profile/") {
		kind = application
	}
	return profileJSON{
		Name: p.Name, Description: p.Description, Created: p.Created, Updated: p.Updated,
		ARN: p.ARN, Models: profileModels(p.Profile), ID: string(p.ID), Status: active, Type: kind,
	}
}

// profileModels is the models of a profile: in each destination, or of a global
// one the regionless ARN and that of the source region.
func profileModels(p inference.Profile) []profileModel {
	if p.Global {
		return []profileModel{{inference.ModelARN("", p.Model)}, {inference.ModelARN(p.SourceRegion, p.Model)}}
	}
	all := make([]profileModel, len(p.Destinations))
	for i, region := range p.Destinations {
		all[i] = profileModel{inference.ModelARN(region, p.Model)}
	}
	return all
}

// describe is an application profile as the control plane shows it. Where what it
// copies is gone from the catalog it has no models.
func (f *Front) describe(a inference.Application) inference.ProfileListing {
	p, err := f.Catalog.Resolve(a)
	if err != nil {
		p = inference.Profile{ID: inference.ProfileID(a.ID), ARN: a.ARN(), SourceRegion: a.Region, CopiedFrom: string(a.CopiedFrom)}
	}
	return inference.ProfileListing{Profile: p, Name: a.Name, Description: a.Description, Created: a.Created, Updated: a.Updated}
}

// modelJSON is a foundation model as it goes on the wire (Smithy shapes
// FoundationModelSummary and FoundationModelDetails).
type modelJSON struct {
	ARN            inference.ARN     `json:"modelArn"`
	ID             inference.ModelID `json:"modelId"`
	Name           string            `json:"modelName"`
	Provider       string            `json:"providerName"`
	Input          []string          `json:"inputModalities"`
	Output         []string          `json:"outputModalities"`
	Streaming      bool              `json:"responseStreamingSupported"`
	Customizations []string          `json:"customizationsSupported"`
	InferenceTypes []string          `json:"inferenceTypesSupported"`
	Lifecycle      lifecycleJSON     `json:"modelLifecycle"`
}

type lifecycleJSON struct {
	Status         string    `json:"status"`
	Start          time.Time `json:"startOfLifeTime,omitzero"`
	Legacy         time.Time `json:"legacyTime,omitzero"`
	ExtendedAccess time.Time `json:"publicExtendedAccessTime,omitzero"`
	EndOfLife      time.Time `json:"endOfLifeTime,omitzero"`
}

// encodeModel has no customizations: here no model is customized.
func encodeModel(m inference.ModelListing, region inference.Region) modelJSON {
	return modelJSON{
		ARN: inference.ModelARN(region, m.ID), ID: m.ID, Name: m.Name, Provider: m.Provider,
		Input: list(m.Input), Output: list(m.Output), Streaming: m.Streaming,
		Customizations: []string{}, InferenceTypes: list(m.InferenceTypes),
		Lifecycle: lifecycleJSON(m.Lifecycle),
	}
}

// list is never null on the wire.
func list(values []string) []string { return append([]string{}, values...) }
