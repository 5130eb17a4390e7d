package catalog

import "fairway/internal/inference"

// model is a foundation model and where it can be called.
type model struct {
	inference.Model
	onDemand    map[inference.Region][]inference.Region // region to itself as the one destination
	profileOnly map[inference.Region]bool
	lifecycle   lifecycle

	input, output []string // modalities
	profileAlso   map[inference.Region]bool
}

// lifecycle is the "lifecycle" object of a row of models.json.
type lifecycle struct {
	Status    string `json:"status"` // ACTIVE, LEGACY or EOL, as of the file's date
	Launch    string `json:"launch_date"`
	Legacy    string `json:"legacy_date"`
	Extended  string `json:"public_extended_access_date"`
	EndOfLife string `json:"eol_date"`
	Confirmed bool   `json:"eol_confirmed_by_call"`
	Uncertain bool   `json:"uncertain"`
	Successor *struct {
		Model inference.ModelID `json:"model_id"`
		Basis string            `json:"basis"`
	} `json:"successor"`
}

// modelRow is a row of models.json; what is null there is not known and zero here.
type modelRow struct {
	ID        inference.ModelID `json:"model_id"`
	Name      string            `json:"name"`
	Provider  string            `json:"provider"`
	Streaming supported         `json:"streaming"`
	Lifecycle lifecycle         `json:"lifecycle"`
	Regions   struct {
		OnDemand    []inference.Region `json:"on_demand"`
		ProfileOnly []inference.Region `json:"profile_only"`
		ProfileAlso []inference.Region `json:"profile_also"`
	} `json:"regions"`
	Modalities struct {
		Input  []string `json:"input"`
		Output []string `json:"output"`
	} `json:"modalities"`
	Limits struct {
		ContextWindow int `json:"context_window"`
		MaxOutput     int `json:"max_output_tokens"`
		MaxOutputExcl struct {
			Value bool `json:"value"`
		} `json:"max_output_exclusive"`
	} `json:"limits"`
	Features struct {
		Prefill     supported `json:"assistant_prefill"`
		CountTokens supported `json:"count_tokens"`
		Caching     supported `json:"prompt_caching"`
	} `json:"features"`
	Quota struct {
		OutputBurndown int `json:"output_burndown"`
	} `json:"quota"`
}

type supported struct {
	Supported bool `json:"supported"`
}

func (r modelRow) model() model {
	m := model{
		Model: inference.Model{
			ID:              r.ID,
			Name:            r.Name,
			Provider:        r.Provider,
			ContextWindow:   r.Limits.ContextWindow,
			MaxOutput:       r.Limits.MaxOutput,
			MaxOutputExcl:   r.Limits.MaxOutputExcl.Value,
			Prefill:         r.Features.Prefill.Supported,
			Streaming:       r.Streaming.Supported,
			CountTokens:     r.Features.CountTokens.Supported,
			Caching:         r.Features.Caching.Supported,
			OutputBurndown:  max(r.Quota.OutputBurndown, 1),
			EndOfLife:       r.Lifecycle.EndOfLife,
			EndOfLifeMarked: r.Lifecycle.EndOfLife != "" && !r.Lifecycle.Confirmed,
		},
		onDemand:    make(map[inference.Region][]inference.Region, len(r.Regions.OnDemand)),
		profileOnly: make(map[inference.Region]bool, len(r.Regions.ProfileOnly)),
		profileAlso: make(map[inference.Region]bool, len(r.Regions.ProfileAlso)),
		lifecycle:   r.Lifecycle,
		input:       r.Modalities.Input,
		output:      r.Modalities.Output,
	}
	for _, region := range r.Regions.OnDemand {
		m.onDemand[region] = []inference.Region{region}
	}
	for _, region := range r.Regions.ProfileOnly {
		m.profileOnly[region] = true
	}
	for _, region := range r.Regions.ProfileAlso {
		m.profileAlso[region] = true
	}
	return m
}
