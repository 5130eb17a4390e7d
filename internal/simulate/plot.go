package simulate

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The plot's measures, in pixels.
const (
	panelWidth  = 470
	panelHeight = 210
	marginLeft  = 62 // of a panel, for the numbers of its axis
	marginTop   = 34
	gap         = 26
	header      = 96
	footer      = 34
	columns     = 2
)

// colours tell policies apart, also for those who see few colours (Okabe and Ito).
var colours = [...]string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// panel is one small plot: a value over time, a line for each policy.
type panel struct {
	title string
	value func(Point) float64
}

var panels = []panel{
	{"goodput, calls per second", func(p Point) float64 { return p.Goodput }},
	{"calls that failed", func(p Point) float64 { return float64(p.Failed) }},
	{"median time to first token, ms", func(p Point) float64 { return p.FirstP50 }},
	{"99th percentile of time to first token, ms", func(p Point) float64 { return p.FirstP99 }},
	{"failovers per second", func(p Point) float64 { return p.Failovers }},
	{"throttled attempts per second", func(p Point) float64 { return p.Throttled }},
	{"cost of a thousand calls, US dollars", func(p Point) float64 { return 1000 * p.CostPerCall }},
	{"tokens of prefixes read from a cache, percent", func(p Point) float64 { return 100 * p.CacheHitShare }},
}

// WriteSVG draws the report as a standalone SVG: small multiples over time.
func (r *Report) WriteSVG(w io.Writer) error {
	rows := (len(panels) + columns - 1) / columns
	width := columns*(panelWidth+gap) + gap
	height := header + rows*(panelHeight+gap) + footer
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="system-ui, sans-serif" font-size="11" fill="#333">`+"\n", width, height)
	fmt.Fprintf(&out, `<title>%s</title><rect width="100%%" height="100%%" fill="#fff"/>`+"\n", escape(r.Scenario))
	r.drawHeader(&out)
	for i, p := range panels {
		x, y := gap+i%columns*(panelWidth+gap), header+i/columns*(panelHeight+gap)
		fmt.Fprintf(&out, `<g transform="translate(%d %d)">`+"\n", x, y)
		r.draw(&out, p)
		out.WriteString("</g>\n")
	}
	unit, _ := r.unit()
	fmt.Fprintf(&out, `<text x="%d" y="%d">across: time since the start, %s; each point is of the calls that came in %s</text>`+"\n</svg>\n",
		gap, height-footer/2, unit, short(r.Duration/slotCount))
	_, err := w.Write(out.Bytes())
	return err
}

// drawHeader writes the title and a legend with each policy's totals.
func (r *Report) drawHeader(out *bytes.Buffer) {
	fmt.Fprintf(out, `<text x="%d" y="30" font-size="18" font-weight="600" fill="#111">%s</text>`+"\n", gap, escape(r.Scenario))
	fmt.Fprintf(out, `<text x="%d" y="48">%s</text>`+"\n", gap, escape(r.subject()))
	for i, p := range r.Policies {
		x := gap + i*(columns*(panelWidth+gap)-gap)/max(4, len(r.Policies))
		fmt.Fprintf(out, `<rect x="%d" y="62" width="18" height="4" fill="%s"/>`, x, colour(i))
		fmt.Fprintf(out, `<text x="%d" y="68" font-weight="600">%s</text>`, x+24, escape(string(p.Policy)))
		fmt.Fprintf(out, `<text x="%d" y="83" font-size="10">%d failed, p99 %.0f ms, $%.2f</text>`+"\n", x+24, p.Failed, p.FirstP99, dollars(p.Cost))
	}
}

// draw draws one panel at the origin.
func (r *Report) draw(out *bytes.Buffer, p panel) {
	step, most := scale(r.most(p.value))
	plotWidth, plotHeight := float64(panelWidth-marginLeft), float64(panelHeight-marginTop-18)
	y := func(v float64) float64 { return marginTop + plotHeight*(1-v/most) }
	x := func(at float64) float64 { return marginLeft + plotWidth*at/r.Duration }

	fmt.Fprintf(out, `<text x="0" y="14" font-size="12" font-weight="600" fill="#111">%s</text>`+"\n", p.title)
	for v := 0.0; v <= most*1.0001; v += step {
		fmt.Fprintf(out, `<line x1="%d" x2="%d" y1="%.1f" y2="%[3]f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			marginLeft, panelWidth, y(v), marginLeft-6, y(v)+4, number(v))
	}
	unit, seconds := r.unit()
	tick, _ := scale(r.Duration / seconds)
	for t := 0.0; t*seconds <= r.Duration*1.0001; t += tick {
		fmt.Fprintf(out, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(t*seconds), panelHeight-2, number(t)+unit[:1])
	}
	for i := len(r.Policies) - 1; i >= 0; i-- { // the first on top
		var points strings.Builder
		for _, at := range r.Policies[i].Series {
			fmt.Fprintf(&points, "%.1f,%.1f ", x(at.At), y(p.value(at)))
		}
		fmt.Fprintf(out, `<polyline fill="none" stroke="%s" stroke-width="1.6" stroke-linejoin="round" points="%s"/>`+"\n",
			colour(i), strings.TrimSpace(points.String()))
	}
}

func colour(i int) string { return colours[i%len(colours)] }

// most is the highest value of a panel.
func (r *Report) most(value func(Point) float64) float64 {
	most := 0.0
	for _, p := range r.Policies {
		for _, at := range p.Series {
			most = max(most, value(at))
		}
	}
	return most
}

// unit is that of the time axis, and how many seconds it has.
func (r *Report) unit() (name string, seconds float64) {
	switch {
	case r.Duration > 3*3600:
		return "hours", 3600
	case r.Duration > 3*60:
		return "minutes", 60
	}
	return "seconds", 1
}

// scale is an axis from 0 that holds most: a round step, and the end, which is up to
// nine of them.
func scale(most float64) (step, end float64) {
	if most <= 0 {
		return 1, 1
	}
	step = math.Pow(10, math.Floor(math.Log10(most)))
	for _, finer := range []float64{5, 4, 2} {
		if most/(step/finer) <= 8 {
			step /= finer
			break
		}
	}
	return step, step * math.Ceil(most/step-1e-9)
}

// number is a value of an axis as one writes it.
func number(v float64) string {
	text := strconv.FormatFloat(v, 'f', 4, 64)
	return cmp.Or(strings.TrimRight(strings.TrimRight(text, "0"), "."), "0")
}

// escape is text for XML, without what XML cannot hold or a reader cannot see.
func escape(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(text)
}
