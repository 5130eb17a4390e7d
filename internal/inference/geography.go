package inference

// geography is a name for the regions of one place.
type geography struct {
	name    string
	regions []Region
}

// geographies are where the regions of AWS are on the map of law. London and Zurich are
// apart from eu, since the United Kingdom and Switzerland are not in the European Union.
// The prefix of a profile is another thing: eu. is a routing geography of AWS, whose
// profiles may be called, and then run, in London and Zurich too. It tells where AWS
// sends a call and is no promise of law.
func geographies() []geography {
	return []geography{
		{"af", []Region{"af-south-1"}},
		{"apac", []Region{
			"ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
			"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
		}},
		{"au", []Region{"ap-southeast-2", "ap-southeast-4"}},
		{"ca", []Region{"ca-central-1", "ca-west-1"}},
		{"ch", []Region{"eu-central-2"}},
		{"eu", []Region{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"}},
		{"il", []Region{"il-central-1"}},
		{"in", []Region{"ap-south-1", "ap-south-2"}},
		{"jp", []Region{"ap-northeast-1", "ap-northeast-3"}},
		{"kr", []Region{"ap-northeast-2"}},
		{"me", []Region{"me-central-1", "me-south-1"}},
		{"mx", []Region{"mx-central-1"}},
		{"sa", []Region{"sa-east-1"}},
		{"sg", []Region{"ap-southeast-1"}},
		{"uk", []Region{"eu-west-2"}},
		{"us", []Region{"us-east-1", "us-east-2", "us-west-1", "us-west-2"}},
		{"us-gov", []Region{"us-gov-east-1", "us-gov-west-1"}},
	}
}

// Geography is the regions of a geography by its name, such as "eu". It reports false
// for a name that is none.
func Geography(name string) ([]Region, bool) {
	for _, g := range geographies() {
		if g.name == name {
			return g.regions, true
		}
	}
	return nil, false
}

// Geographies are the names that Geography knows, sorted.
func Geographies() []string {
	var names []string
	for _, g := range geographies() {
		names = append(names, g.name)
	}
	return names
}
