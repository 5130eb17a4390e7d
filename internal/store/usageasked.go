package store

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"fairway/internal/inference"
)

// seriesColumn is the column of a dimension in usage_series, empty for times.
func seriesColumn(d inference.Dimension) string {
	switch d {
	case inference.ByModel, inference.ByProfile, inference.ByRegion, inference.BySource,
		inference.ByPrincipal, inference.ByTeam, inference.ByDoor, inference.ByOutcome:
		return string(d)
	case inference.ByUser:
		return "caller"
	case inference.ByKey:
		return "key_name"
	}
	return ""
}

// callColumn is what seriesColumn has, as the table of calls has it.
func callColumn(d inference.Dimension) string {
	switch d {
	case inference.ByModel:
		return "COALESCE(NULLIF(fallback_model, ''), model)"
	case inference.ByRegion:
		return "COALESCE(NULLIF(destination, ''), destination_region)"
	case inference.ByProfile:
		return "COALESCE(profile, '')"
	case inference.BySource:
		return "source_region"
	}
	return seriesColumn(d)
}

// asked is the calls that a report or an export is of.
type asked struct {
	since, until int64 // Unix milliseconds, until is not in it
	equal        []equality
}

type equality struct{ column, value string }

// ask is what is asked for, by the columns of a table. Times among where narrow since
// and until; a zero until is no end. Errors are of kind Validation.
func ask(op string, since, until time.Time, where map[inference.Dimension]string, column func(inference.Dimension) string) (asked, error) {
	a := asked{since: millis(since), until: cmp.Or(millis(until), math.MaxInt64)}
	for _, d := range slices.Sorted(maps.Keys(where)) {
		value := where[d]
		if layout := d.Layout(); layout != "" {
			from, err := time.Parse(layout, value)
			if err != nil {
				return asked{}, invalid(op, "no such "+string(d)+": "+strconv.Quote(text(value)))
			}
			a.since, a.until = max(a.since, from.UnixMilli()), min(a.until, d.Next(from).UnixMilli())
			continue
		}
		name := column(d)
		if name == "" {
			return asked{}, invalid(op, "no such dimension: "+strconv.Quote(text(string(d))))
		}
		a.equal = append(a.equal, equality{name, text(value)})
	}
	return a, nil
}

// equals is further conditions for the rows that are asked for, and their arguments
// after those that there are.
func (a asked) equals(args ...any) (string, []any) {
	conditions := ""
	for _, e := range a.equal {
		args = append(args, e.value)
		conditions += " AND " + e.column + " = $" + strconv.Itoa(len(args))
	}
	return conditions, args
}

func invalid(op, message string) error {
	return &inference.Error{Kind: inference.Validation, Op: op, Message: op + ": " + message}
}
