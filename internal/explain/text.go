package explain

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"fairway/internal/inference"
	"fairway/internal/policy"
)

// Text writes the explanation for people: the decisions as a table, then what comes of
// them and what to do.
func (x *Explanation) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s on %s from %s\n\n", x.Principal, x.Action, x.called(), x.SourceRegion)
	x.table(&b)
	b.WriteByte('\n')
	fmt.Fprintf(&b, "AWS      %s\n", x.AWS.text())
	fmt.Fprintf(&b, "fairway  %s (%s)\n", x.Fairway.text(len(x.Destinations)), x.Mode)
	if mode, other := x.other(); other.Allowed != x.Fairway.Allowed {
		fmt.Fprintf(&b, "fairway  %s (were it %s)\n", other.text(len(x.Destinations)), mode)
	}
	x.advice(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (x *Explanation) called() string {
	if x.Profile != nil {
		return *x.Profile
	}
	return string(x.Model)
}

// table is a line for each check and each destination, the conditions that were not
// met below it.
func (x *Explanation) table(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NEEDED FOR\tDECISION\tSTATEMENT\tBECAUSE OF")
	for _, c := range x.Checks {
		c.line(t, c.For)
	}
	for _, d := range x.Destinations {
		d.line(t, string(d.Region))
	}
	t.Flush() // to a Builder, which does not fail
}

func (d *Decision) line(w io.Writer, label string) {
	because := cmp.Or(d.Reason, d.Pattern, "the resource, which NotResource does not name")
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", label, words[d.Effect], cmp.Or(d.PatternAt, d.Statement, "none"), because)
	for _, u := range d.Unmet {
		fmt.Fprintf(w, "\t\t\t%s\n", u)
	}
}

// words are the effects as a table has them.
var words = map[policy.Effect]string{
	policy.Allowed:          "allowed",
	policy.ExplicitlyDenied: "denied",
	policy.ImplicitlyDenied: "not allowed",
}

func (a *AWS) text() string {
	if a.Allowed {
		return "allows it"
	}
	return "refuses it, 403 " + string(inference.AccessDenied) + ": " + a.Message
}

func (a *Answer) text(destinations int) string {
	if !a.Allowed {
		return "refuses it, 403 " + string(inference.AccessDenied) + ": " + a.Message
	}
	return "runs it in " + strconv.Itoa(len(a.Destinations)) + " of " + strconv.Itoa(destinations) + " destinations: " + list(a.Destinations)
}

// other is the answer in the mode that the server is not in.
func (x *Explanation) other() (policy.Mode, *Answer) {
	if x.Mode == policy.Strict {
		return policy.Narrow, &x.Modes.Narrow
	}
	return policy.Strict, &x.Modes.Strict
}

// advice is what to do, a paragraph each.
func (x *Explanation) advice(b *strings.Builder) {
	for _, s := range x.Missing {
		fmt.Fprintf(b, "\nmissing, to add to the %s of %s:\n%s\nor in backend.ts:\n%s\n", s.Layer, x.Principal, indented(s.JSON), s.TypeScript)
	}
	for _, d := range x.Denies {
		fmt.Fprintf(b, "\nremove or narrow the Deny at %s, in the %s, to leave out:\n%s\n", d.Statement, d.Layer, lines(d.Resources))
	}
	if l := x.LeastPrivilege; l != nil {
		b.WriteString("\nleast privilege, in place of the wildcards:\n")
		for _, w := range l.Replaces {
			fmt.Fprintf(b, "  %s  %s on %s\n", w.At, cmp.Or(w.Action, "NotAction"), cmp.Or(w.Resource, "NotResource"))
		}
		fmt.Fprintf(b, "%s\nor in backend.ts:\n%s\n", indented(l.JSON), l.TypeScript)
	}
	for _, warning := range x.Warnings {
		fmt.Fprintf(b, "\nwarning: %s\n", warning)
	}
}

// indented is a statement on several lines, also where it came from a server, which sends
// it on one.
func indented(statement json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, statement, "", "  "); err != nil {
		return string(statement)
	}
	return b.String()
}

func lines(resources []inference.ARN) string {
	var all []string
	for _, r := range resources {
		all = append(all, "  "+string(r))
	}
	return strings.Join(all, "\n")
}
