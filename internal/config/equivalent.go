package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// Equivalent is what stands in other regions for a guardrail or for a regional
// resource that runs a model, such as a provisioned model, so that a call which
// names it may go there.
type Equivalent struct {
	Resource string                      `yaml:"resource"` // as calls name it: its ARN, or a guardrail's id
	Regions  map[inference.Region]string `yaml:"regions"`  // ARN or id by region
}

var guardrailForm = regexp.MustCompile(`^[a-z0-9]{1,64}$`) // of an id

func validateEquivalents(found *findings, all []Equivalent) {
	resources := map[string]bool{}
	for i, e := range all {
		path := fmt.Sprintf("bedrock.equivalents[%d]", i)
		kind, home := kindOf(e.Resource)
		found.check(kind != "", path+".resource", "want the ARN of a provisioned or custom model, a prompt or a guardrail, or the id of a guardrail, got %q", e.Resource)
		unique(found, resources, e.Resource, path+".resource")
		found.check(len(e.Regions) > 0, path+".regions", "want at least one region with what stands for the resource there")
		for _, r := range slices.Sorted(maps.Keys(e.Regions)) {
			found.region(r, path+".regions")
			other, at := kindOf(e.Regions[r])
			found.check(kind == "" || other == kind && (at == r || at == ""), path+".regions", "want a %s of %s, got %q", kind, r, e.Regions[r])
			found.check(r != home, path+".regions", "want other regions than %s, where the resource is", r)
		}
	}
}

// kindOf is the kind of a resource, empty for what is none, and its region as far
// as it tells.
func kindOf(named string) (kind string, region inference.Region) {
	if guardrailForm.MatchString(named) {
		return "guardrail", ""
	}
	name, err := arn.Parse(named)
	if err != nil || name.Service != "bedrock" || name.Region == "" {
		return "", ""
	}
	kind, id, _ := strings.Cut(name.Resource, "/")
	if id == "" || kind != "guardrail" && !inference.IsRegionalKind(kind) {
		return "", ""
	}
	return kind, inference.Region(name.Region)
}
