package simulate

import (
	_ "embed"
	"encoding/json"
	"math"
	"time"

	"fairway/internal/inference"
)

// regionRTT is cloudping.co's yearly p50 between regions, captured 2025-05-29, with
// coordinates and a fit for missing pairs. Simulated regions have the same file.
//
//go:embed region-rtt.json
var regionRTT []byte

// atlas knows where regions are.
type atlas struct {
	About struct {
		Fit struct {
			Intercept float64 `json:"intercept_ms"`
			Slope     float64 `json:"slope_ms_per_km"`
		} `json:"fit"`
	} `json:"_about"`
	Places map[inference.Region]place                        `json:"coordinates"`
	RTT    map[inference.Region]map[inference.Region]float64 `json:"rtt_ms"`
}

// place is a point on the globe in degrees.
type place struct{ Lat, Lon float64 }

func loadAtlas() *atlas {
	a := new(atlas)
	if err := json.Unmarshal(regionRTT, a); err != nil {
		panic("simulate: embedded region-rtt.json: " + err.Error())
	}
	return a
}

// Round trips in ms where nothing is known: within a region about what the table has
// there; between regions that are on no map, half-way around the world.
const (
	localRTT   = 4
	unknownRTT = 200
)

// trip is the round trip between two regions.
func (a *atlas) trip(from, to inference.Region) time.Duration {
	return time.Duration(a.rtt(from, to) * float64(time.Millisecond))
}

func (a *atlas) rtt(from, to inference.Region) float64 {
	if ms, ok := a.RTT[from][to]; ok {
		return ms
	}
	if from == to {
		return localRTT
	}
	p, known := a.Places[from]
	q, alsoKnown := a.Places[to]
	if !known || !alsoKnown {
		return unknownRTT
	}
	return a.About.Fit.Intercept + a.About.Fit.Slope*kilometres(p, q)
}

// kilometres is the great-circle distance (haversine).
func kilometres(p, q place) float64 {
	const earth, radian = 6371, math.Pi / 180
	half := func(a, b float64) float64 { s := math.Sin((b - a) * radian / 2); return s * s }
	h := half(p.Lat, q.Lat) + math.Cos(p.Lat*radian)*math.Cos(q.Lat*radian)*half(p.Lon, q.Lon)
	return 2 * earth * math.Asin(math.Sqrt(h))
}

// noon is how long after midnight UTC the sun is highest in a region: by its
// longitude, an hour for fifteen degrees.
func (a *atlas) noon(in inference.Region) time.Duration {
	return 12*time.Hour - time.Duration(a.Places[in].Lon/15*float64(time.Hour))
}
