package budget

import (
	"time"

	"fairway/internal/inference"
)

// windows are those of all measures that a time falls in.
type windows struct {
	from, to time.Time // while these hold: a minute
	each     [len(measures)]window
}

// window is one in Unix seconds and as its end. Of streams both are zero.
type window struct {
	starts int64
	ends   time.Time
}

// at gives the windows of now.
func (w *windows) at(now time.Time) *windows {
	if !now.Before(w.from) && now.Before(w.to) {
		return w
	}
	w.from, w.to = inference.RequestsPerMinute.Window(now)
	for i, m := range measures {
		from, to := m.Window(now)
		w.each[i] = window{ends: to}
		if m != inference.Streams {
			w.each[i].starts = from.Unix()
		}
	}
	return w
}

// pot has a cell for each measure that its budget limits, of the latest window that it
// was asked for.
type pot struct {
	cells [len(measures)]*cell
}

// cell is what is counted in one slot. A reservation holds on to its cells, so that one
// whose window is over is settled where it was made.
type cell struct {
	slot   inference.Slot
	of     *budget // as it was last configured
	limit  int64   // likewise
	ends   time.Time
	shared bool // through the bank

	used    int64 // by calls that ended, and reserved by those that are under way
	spent   int64 // by calls that ended
	running int   // calls
	touched time.Time

	// Of a shared cell.
	leased int64     // and not given back
	others int64     // what the bank last said is taken of the slot beside that, by anyone
	doubt  int64     // what the bank may have leased, and could not say
	errand *errand   // to the bank, nil for none
	dry    time.Time // until when the bank is not asked again, as it had no more

	warned, stopped bool // an operator was told of the soft threshold, of a call that was refused
}

// cell is where amounts of a measure are counted now, nil where the budget has no limit
// for it. A clock that goes back does not bring back a window.
func (b *Book) cell(of *budget, name string, measure int, now time.Time) *cell {
	if of.limits[measure] == 0 {
		return nil
	}
	p := b.pot(of, &name)
	c, w := p.cells[measure], b.windows.at(now).each[measure]
	if c == nil || c.slot.Starts < w.starts {
		m := measures[measure]
		c = &cell{
			slot:   inference.Slot{Budget: of.Name, Pot: name, Measure: m, Starts: w.starts},
			ends:   w.ends,
			shared: b.bank != nil && (b.shared || m.IsMoney()),
		}
		p.cells[measure] = c
	}
	c.of, c.limit, c.touched = of, of.limits[measure], now
	return c
}

// longestPot is how long the name of a pot may be, in bytes.
const longestPot = 256

// pot is the one of a name. A new one that finds no room is the one that all share, and
// name is emptied.
func (b *Book) pot(of *budget, name *string) *pot {
	if p := of.pots[*name]; p != nil {
		return p
	}
	if *name != "" && (b.pots >= b.mostPots || len(*name) > longestPot) {
		b.crowded = true
		*name = ""
		return b.pot(of, name)
	}
	p := &pot{}
	of.pots[*name] = p
	b.pots++
	return p
}

// left is what may still be reserved of a cell at once, below 0 where more was used.
// Extra is what a shared one may take beyond its leases.
func (c *cell) left(extra int64) int64 {
	if !c.shared {
		return c.limit - c.used
	}
	return min(c.leased+extra, c.limit-c.others) - c.used
}

// known is what is used of the slot on all servers, as far as is known here. The leases
// of others count, whether they use them or not.
func (c *cell) known() int64 { return c.others + c.used }

// block is what is leased of the slot at a time.
func (c *cell) block(parts int64) int64 { return max(1, c.limit/parts) }
