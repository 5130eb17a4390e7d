package catalog

import (
	"bytes"
	"encoding/json"
	"slices"

	"fairway/internal/inference"
)

// profile is a system-defined inference profile.
type profile struct {
	id           inference.ProfileID
	name         string
	model        inference.ModelID
	global       bool
	destinations map[inference.Region][]inference.Region // by source region, in catalog order
}

// profileRow is a row of inference-profiles.json.
type profileRow struct {
	ID      inference.ProfileID `json:"id"`
	Name    string              `json:"name"`
	Model   inference.ModelID   `json:"model_id"`
	Geo     string              `json:"geo"`
	Sources sources             `json:"source_regions"`
}

// sources is the object {source region: [destination regions]} in the order of
// its keys, which is the catalog order of a global profile's destinations.
type sources []sourceRegion

type sourceRegion struct {
	region       inference.Region
	destinations []inference.Region
}

// UnmarshalJSON keeps the order of the keys, which a map would lose.
func (s *sources) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil { // the opening brace
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		row := sourceRegion{region: inference.Region(name)}
		if err := dec.Decode(&row.destinations); err != nil {
			return err
		}
		*s = append(*s, row)
	}
	return nil
}

func (r profileRow) profile() profile {
	p := profile{
		id:           r.ID,
		name:         r.Name,
		model:        r.Model,
		global:       r.Geo == "global",
		destinations: make(map[inference.Region][]inference.Region, len(r.Sources)),
	}
	everywhere := make([]inference.Region, len(r.Sources))
	for i, s := range r.Sources {
		everywhere[i] = s.region
	}
	for _, s := range r.Sources {
		if slices.Contains(s.destinations, "*") {
			s.destinations = everywhere
		}
		p.destinations[s.region] = s.destinations
	}
	return p
}
