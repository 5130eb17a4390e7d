package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Change is what a row of a price file changes.
type Change struct {
	Price          // the row's
	Old     *Price // what holds from the row's date without it; nil where nothing does
	Changed bool   // from Old in any of its amounts
}

// Changes are what the rows of over change of p, by id and date.
func (p *Prices) Changes(over *Prices) []Change {
	var changes []Change
	for _, price := range over.List() {
		change := Change{Price: price}
		if old, ok := p.At(price.ID, price.From); ok {
			change.Old = &old
			change.Changed = old.Rate != price.Rate || !slices.Equal(old.Tiers, price.Tiers)
		}
		changes = append(changes, change)
	}
	return changes
}

// Text is a price file of the rows, one a line, which ReadPrices reads: JSON where the
// file's name ends so, else YAML.
func (p *Prices) Text(name string) ([]byte, error) {
	head, between, tail := "models:\n  - ", "\n  - ", "\n"
	if strings.HasSuffix(name, ".json") {
		head, between, tail = "{\"models\": [\n  ", ",\n  ", "\n]}\n"
	}
	var text bytes.Buffer
	for _, id := range slices.Sorted(maps.Keys(p.rows)) {
		for _, d := range p.rows[id] {
			if text.Len() == 0 {
				text.WriteString(head)
			} else {
				text.WriteString(between)
			}
			line, err := d.row.text()
			if err != nil {
				return nil, err
			}
			text.Write(line)
		}
	}
	if text.Len() == 0 {
		return []byte("{\"models\": []}\n"), nil
	}
	text.WriteString(tail)
	return text.Bytes(), nil
}

// text is the row's JSON.
func (r *priceRow) text() ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(r)
	return bytes.TrimSpace(text.Bytes()), err
}
