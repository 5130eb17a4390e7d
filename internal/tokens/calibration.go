package tokens

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"fairway/internal/inference"
)

// model is what a model's answers have told, by script.
type model struct {
	kind  kind
	cells [scripts]cell
}

func newModel(k kind) *model {
	m := &model{kind: k}
	for s := range m.cells {
		m.cells[s].prior = priors[k][s]
		m.cells[s].scale.Store(priors[k][s])
	}
	return m
}

// cell is what is known of a model's texts in one script. scale is made anew with each
// sample, and read without a lock.
type cell struct {
	prior *scale
	scale atomic.Pointer[scale]

	mu     sync.Mutex
	stored moments // as the store has them
	fresh  moments // since they were last stored
}

// moments are the samples of log(real/counted): how many, their sum, and that of their squares.
type moments struct{ samples, sum, squares float64 }

func (m moments) plus(o moments) moments {
	return moments{m.samples + o.samples, m.sum + o.sum, m.squares + o.squares}
}

func (m moments) times(f float64) moments {
	return moments{m.samples * f, m.sum * f, m.squares * f}
}

const (
	priorSamples = 4   // what a prior weighs
	memory       = 512 // fresh samples; with more than that each weighs half
	outlier      = 3   // deviations from the mean beyond which a sample is no further off
)

// Whatever answers say, no factor goes further from the prior's than furthest, a factor
// of three, and no sample counts as further off than twice that.
var (
	furthest = math.Log(3)
	lost     = furthest + math.Log(2)
)

// Which readings teach: long enough that what a body has around its texts tells little,
// and texts for the most part.
const (
	shortestLesson = 200 // tokens
	textOfLesson   = 4   // times what is no text
)

// Calibrate learns from the answer of a real model, never from a simulated one, to a call
// that was read so. The reading is that of the model's family, and not an estimate; real
// is all of the input tokens that the answer reports, cached ones among them. It takes
// less than a microsecond.
func (e *Estimator) Calibrate(id inference.ModelID, r Reading, real int) {
	texts := real - r.Frame
	if r.Text < shortestLesson || r.Text < textOfLesson*r.Frame || texts <= 0 {
		return
	}
	if m := e.model(id); m != nil {
		m.cells[min(r.Script, Other)].learn(math.Log(float64(texts) / float64(r.Text)))
	}
}

func (c *cell) learn(x float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.scale.Load()
	reach := outlier * now.deviation
	x = min(max(x, now.mean-reach, c.prior.mean-lost), now.mean+reach, c.prior.mean+lost)
	c.fresh = c.fresh.plus(moments{1, x, x * x})
	if c.fresh.samples > memory {
		c.fresh = c.fresh.times(0.5)
	}
	c.rescale()
}

// rescale makes the scale of all samples and of the prior, which counts as a few.
// The lock is held.
func (c *cell) rescale() {
	all := c.stored.plus(c.fresh)
	if all.samples == 0 {
		c.scale.Store(c.prior)
		return
	}
	n, p := priorSamples+all.samples, c.prior.spread
	mean := (priorSamples*p.mean + all.sum) / n
	square := (priorSamples*(p.mean*p.mean+p.deviation*p.deviation) + all.squares) / n
	variance := max(0, square-mean*mean) * (1 + 1/n) // the mean is none too sure itself
	s := spread{min(max(mean, p.mean-furthest), p.mean+furthest), math.Sqrt(variance)}
	c.scale.Store(newScale(s.blurred(mean-s.mean), all.samples))
}

// Corrections are those of each model and script that answers have told of, in order.
func (e *Estimator) Corrections() []inference.Correction {
	var all []inference.Correction
	for id, m := range *e.models.Load() {
		for s := range m.cells {
			if now := m.cells[s].scale.Load(); now.samples > 0 {
				all = append(all, inference.Correction{
					Model: id, Script: Script(s).String(), Samples: now.samples, Factor: now.factor, Error: (now.high - now.low) / 2,
				})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b inference.Correction) int { return cmp.Compare(a.Model, b.Model) })
	return all
}
