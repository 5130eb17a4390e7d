package catalog

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"

	"fairway/internal/inference"
)

//go:embed data/*.json
var files embed.FS

// facts is the data files, indexed. It is never modified once built.
type facts struct {
	profiles     map[inference.ProfileID]profile
	profileOrder []inference.ProfileID
	models       map[inference.ModelID]model
	modelOrder   []inference.ModelID
	prices       *Prices
	regions      map[inference.Region]bool
}

// embedded reads the files once, at the first call. It panics when they cannot
// be read: a program built with broken facts is a broken program.
var embedded = sync.OnceValue(func() *facts {
	f := &facts{
		profiles: make(map[inference.ProfileID]profile),
		models:   make(map[inference.ModelID]model),
		regions:  make(map[inference.Region]bool),
	}
	var profileFile struct {
		Profiles []profileRow `json:"profiles"`
	}
	decode("data/inference-profiles.json", &profileFile)
	for _, row := range profileFile.Profiles {
		f.profiles[row.ID] = row.profile()
		f.profileOrder = append(f.profileOrder, row.ID)
	}
	var modelFile struct {
		Models []modelRow `json:"models"`
	}
	decode("data/models.json", &modelFile)
	for _, row := range modelFile.Models {
		f.models[row.ID] = row.model()
		f.modelOrder = append(f.modelOrder, row.ID)
	}
	f.prices = builtin()
	f.indexRegions()
	return f
})

// indexRegions collects every region that a profile or a model names.
func (f *facts) indexRegions() {
	for _, p := range f.profiles {
		for source, destinations := range p.destinations {
			f.regions[source] = true
			for _, d := range destinations {
				f.regions[d] = true
			}
		}
	}
	for _, m := range f.models {
		for region := range m.onDemand {
			f.regions[region] = true
		}
	}
}

func decode(name string, into any) {
	text, err := files.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		panic(fmt.Sprintf("catalog: read %s: %v", name, err))
	}
}
