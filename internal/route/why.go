package route

import (
	"math"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// why is what gave a choice its place, as things were when the plan was made. The zero
// why says nothing.
type why struct {
	from  *candidate
	until time.Duration // that its class lasts
	view

	ruling ruling // that decided; the listing also where places are fixed
}

// explain sets the why of a candidate that ranks at.
func (p *planner) explain(w *why, from *candidate, seen *view, at rank) {
	w.from, w.view, w.ruling = from, *seen, p.ruling
	if at.tier()&lastPlace != lastPlace {
		w.ruling = listing
	}
	switch class := seen.class; {
	case class == 0:
	case class&barred != 0:
		w.until = time.Duration(from.guard.barred.Load() - p.now)
	case class&open != 0:
		w.until = time.Duration(from.guard.away.Load() - p.now)
	case class&tight != 0:
		w.until, _ = from.guard.bucket.look(p.tokens, p.now)
	}
}

// Ranking is a plan as traces show it.
func Ranking(plan []Choice) []inference.Ranked {
	ranking := make([]inference.Ranked, len(plan))
	for i, c := range plan {
		ranking[i] = inference.Ranked{
			Region: c.Target.Region, Model: c.Target.Model, Account: c.Target.Account,
			Because: c.why.String(),
		}
	}
	return ranking
}

// String is for an operator: what is wrong with the target, then what gave it its place
// among those that are like it.
func (w why) String() string {
	if w.from == nil {
		return ""
	}
	var words []string
	if w.class&barred != 0 {
		words = append(words, "not entitled, asked again "+in(w.until))
	}
	if w.class&open != 0 {
		words = append(words, w.held())
	}
	if w.class&strays != 0 {
		words = append(words, "may run outside of the grant")
	}
	if w.class&tight != 0 {
		words = append(words, "quota fits "+in(w.until))
	}
	return strings.Join(append(words, w.reason()), "; ")
}

// held says how long the breaker is open.
func (w why) held() string {
	switch {
	case w.class&barred != 0: // until is of that
		return "breaker open"
	case int64(w.until) > math.MaxInt64/2:
		return "breaker half-open, probed now"
	}
	return "breaker open for " + short(w.until)
}

func (w why) reason() string {
	switch {
	case w.home == ofSession:
		return "home of the session"
	case w.home == ofPrefix:
		return "home of the prompt prefix"
	case w.around:
		return "not seen for the longest"
	}
	switch w.ruling {
	case byPrequal:
		return w.expectation() + w.heat()
	case byLatency:
		return w.expectation()
	case byLoad:
		return strconv.Itoa(int(w.inFlight)) + " in flight at weight " + number(w.from.weight)
	case byChance:
		return "drawn at weight " + number(w.from.weight)
	case byPrice:
		if w.from.price == unpriced {
			return "price unknown"
		}
		return w.from.price.String() + " dollars a million tokens in and out"
	case inTurn:
		return "in its turn"
	}
	return w.listed()
}

func (w why) expectation() string {
	if w.expected == 0 && w.inFlight == 0 {
		return "no history, " + w.listed()
	}
	return "expected in " + short(w.expected) + ", " + strconv.Itoa(int(w.inFlight)) + " in flight"
}

func (w why) heat() string {
	switch {
	case w.scarce:
		return ", little quota left"
	case w.hot:
		return ", more than others"
	}
	return ""
}

// listed says what gave the target its place on the slate.
func (w why) listed() string {
	switch w.from.source {
	case byOrder:
		return ordinal(w.from.nth) + " in the configured order"
	case byStatement:
		named := "named " + ordinal(w.from.nth)
		if at := w.from.destination.Statement; at != "" {
			named += " by " + at
		}
		return named
	case bySource:
		return "source region"
	case byProfile:
		return "the profile in its source region"
	}
	return "in catalog order"
}

func ordinal(n int) string {
	words := [...]string{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"}
	if n < len(words) {
		return words[n]
	}
	return "number " + strconv.Itoa(n+1)
}

func in(d time.Duration) string {
	if int64(d) > math.MaxInt64/2 {
		return "once a call out to see has ended"
	}
	return "in " + short(d)
}

// short is d to three digits or so: 412ms, 8.2s, 4m10s.
func short(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', 4, 64) }
