package tokens

import (
	"maps"
	"sync"
	"sync/atomic"

	"fairway/internal/dialect"
	"fairway/internal/inference"
)

// Estimator estimates the tokens of what models are asked, and learns from what their
// answers report. It is safe for concurrent use.
type Estimator struct {
	vocabularies map[kind]func() vocabulary // loaded when first asked for

	growing sync.Mutex // serializes who adds a model
	models  atomic.Pointer[map[inference.ModelID]*model]
}

// Limits of what is learned: models beyond them are estimated without.
const (
	maxModels   = 512
	maxModelLen = 256
)

// NewEstimator has learned nothing yet.
func NewEstimator() *Estimator {
	e := &Estimator{vocabularies: map[kind]func() vocabulary{
		openai:  sync.OnceValue(func() vocabulary { return newRemembered(newO200K()) }),
		claude2: sync.OnceValue(func() vocabulary { return newRemembered(newClaude2()) }),
	}}
	e.models.Store(&map[inference.ModelID]*model{})
	return e
}

// Text estimates a text alone, without what a call puts around it: exactly where the
// model's vocabulary is public, else by OpenAI's times the factor of the model and script.
// A vocabulary is loaded with its first text, which takes some 50 ms, and counts some
// 2 MB a second, a text once for all models; texts too long for that are estimated as
// Quick does.
func (e *Estimator) Text(id inference.ModelID, s string) Estimate {
	return e.walked(id, func(w *walk) { w.texts(s) })
}

// Conversation estimates a call as Text does its texts. Where those are exact the interval
// is that of the rest: of images, of documents, and of what the format itself takes.
func (e *Estimator) Conversation(id inference.ModelID, c *dialect.Conversation) Estimate {
	return e.walked(id, func(w *walk) { w.conversation(c) })
}

// walked estimates what a walk goes through.
func (e *Estimator) walked(id inference.ModelID, through func(*walk)) Estimate {
	r, size := FamilyOf(id).read(through)
	if size > maxExact {
		return e.Quick(id, r)
	}
	if v, ok := e.vocabularies[kindOf(id)]; ok {
		exact := walk{count: v().Tokens}
		through(&exact)
		n := exact.text + exact.frame
		return Estimate{Tokens: n, Low: n - exact.frame/2, High: n + exact.frame/2, Basis: Exact}
	}
	base, _ := O200K.read(through)
	counted := walk{count: e.vocabularies[openai]().Tokens}
	through(&counted)
	r.Text = counted.text * r.Text / max(1, base.Text)
	return e.scale(id, r.Script).counted(r.Script).estimate(r)
}

// Quick estimates what was read already, by the model's family: it takes about a hundred
// nanoseconds and is never exact. Its High is what a reservation takes.
func (e *Estimator) Quick(id inference.ModelID, r Reading) Estimate {
	return e.scale(id, r.Script).estimate(r)
}

func (e *Estimator) scale(id inference.ModelID, s Script) *scale {
	s = min(s, Other)
	if m := e.model(id); m != nil {
		return m.cells[s].scale.Load()
	}
	return priors[kindOf(id)][s]
}

// model is what is known of a model, nil where there is no room to know more.
func (e *Estimator) model(id inference.ModelID) *model {
	known := *e.models.Load()
	if m := known[id]; m != nil || len(known) >= maxModels || len(id) > maxModelLen {
		return m
	}
	e.growing.Lock()
	defer e.growing.Unlock()
	known = *e.models.Load()
	if m := known[id]; m != nil || len(known) >= maxModels {
		return m
	}
	grown := maps.Clone(known)
	grown[id] = newModel(kindOf(id))
	e.models.Store(&grown)
	return grown[id]
}
