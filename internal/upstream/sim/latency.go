package sim

import (
	_ "embed"
	"encoding/json"
	"math"
	"strings"
	"time"

	"fairway/internal/inference"
)

// regionRTT is ../shared/facts/region-rtt.json: cloudping.co's yearly p50 between
// regions, captured 2025-05-29, with coordinates and a fit for missing pairs.
//
//go:embed region-rtt.json
var regionRTT []byte

// atlas knows how far regions are from one another.
type atlas struct {
	About struct {
		Fit struct {
			Intercept float64 `json:"intercept_ms"`
			Slope     float64 `json:"slope_ms_per_km"`
		} `json:"fit"`
	} `json:"_about"`
	Coordinates map[inference.Region]struct{ Lat, Lon float64 }   `json:"coordinates"`
	RTT         map[inference.Region]map[inference.Region]float64 `json:"rtt_ms"`
}

func loadAtlas() *atlas {
	a := new(atlas)
	if err := json.Unmarshal(regionRTT, a); err != nil {
		panic("sim: embedded region-rtt.json: " + err.Error())
	}
	return a
}

// Round trips in ms where nothing is known: within a region about what the table
// has there; between regions that are on no map, half-way around the world.
const (
	localRTT   = 4
	unknownRTT = 200
)

// rtt is the round trip between two regions in ms.
func (a *atlas) rtt(from, to inference.Region) float64 {
	if ms, ok := a.RTT[from][to]; ok {
		return ms
	}
	if from == to {
		return localRTT
	}
	p, known := a.Coordinates[from]
	q, alsoKnown := a.Coordinates[to]
	if !known || !alsoKnown {
		return unknownRTT
	}
	return a.About.Fit.Intercept + a.About.Fit.Slope*kilometres(p.Lat, p.Lon, q.Lat, q.Lon)
}

// kilometres is the great-circle distance (haversine) between two points in degrees.
func kilometres(lat1, lon1, lat2, lon2 float64) float64 {
	const earth, radian = 6371, math.Pi / 180
	half := func(a, b float64) float64 { s := math.Sin((b - a) * radian / 2); return s * s }
	h := half(lat1, lat2) + math.Cos(lat1*radian)*math.Cos(lat2*radian)*half(lon1, lon2)
	return 2 * earth * math.Asin(math.Sqrt(h))
}

// pace is how fast one call goes, in simulated time.
type pace struct {
	travel time.Duration // one way between source region and destination region
	start  time.Duration // to the first token of a short prompt
	token  time.Duration // for each output token
}

// readRate is how many input tokens a second a model reads before it speaks.
const readRate = 20_000

// first is the time to the first token.
func (p pace) first(input int) time.Duration {
	return p.start + time.Duration(input)*time.Second/readRate
}

// classes of models by a part of their id, the first that fits: time to first
// token in ms and output tokens a second. The figures are ours: plausible
// magnitudes for each size of model, not measurements.
var speeds = []struct {
	part  string
	start float64
	rate  float64
}{
	{"haiku", 350, 120},
	{"instant", 350, 120},
	{"opus", 1000, 45},
	{"mythos", 1200, 40},
	{"", 650, 70}, // Sonnet, Fable and what is not known
}

// pace draws a call's latency: the round trip varies by a few per cent, the first
// token by a quarter with a long tail, the rate by a tenth. t names the model.
func (w *World) pace(v *visit, t inference.Target, r *inference.Request) pace {
	source := r.SourceRegion
	if source == "" {
		source = t.Region
	}
	speed := speeds[len(speeds)-1]
	for _, s := range speeds {
		if strings.Contains(t.Model, s.part) {
			speed = s
			break
		}
	}
	factor := 1.0
	if v.fault == Slow {
		factor = 10
	}
	trip := w.atlas.rtt(source, t.Region)
	if v.region != v.entry {
		trip += w.atlas.rtt(t.Region, v.region.name)
	}
	ms := func(n float64) time.Duration { return time.Duration(n * factor * float64(time.Millisecond)) }
	return pace{
		travel: ms(trip / 2 * (1 + 0.03*math.Abs(v.rand.NormFloat64()))),
		start:  ms(speed.start * math.Exp(0.25*v.rand.NormFloat64())),
		token:  ms(1000 / speed.rate * math.Exp(0.1*v.rand.NormFloat64())),
	}
}
