package sim

import (
	"math"
	"strings"
	"time"

	"fairway/internal/inference"
)

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
	trip := w.atlas.RoundTrip(source, t.Region)
	if v.region != v.entry {
		trip += w.atlas.RoundTrip(t.Region, v.region.name)
	}
	ms := func(n float64) time.Duration { return time.Duration(n * factor * float64(time.Millisecond)) }
	return pace{
		travel: ms(trip.Seconds() * 1000 / 2 * (1 + 0.03*math.Abs(v.rand.NormFloat64()))),
		start:  ms(speed.start * math.Exp(0.25*v.rand.NormFloat64())),
		token:  ms(1000 / speed.rate * math.Exp(0.1*v.rand.NormFloat64())),
	}
}
