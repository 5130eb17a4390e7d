package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"fairway/internal/capacity"
)

// print writes the tables: of the models, of the months, of the plan.
func (found *foreseen) print(w io.Writer) error {
	found.printQuotes(w)
	if found.Years != nil {
		found.printYears(w)
	}
	if found.Plan != nil {
		printPlan(w, found.Plan)
	}
	return nil
}

// aligned is a table whose numbers stand to the right; a row's last cell is as it is.
func aligned(w io.Writer, rows func(row func(cells ...any))) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows(func(cells ...any) {
		for i, cell := range cells {
			switch i {
			case 0:
				fmt.Fprint(table, cell)
			case len(cells) - 1:
				fmt.Fprintf(table, "\t  %v", cell)
			default:
				fmt.Fprintf(table, "\t%v", cell)
			}
		}
		fmt.Fprintln(table)
	})
	table.Flush()
}

func (found *foreseen) printQuotes(w io.Writer) {
	p := found.Prompt
	fmt.Fprintf(w, "%s of %d bytes; calls enter %s\n\n", p.Form, p.Bytes, found.Source)
	aligned(w, func(row func(...any)) {
		row("TOKENS", "LOW", "HIGH", "BASIS", "USD A CALL", "AT MOST", "MAX_TOKENS", "USD/M IN", "OUT", "AS OF", "MODEL")
		for _, q := range found.Quotes {
			cells := []any{q.Tokens, q.Low, q.High, q.Basis, "-", "-", q.MaxTokens, "-", "-", "-", q.Named}
			if c := q.Cost; c != nil {
				rate := q.Price.RateOf(q.Tokens)
				cells[4], cells[5] = c.Estimate.Rounded(6), c.Most.Rounded(6)
				cells[7], cells[8], cells[9] = rate.Input, rate.Output, q.Price.AsOf+mark(q.Price.Uncertain)
			}
			row(cells...)
		}
	})
	fmt.Fprintln(w)
	for _, note := range found.notes() {
		fmt.Fprintln(w, note)
	}
}

func mark(uncertain bool) string {
	if uncertain {
		return " ?"
	}
	return ""
}

// notes say what the table cannot.
func (found *foreseen) notes() []string {
	q := &found.Quotes[0]
	answer := fmt.Sprintf("USD A CALL: with %d tokens of output", q.Output)
	if q.Guessed {
		answer += ", which is a guess: name yours with --output"
	}
	notes := []string{"LOW, HIGH: nine of ten prompts are within.", answer + ".", "AT MOST: a prompt of HIGH, an answer of MAX_TOKENS."}
	tight, uncertain, sources, ended := []string{}, false, []string{}, []string{}
	for i := range found.Quotes {
		q := &found.Quotes[i]
		if !q.Fits {
			tight = append(tight, q.Named)
		}
		if q.EndOfLife != "" {
			ended = append(ended, q.EndOfLife+": the end of life of "+q.Named+".")
		}
		if q.Price != nil {
			uncertain = uncertain || q.Price.Uncertain
			sources = append(sources, q.Price.Source)
		}
	}
	slices.Sort(sources)
	sources = slices.Compact(sources)
	if uncertain {
		notes = append(notes, "?: a price that is remembered or that sources disagree about.")
	}
	if len(tight) > 0 {
		notes = append(notes, "The prompt and MAX_TOKENS may not fit the context window of "+strings.Join(tight, ", ")+".")
	}
	if len(sources) > 0 {
		notes = append(notes, "AS OF: of the price, by "+strings.Join(sources, ", ")+".")
	}
	return slices.Concat(notes, ended, found.basis())
}

// basis says what the numbers of tokens rest on, beside the word in the table.
func (found *foreseen) basis() []string {
	notes := []string{"BASIS: no server was asked what answers taught."}
	if found.Rests != "" {
		notes[0] = "BASIS: by what answers taught the server at " + string(found.Rests) + "."
	}
	uncounted := map[string][]string{}
	for i := range found.Quotes {
		if q := &found.Quotes[i]; q.Uncounted != "" {
			uncounted[q.Uncounted] = append(uncounted[q.Uncounted], q.Named)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(uncounted)) {
		notes = append(notes, "Not counted but estimated, "+strings.Join(uncounted[why], ", ")+": "+strings.TrimSuffix(why, ".")+".")
	}
	return notes
}

// printYears writes the months of the first model, and the year of each where there are
// more.
func (found *foreseen) printYears(w io.Writer) {
	first := found.Years[0]
	fmt.Fprintf(w, "\n%s", first.Named)
	if found.Growth != 0 {
		fmt.Fprintf(w, ", growing by %s a month", found.Growth)
	}
	fmt.Fprint(w, "\n\n")
	aligned(w, func(row func(...any)) {
		row("CALLS", "USD", "MONTH")
		for _, m := range first.Months {
			row(m.Calls, m.Cost.Rounded(2), m.Month)
		}
		row(first.Calls, first.Cost.Rounded(2), "all twelve")
	})
	fmt.Fprintln(w)
	aligned(w, func(row func(...any)) {
		row("USD A YEAR", "LOW", "HIGH", "MODEL")
		for _, y := range found.Years {
			row(y.Cost.Rounded(2), y.Low.Rounded(2), y.High.Rounded(2), y.Named)
		}
	})
}

func printPlan(w io.Writer, p *capacity.Plan) {
	d := &p.Demand
	fmt.Fprintf(w, "\npeak: %.1f calls a minute, %.1f in flight; %d tokens of input and %d of output a minute\n",
		d.PerMinute, d.InFlight, d.Input, d.Output)
	fmt.Fprintf(w, "quota: a call reserves %d tokens and has burnt %d at its end (output counts %d times); %d a minute are needed\n\n",
		d.Reserved, d.Burnt, d.Burndown, d.Needed)
	aligned(w, func(row func(...any)) {
		row("NEEDED A MINUTE", "GRANTED", "REGION", "QUOTA")
		for _, q := range p.Quotas {
			row(orNone(q.Needed), orNone(p.Quota), q.Region, q.Name)
		}
	})
	fmt.Fprintf(w, "\nthe quota is %s\n", quotaBasis[p.Basis])
	if p.Alone != nil {
		printTrial(w, p.Alone)
	}
	if p.Recommended != nil && p.Recommended != p.Alone {
		printTrial(w, p.Recommended)
	}
	fmt.Fprintf(w, "\n%s\n%s\n", p.Advice[0], p.Advice[1])
}

// quotaBasis says how the quota is known.
var quotaBasis = map[capacity.Basis]string{
	capacity.Given:   "as given",
	capacity.Default: "the service's default, which accounts may not have: name yours with --quota",
	capacity.Unknown: "not known: name the account's with --quota, as Service Quotas has it",
}

func orNone(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func printTrial(w io.Writer, t *capacity.Trial) {
	fmt.Fprintf(w, "simulated, %s: %.1f%% of the attempts are throttled, %.1f%% of the calls fail\n",
		entering(t), 100*t.Throttled, 100*t.Failed)
}

func entering(t *capacity.Trial) string {
	text := string(t.Regions[0]) + " alone"
	if n := len(t.Regions); n > 1 {
		text = fmt.Sprintf("%d regions", n)
	}
	if t.Accounts > 1 {
		text += fmt.Sprintf(", %d accounts", t.Accounts)
	}
	return text
}
