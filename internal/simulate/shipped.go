package simulate

import (
	"embed"
	"path"
	"strings"
)

//go:embed scenarios/*.yaml
var scenarios embed.FS

// Shipped are the scenarios that come with the program, by name.
func Shipped() []*Scenario {
	files, err := scenarios.ReadDir("scenarios")
	if err != nil {
		panic("simulate: embedded scenarios: " + err.Error())
	}
	var list []*Scenario
	for _, f := range files {
		s, _ := Named(strings.TrimSuffix(f.Name(), path.Ext(f.Name())))
		list = append(list, s)
	}
	return list
}

// Named is the shipped scenario of that name; ok is false where there is none.
func Named(name string) (s *Scenario, ok bool) {
	data, err := scenarios.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		return nil, false
	}
	if s, err = Parse(name, data); err != nil {
		panic("simulate: embedded scenario: " + err.Error())
	}
	return s, true
}
