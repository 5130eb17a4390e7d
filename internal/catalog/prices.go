package catalog

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"fairway/internal/inference"
)

// Prices are rows of prices, several of one id where they hold from different dates.
// They never change once they are made; a nil *Prices has none.
type Prices struct {
	rows map[string][]dated // of each id by rising date, never empty
}

// dated is a price with the row that it was read from.
type dated struct {
	Price
	row priceRow
}

// BuiltinPrices are the rows of the facts that are built into the program.
func BuiltinPrices() *Prices { return embedded().prices }

// pricing is the prices in force.
func (c *Catalog) pricing() *Prices {
	if p := c.prices.Load(); p != nil {
		return p
	}
	return embedded().prices
}

// SetPrices puts rows over the built-in ones, in place of those that were over them
// before. Calls that are under way are not held up. Nil leaves the built-in ones.
func (c *Catalog) SetPrices(over *Prices) {
	c.prices.Store(embedded().prices.With(over))
}

// With are p's rows and those of over, which replace rows with the same id and date.
func (p *Prices) With(over *Prices) *Prices {
	merged := &Prices{rows: map[string][]dated{}}
	for _, from := range []*Prices{p, over} {
		if from == nil {
			continue
		}
		for _, rows := range from.rows {
			for _, row := range rows {
				merged.put(row)
			}
		}
	}
	return merged
}

// put takes a row in while the Prices are made. It reports whether there was none of
// the same id and date.
func (p *Prices) put(d dated) bool {
	rows := p.rows[d.ID]
	i, found := slices.BinarySearchFunc(rows, d.From, func(d dated, from Date) int { return cmp.Compare(d.From, from) })
	if found {
		rows[i] = d
	} else {
		p.rows[d.ID] = slices.Insert(rows, i, d)
	}
	return !found
}

// At is the price on a day of what a caller invokes, as Catalog.Price has it.
func (p *Prices) At(named string, day Date) (Price, bool) {
	if price, ok := p.own(named, day); ok {
		return price, true
	}
	profile, ok := embedded().profiles[inference.ProfileID(named)]
	if !ok {
		return Price{}, false
	}
	return p.own(string(profile.model), day)
}

// own is the row of id itself that holds on a day: the latest that has begun.
func (p *Prices) own(id string, day Date) (Price, bool) {
	if p == nil {
		return Price{}, false
	}
	for _, d := range slices.Backward(p.rows[id]) {
		if d.From <= day {
			return d.Price, true
		}
	}
	return Price{}, false
}

// List are all rows, by id and then date.
func (p *Prices) List() []Price {
	var all []Price
	if p == nil {
		return all
	}
	for _, id := range slices.Sorted(maps.Keys(p.rows)) {
		for _, d := range p.rows[id] {
			all = append(all, d.Price)
		}
	}
	return all
}

// AsOf is when the newest rows were read, as they word it.
func (p *Prices) AsOf() string {
	newest := ""
	for _, price := range p.List() {
		newest = max(newest, price.AsOf)
	}
	return newest
}

// builtin reads the rows of Bedrock from the data file.
func builtin() *Prices {
	var file struct {
		Models []struct {
			Provider string `json:"provider"`
			priceRow
			Conflict json.RawMessage `json:"conflict"` // what another source says
		} `json:"models"`
	}
	decode("data/pricing.json", &file)
	p := &Prices{rows: map[string][]dated{}}
	for _, row := range file.Models {
		if row.Provider != bedrock {
			continue
		}
		row.Uncertain = row.Uncertain || row.Conflict != nil
		p.put(dated{row.price(), row.priceRow})
	}
	return p
}
