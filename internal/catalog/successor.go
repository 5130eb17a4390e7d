package catalog

import "fairway/internal/inference"

// Successor is the model that takes over from a retiring one.
type Successor struct {
	Model   inference.ModelID
	Invoke  string // model or profile id to call from the source region, empty when nothing there reaches it
	Basis   string // "documented" when AWS names it, "inferred" when it is the data file's choice
	Retired Retirement
}

// Retirement is the end of life of the model that is succeeded.
type Retirement struct {
	Date      string // YYYY-MM-DD, may be still to come
	Confirmed bool   // a call was answered with end of life; else the date is only the published one
	Uncertain bool   // sources disagree about the dates
}

// Successor follows the successors of a retiring model up to the first that is
// active, and says how to call that one from source. It reports false for a model
// with no end of life and for one that nothing active succeeds. One inferred step
// makes the whole answer inferred.
func (c *Catalog) Successor(id inference.ModelID, source inference.Region) (Successor, bool) {
	facts := embedded()
	m, ok := facts.models[id]
	if !ok || m.lifecycle.Successor == nil {
		return Successor{}, false
	}
	s := Successor{
		Basis:   "documented",
		Retired: Retirement{m.lifecycle.EndOfLife, m.lifecycle.Confirmed, m.lifecycle.Uncertain},
	}
	for range facts.models { // a chain is shorter than the file, a cycle is not
		next := m.lifecycle.Successor
		if next == nil {
			return Successor{}, false
		}
		if next.Basis != "documented" {
			s.Basis = next.Basis
		}
		if m, ok = facts.models[next.Model]; !ok {
			return Successor{}, false
		}
		if m.lifecycle.Status == "ACTIVE" {
			s.Model, s.Invoke = m.ID, facts.reach(m, source)
			return s, true
		}
	}
	return Successor{}, false
}

// reach is what calls the model from source: the bare id, else a profile that
// stays in the geography, else the global one.
func (f *facts) reach(m model, source inference.Region) string {
	if _, ok := m.onDemand[source]; ok {
		return string(m.ID)
	}
	global := ""
	for _, id := range f.profileOrder {
		p := f.profiles[id]
		if _, ok := p.destinations[source]; !ok || p.model != m.ID {
			continue
		}
		if !p.global {
			return string(id)
		}
		global = string(id)
	}
	return global
}
