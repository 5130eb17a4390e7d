package usage

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fairway/internal/inference"
)

// Limits on what a question holds.
const (
	maxBy    = 3
	maxRows  = 10_000 // of a report
	maxValue = 256    // bytes of a parameter
	maxSteps = 1_000  // of a series
)

// usualSince is from when on calls are counted unless the question says.
const usualSince = "7d"

// Query is a question to the ledger.
type Query struct {
	inference.UsageQuery
	Top  int                 // rows of the report, the others are summed; 0 is as many as a report holds
	Step inference.Dimension // that the series of each row go by: hour, day or month; empty for none
}

// Parse reads the parameters of a question, which docs/usage.md names. Errors are
// Validation.
func Parse(params url.Values, now time.Time) (Query, error) {
	q, err := parse(params, now, "since", "until", "where", "by", "top", "step")
	if err == nil {
		q.By, err = parseBy(params.Get("by"))
	}
	if err == nil {
		q.Top, err = parseTop(params.Get("top"))
	}
	if err == nil {
		q.Step, err = q.parseStep(params.Get("step"))
	}
	if err != nil {
		return Query{}, err
	}
	return q, nil
}

// ParseCalls reads which calls a question is about: since, until and where. Errors are
// Validation.
func ParseCalls(params url.Values, now time.Time) (Query, error) {
	return parse(params, now, "since", "until", "where")
}

func parse(params url.Values, now time.Time, names ...string) (Query, error) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		switch values := params[name]; {
		case !slices.Contains(names, name):
			return Query{}, refuse("no parameter is called %q: want one of %s", clip(name), strings.Join(names, ", "))
		case name != "where" && len(values) > 1:
			return Query{}, refuse("%s is given twice", name)
		}
	}
	var q Query
	var err error
	if q.Since, err = moment("since", cmp.Or(params.Get("since"), usualSince), now); err != nil {
		return Query{}, err
	}
	if q.Until, err = moment("until", cmp.Or(params.Get("until"), "now"), now); err != nil {
		return Query{}, err
	}
	if !q.Since.Before(q.Until) {
		return Query{}, refuse("since %s is not before until %s", q.Since.Format(time.RFC3339), q.Until.Format(time.RFC3339))
	}
	if q.Where, err = parseWhere(params["where"]); err != nil {
		return Query{}, err
	}
	return q, nil
}

// Values are the parameters that Parse reads.
func (q Query) Values() url.Values {
	v := url.Values{"since": {q.Since.Format(time.RFC3339)}, "until": {q.Until.Format(time.RFC3339)}}
	for _, d := range slices.Sorted(maps.Keys(q.Where)) {
		v.Add("where", string(d)+"="+q.Where[d])
	}
	if len(q.By) > 0 {
		v.Set("by", strings.Join(names(q.By), ","))
	}
	if q.Top > 0 {
		v.Set("top", strconv.Itoa(q.Top))
	}
	if q.Step != "" {
		v.Set("step", string(q.Step))
	}
	return v
}

func parseBy(text string) ([]inference.Dimension, error) {
	if text == "" {
		return nil, nil
	}
	var by []inference.Dimension
	for name := range strings.SplitSeq(text, ",") {
		d := inference.Dimension(name)
		switch {
		case !slices.Contains(inference.Dimensions(), d):
			return nil, refuse("by %q: want %s", clip(name), strings.Join(names(inference.Dimensions()), ", "))
		case slices.Contains(by, d):
			return nil, refuse("by names %s twice", d)
		case len(by) == maxBy:
			return nil, refuse("by names more than %d dimensions", maxBy)
		}
		by = append(by, d)
	}
	return by, nil
}

func parseTop(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	top, err := strconv.Atoi(text)
	if err != nil || top < 0 || top > maxRows {
		return 0, refuse("top %q: want a number up to %d", clip(text), maxRows)
	}
	return top, nil
}

func (q Query) parseStep(text string) (inference.Dimension, error) {
	step := inference.Dimension(text)
	switch {
	case text == "":
		return "", nil
	case !step.IsTime():
		return "", refuse("step %q: want hour, day or month", clip(text))
	case slices.ContainsFunc(q.By, inference.Dimension.IsTime):
		return "", refuse("step %s: a report by time has no series beside", step)
	case len(q.steps(step)) > maxSteps:
		return "", refuse("step %s: it makes more than %d points: want a longer one", step, maxSteps)
	}
	return step, nil
}

// parseWhere reads filters such as "model=anthropic.claude-sonnet-4-6"; an empty value
// is for calls that have none.
func parseWhere(filters []string) (map[inference.Dimension]string, error) {
	where := map[inference.Dimension]string{}
	for _, filter := range filters {
		name, value, ok := strings.Cut(filter, "=")
		d := inference.Dimension(name)
		switch _, twice := where[d]; {
		case !ok:
			return nil, refuse("where %q: want such as model=ID", clip(filter))
		case d.IsTime():
			return nil, refuse("where %s: name times with since and until", d)
		case !slices.Contains(inference.Dimensions(), d):
			return nil, refuse("where %q: want one of %s", clip(name), strings.Join(names(filterable()), ", "))
		case twice:
			return nil, refuse("where names %s twice", d)
		case len(value) > maxValue || !utf8.ValidString(value):
			return nil, refuse("where %s: want up to %d bytes of UTF-8", d, maxValue)
		}
		where[d] = value
	}
	if len(where) == 0 {
		return nil, nil
	}
	return where, nil
}

// filterable are the dimensions that are no times.
func filterable() []inference.Dimension {
	return slices.DeleteFunc(inference.Dimensions(), inference.Dimension.IsTime)
}

func names(dimensions []inference.Dimension) []string {
	out := make([]string, len(dimensions))
	for i, d := range dimensions {
		out[i] = string(d)
	}
	return out
}

func refuse(format string, args ...any) error {
	return &inference.Error{Kind: inference.Validation, Op: "usage", Message: "usage: " + fmt.Sprintf(format, args...)}
}

// clip is the beginning of a text that a message quotes.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
