package tokens

import "math"

// Basis is what an estimate rests on.
type Basis string

// The bases.
const (
	Exact      Basis = "exact"      // the model's own vocabulary counted the texts
	Calibrated Basis = "calibrated" // another count, corrected by what the model's answers reported
	Estimated  Basis = "estimated"  // another count, corrected by what is known of the family
)

// Estimate is how many tokens a text or a call has: nine times in ten from Low to High,
// both included. Of nothing it is zero.
type Estimate struct {
	Tokens int   `json:"tokens"`
	Low    int   `json:"low"`
	High   int   `json:"high"`
	Basis  Basis `json:"basis"`
}

// scale turns what the arithmetic counts into an estimate. It never changes.
type scale struct {
	spread
	samples   float64
	factor    float64 // of the mean
	low, high float64 // ends of the interval by the estimate
	basis     Basis
}

// spread is the distribution of log(real/counted).
type spread struct{ mean, deviation float64 }

const (
	ninety    = 1.645 // deviations on either side of the mean: nine in ten
	narrowest = 0.03  // deviation that no model gets below: a text is not the next
	enough    = 8     // samples that make an estimate a calibrated one
)

func newScale(s spread, samples float64) *scale {
	s.deviation = max(s.deviation, narrowest)
	basis := Estimated
	if samples >= enough {
		basis = Calibrated
	}
	return &scale{
		spread: s, samples: samples, basis: basis,
		factor: math.Exp(s.mean),
		low:    math.Exp(-ninety * s.deviation),
		high:   math.Exp(ninety * s.deviation),
	}
}

// counted is the scale for texts that OpenAI's vocabulary counted and not the arithmetic:
// the error of the arithmetic is out of it.
func (s *scale) counted(script Script) *scale {
	arithmetic := ofOpenAI[min(script, Other)]
	rest := s.deviation*s.deviation - arithmetic.deviation*arithmetic.deviation
	return newScale(spread{s.mean - arithmetic.mean, max(math.Sqrt(max(0, rest)), besideVocabulary)}, s.samples)
}

// besideVocabulary is the least deviation between two vocabularies; ours.
const besideVocabulary = 0.06

// estimate is that of a reading. The interval has two things beside the spread: of what is
// no text the arithmetic knows so little that it is half of it wider on either side, and
// a count is off by about its root for what the words are, which tells in short texts.
func (s *scale) estimate(r Reading) Estimate {
	text, frame := s.factor*float64(r.Text), float64(r.Frame)
	if text+frame <= 0 {
		return Estimate{Basis: s.basis}
	}
	root := math.Sqrt(max(0, text))
	return Estimate{
		Tokens: max(1, int(text+frame+0.5)),
		Low:    max(1, int(text*s.low-root+frame/2)),
		High:   int(math.Ceil(text*s.high + root + frame*3/2)),
		Basis:  s.basis,
	}
}
