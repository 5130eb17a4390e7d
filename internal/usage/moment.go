package usage

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// layouts are the forms of a moment in the calendar. Without an hour it is the first.
var layouts = []string{"2006-01", time.DateOnly, "2006-01-02T15Z", "2006-01-02T15:04Z", time.RFC3339}

// Bounds of what a moment may be: ten years back, and of the calendar.
const (
	mostDays  = 3_650
	mostHours = 24 * mostDays
	firstYear = 2000
	lastYear  = 9998
)

// moment reads a whole hour, UTC. That of "24h" is so many before the present hour
// began, that of "7d" the begin of the first of seven days of which today is the last,
// "now" is the end of the present hour.
func moment(name, text string, now time.Time) (time.Time, error) {
	now = now.UTC().Truncate(time.Hour)
	today := now.Truncate(24 * time.Hour)
	switch text {
	case "now":
		return now.Add(time.Hour), nil
	case "today":
		return today, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), nil
	}
	if n, ok := number(text, "h", mostHours); ok {
		return now.Add(time.Duration(-n) * time.Hour), nil
	}
	if n, ok := number(text, "d", mostDays); ok {
		return today.AddDate(0, 0, 1-n), nil
	}
	for _, layout := range layouts {
		at, err := time.Parse(layout, text)
		if at = at.UTC(); err != nil || at.Year() < firstYear || at.Year() > lastYear {
			continue
		}
		if !at.Truncate(time.Hour).Equal(at) {
			return time.Time{}, refuse("%s %q: want a whole hour of UTC: the sums are of hours", name, clip(text))
		}
		return at, nil
	}
	return time.Time{}, refuse("%s %q: want such as 24h, 7d, 2026-11-01, 2026-11, 2026-11-01T15Z, today or yesterday", name, clip(text))
}

// number is the one before a unit, from 1 up to most.
func number(text, unit string, most uint64) (int, bool) {
	digits, ok := strings.CutSuffix(text, unit)
	n, err := strconv.ParseUint(digits, 10, 32)
	return int(n), ok && err == nil && n >= 1 && n <= most
}

// steps are the keys of all hours, days or months of the query's time, up to one more
// than a series may have.
func (q Query) steps(step inference.Dimension) []string {
	var keys []string
	at := q.Since
	if step == inference.ByMonth {
		at = at.AddDate(0, 0, 1-at.Day()) // else the 31st would step over short months
	}
	for ; at.Before(q.Until) && len(keys) <= maxSteps; at = step.Next(at) {
		keys = append(keys, at.Format(step.Layout()))
	}
	return slices.Clip(keys)
}

// StepFor is what a drawing of the query's time goes by, empty where its rows are times.
func (q Query) StepFor() inference.Dimension {
	const day = 24 * time.Hour
	switch long := q.Until.Sub(q.Since); {
	case slices.ContainsFunc(q.By, inference.Dimension.IsTime):
		return ""
	case long <= 3*day:
		return inference.ByHour
	case long <= 366*day:
		return inference.ByDay
	}
	return inference.ByMonth
}
