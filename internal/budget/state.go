package budget

import (
	"slices"
	"time"

	"fairway/internal/inference"
)

// State is how a pot stands. Amounts are in the unit of the slot's measure.
type State struct {
	inference.Slot
	Limit int64
	Taken int64     // spent and reserved, on all servers as far as this one knows
	Ends  time.Time // of the window, zero for streams
}

// State is how the pots stand that are used in the windows of now, by budget, pot and
// measure.
func (b *Book) State() []State {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	var all []State
	for _, of := range b.budgets {
		for _, p := range of.pots {
			for i, c := range p.cells {
				if c != nil && !c.hasEnded(now) && of.limits[i] > 0 {
					all = append(all, State{Slot: c.slot, Limit: of.limits[i], Taken: c.known(), Ends: c.ends})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b State) int {
		return a.Slot.Compare(b.Slot)
	})
	return all
}
