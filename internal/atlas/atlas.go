// Package atlas knows where regions are, and how long a round trip between two of
// them takes.
package atlas

import (
	_ "embed"
	"encoding/json"
	"math"
	"time"

	"fairway/internal/inference"
)

// regionRTT is ../shared/facts/region-rtt.json: cloudping.co's yearly p50 between
// regions, captured 2025-05-29, with coordinates and a fit for missing pairs.
//
//go:embed region-rtt.json
var regionRTT []byte

// Atlas is safe for concurrent use.
type Atlas struct {
	about struct {
		Fit struct {
			Intercept float64 `json:"intercept_ms"`
			Slope     float64 `json:"slope_ms_per_km"`
		} `json:"fit"`
	}
	places map[inference.Region]place
	rtt    map[inference.Region]map[inference.Region]float64
}

// place is a point on the globe in degrees.
type place struct{ Lat, Lon float64 }

// Load reads the embedded table.
func Load() *Atlas {
	a := new(Atlas)
	table := struct {
		About  any `json:"_about"`
		Places any `json:"coordinates"`
		RTT    any `json:"rtt_ms"`
	}{&a.about, &a.places, &a.rtt}
	if err := json.Unmarshal(regionRTT, &table); err != nil {
		panic("atlas: embedded region-rtt.json: " + err.Error())
	}
	return a
}

// Round trips in ms where nothing is known: within a region about what the table
// has there; between regions that are on no map, half-way around the world.
const (
	localRTT   = 4
	unknownRTT = 200
)

// RoundTrip is the round trip between two regions.
func (a *Atlas) RoundTrip(from, to inference.Region) time.Duration {
	return time.Duration(a.milliseconds(from, to) * float64(time.Millisecond))
}

func (a *Atlas) milliseconds(from, to inference.Region) float64 {
	if ms, ok := a.rtt[from][to]; ok {
		return ms
	}
	if from == to {
		return localRTT
	}
	p, known := a.places[from]
	q, alsoKnown := a.places[to]
	if !known || !alsoKnown {
		return unknownRTT
	}
	return a.about.Fit.Intercept + a.about.Fit.Slope*kilometres(p, q)
}

// kilometres is the great-circle distance (haversine).
func kilometres(p, q place) float64 {
	const earth, radian = 6371, math.Pi / 180
	half := func(a, b float64) float64 { s := math.Sin((b - a) * radian / 2); return s * s }
	h := half(p.Lat, q.Lat) + math.Cos(p.Lat*radian)*math.Cos(q.Lat*radian)*half(p.Lon, q.Lon)
	return 2 * earth * math.Asin(math.Sqrt(h))
}

// Noon is how long after midnight UTC the sun is highest in a region: by its
// longitude, an hour for fifteen degrees.
func (a *Atlas) Noon(in inference.Region) time.Duration {
	return 12*time.Hour - time.Duration(a.places[in].Lon/15*float64(time.Hour))
}
