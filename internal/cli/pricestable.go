package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"fairway/internal/catalog"
)

// printPrices writes a row for each price and each of its tiers, and where they are
// from.
func printPrices(w io.Writer, prices []catalog.Price, origin string) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "ID\tFROM\tINPUT\tOUTPUT\tCACHE READ\tWRITE 5M\tWRITE 1H\tBATCH IN\tBATCH OUT\tAS OF\tSOURCE")
	for _, p := range prices {
		mark, read := "", "\t"+cmp.Or(p.AsOf, "-")+"\t"+cmp.Or(p.Source, "-")
		if p.Uncertain {
			mark = " ?"
		}
		fmt.Fprintf(rows, "%s%s\t%s\t%s%s\n", p.ID, mark, cmp.Or(p.From.String(), "-"), amounts(p.Rate), read)
		for _, t := range p.Tiers {
			fmt.Fprintf(rows, "  above %d input tokens\t-\t%s%s\n", t.Above, amounts(t.Rate), read)
		}
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "dollars per million tokens; %s\n", origin)
	return err
}

// amounts are the cells of a rate.
func amounts(r catalog.Rate) string {
	cells := make([]string, len(rateColumns))
	for i, c := range rateColumns {
		cells[i] = c.of(r).String()
	}
	return strings.Join(cells, "\t")
}

// rateColumns are the prices of a rate with their names, in order.
var rateColumns = []struct {
	name string
	of   func(catalog.Rate) catalog.MicroDollars
}{
	{"input", func(r catalog.Rate) catalog.MicroDollars { return r.Input }},
	{"output", func(r catalog.Rate) catalog.MicroDollars { return r.Output }},
	{"cache read", func(r catalog.Rate) catalog.MicroDollars { return r.CacheRead }},
	{"cache write 5m", func(r catalog.Rate) catalog.MicroDollars { return r.CacheWrite }},
	{"cache write 1h", func(r catalog.Rate) catalog.MicroDollars { return r.CacheWrite1h }},
	{"batch input", func(r catalog.Rate) catalog.MicroDollars { return r.BatchInput }},
	{"batch output", func(r catalog.Rate) catalog.MicroDollars { return r.BatchOutput }},
}

// printChanges writes each row with its changes below it, and how many there are.
func printChanges(w io.Writer, changes []catalog.Change) error {
	var added, changed int
	for _, c := range changes {
		name := c.ID
		if c.From != 0 {
			name += " from " + c.From.String()
		}
		switch {
		case c.Old == nil:
			added++
			fmt.Fprintf(w, "added    %s: input %s, output %s\n", name, c.Input, c.Output)
		case c.Changed:
			changed++
			fmt.Fprintf(w, "changed  %s\n", name)
			printChange(w, c)
		default:
			fmt.Fprintf(w, "same     %s\n", name)
		}
	}
	_, err := fmt.Fprintf(w, "%d added, %d changed, %d same\n", added, changed, len(changes)-added-changed)
	return err
}

// printChange writes a line for each amount that changes, and each tier that comes or
// goes.
func printChange(w io.Writer, c catalog.Change) {
	printAmounts(w, "", c.Old.Rate, c.Rate)
	for _, above := range steps(c.Old.Tiers, c.Tiers) {
		label := fmt.Sprintf("above %d input tokens ", above)
		old, had := tierAbove(c.Old.Tiers, above)
		now, has := tierAbove(c.Tiers, above)
		switch {
		case had && has:
			printAmounts(w, label, old, now)
		case has:
			fmt.Fprintf(w, "    %sadded: input %s, output %s\n", label, now.Input, now.Output)
		default:
			fmt.Fprintf(w, "    %staken out: input %s, output %s\n", label, old.Input, old.Output)
		}
	}
}

// steps are the sizes at which any of the tiers begin.
func steps(tiers ...[]catalog.Tier) []int {
	var above []int
	for _, t := range slices.Concat(tiers...) {
		above = append(above, t.Above)
	}
	slices.Sort(above)
	return slices.Compact(above)
}

func tierAbove(tiers []catalog.Tier, above int) (catalog.Rate, bool) {
	for _, t := range tiers {
		if t.Above == above {
			return t.Rate, true
		}
	}
	return catalog.Rate{}, false
}

func printAmounts(w io.Writer, label string, old, now catalog.Rate) {
	for _, c := range rateColumns {
		if was, is := c.of(old), c.of(now); was != is {
			fmt.Fprintf(w, "    %s%s %s -> %s%s\n", label, c.name, was, is, share(was, is))
		}
	}
}

// share is by how many per cent an amount changes, to a tenth; nothing from nothing.
func share(was, is catalog.MicroDollars) string {
	if was == 0 {
		return ""
	}
	sign, change := "+", is-was
	if change < 0 {
		sign, change = "-", -change
	}
	tenths := (change*2000 + was) / (2 * was)
	return fmt.Sprintf(" (%s%d.%d %%)", sign, tenths/10, tenths%10)
}
