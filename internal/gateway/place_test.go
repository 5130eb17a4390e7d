package gateway

import (
	"testing"

	"fairway/internal/inference"
)

// TestPlace: a record names the destination where the run set has but one, which
// need not be the entry region, and else says that nobody knows.
func TestPlace(t *testing.T) {
	for _, test := range []struct {
		target      inference.Target
		region      inference.Region
		destination string
	}{
		{inference.Target{Region: "a"}, "a", ""},
		{inference.Target{Region: "a", RunSet: []inference.Region{"b"}}, "b", ""},
		{inference.Target{Region: "a", RunSet: []inference.Region{"a", "b", "c"}}, "", "unknown (one of 3)"},
		{inference.Target{Region: "a", RunSet: []inference.Region{"a"}, OpenEnded: true}, "", "unknown (one of 1)"},
	} {
		record := inference.Record{DestinationRegion: "before", Destination: "before"} // the answer was gone on with
		place(&record, test.target)
		if record.DestinationRegion != test.region || record.Destination != test.destination {
			t.Errorf("place(%+v) = %q, %q, want %q, %q", test.target, record.DestinationRegion, record.Destination, test.region, test.destination)
		}
	}
}
