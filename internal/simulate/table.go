package simulate

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"fairway/internal/inference"
)

// WriteTable writes the report with a row for each policy, and below it where the
// calls of each policy went.
func (r *Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s: %s\n%s\n\n", r.Scenario, r.subject(), wrap(r.About, 96))

	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	refused := func(string) string { return "" } // its column is there where budgets refused some
	if slices.ContainsFunc(r.Policies, func(p Result) bool { return p.Refused > 0 }) {
		refused = func(cell string) string { return cell + "\t" }
	}
	fmt.Fprintf(rows, "POLICY\tCALLS\tGOOD\tFAILED\t%sP50 MS\tP99 MS\tATTEMPTS\tFAILOVERS\tHEDGES\tTHROTTLED\tUSD\tCACHE\t\n", refused("REFUSED"))
	for _, p := range r.Policies {
		fmt.Fprintf(rows, "%s\t%d\t%.2f%%\t%d\t%s%.0f\t%.0f\t%.3f\t%d\t%d\t%d\t%.2f\t%.0f%%\t\n",
			p.Policy, p.Calls, 100*ratio(p.Good, p.Calls), p.Failed, refused(strconv.Itoa(p.Refused)), p.FirstP50, p.FirstP99,
			ratio(p.Attempts, p.Calls-p.Refused), p.Failovers, p.Hedges, p.Throttled, dollars(p.Cost), 100*p.CacheHitShare)
	}
	rows.Flush()
	fmt.Fprintf(w, "\nGOOD: complete within %s. %sP50, P99: to the first token. ATTEMPTS: a call.\nCACHE: tokens of sessions' prefixes that were read from a prompt cache.\n\n",
		short(r.Within), strings.TrimSuffix(refused("REFUSED: by budgets. "), "\t"))
	for _, p := range r.Policies {
		fmt.Fprintf(w, "%s\n", wrap(string(p.Policy)+" went to "+p.where(), 96))
		if p.Failed > 0 {
			fmt.Fprintf(w, "%s failed with %s\n", p.Policy, counts(p.Failures))
		}
		if p.Refused > 0 {
			fmt.Fprintf(w, "budgets refused %s %s\n", p.Policy, counts(p.Refusals)+p.whose())
		}
	}
	return nil
}

// subject is what was simulated, in a line.
func (r *Report) subject() string {
	text := fmt.Sprintf("%s of calls to %s, seed %d", short(r.Duration), r.Model, r.Seed)
	if r.Divide != 1 {
		text += fmt.Sprintf(", rates and quotas divided by %g", r.Divide)
	}
	return text
}

// where lists the regions by how many calls they answered, those with few together.
func (r *Result) where() string {
	const few = 0.005
	var parts []string
	rest, total := 0, 0
	for _, n := range r.Regions {
		total += n
	}
	names := slices.SortedFunc(maps.Keys(r.Regions), func(a, b inference.Region) int {
		return cmp.Or(cmp.Compare(r.Regions[b], r.Regions[a]), cmp.Compare(a, b))
	})
	for _, name := range names {
		if share := ratio(r.Regions[name], total); share >= few {
			parts = append(parts, fmt.Sprintf("%s %.0f%%", name, 100*share))
		} else if share > 0 {
			rest++
		}
	}
	if rest > 0 {
		parts = append(parts, fmt.Sprintf("%d more", rest))
	}
	return cmp.Or(strings.Join(parts, ", "), "no region")
}

// whose says how many of the calls that budgets refused were the heavy user's.
func (r *Result) whose() string {
	if r.RefusedHeavy == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of them the heavy user's", r.RefusedHeavy)
}

// counts lists what there is how often of each.
func counts[K ~string](of map[K]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%s %d", kind, of[kind]))
	}
	return strings.Join(parts, ", ")
}

func dollars(m inference.Money) float64 { return float64(m) / float64(inference.Dollar) }

// short is a number of seconds as one writes a duration: 10m.
func short(seconds float64) string {
	text := time.Duration(seconds * float64(time.Second)).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// wrap breaks a text into lines of at most width, where words allow.
func wrap(text string, width int) string {
	var out strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			out.WriteByte('\n')
			column = 0
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += len(word)
	}
	return out.String()
}
