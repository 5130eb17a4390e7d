package usage

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"fairway/internal/inference"
)

// Screen is what a table is shown on.
type Screen struct {
	Width int // in characters, 0 for as wide as the table is
	Draws bool
}

// Where there is little room, keys are shortened to leastKey characters before columns
// up to the rank useful give way.
const (
	leastKey = 24
	useful   = 4
)

// WriteTable shows a report to people. Columns that a narrow screen has no room for
// are named below.
func (r *Report) WriteTable(w io.Writer, on Screen) error {
	about := r.Since.Format(minutes) + " up to " + r.Until.Format(minutes) + " UTC" + r.filters()
	if r.Total.Calls == 0 {
		_, err := fmt.Fprintf(w, "no calls since %s\n", about)
		return err
	}
	g, dropped := r.grid(on)
	if _, err := fmt.Fprintf(w, "%s\n\n", about); err != nil {
		return err
	}
	if err := g.write(w); err != nil {
		return err
	}
	if len(dropped) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nno room for %s: --json has them\n", strings.Join(dropped, ", "))
	return err
}

const minutes = "2006-01-02 15:04"

func (r *Report) filters() string {
	var b strings.Builder
	for _, d := range inference.Dimensions() {
		if value, ok := r.Where[d]; ok {
			fmt.Fprintf(&b, ", %s %s", d, orDash(value))
		}
	}
	return b.String()
}

// grid lays the report out and says which columns it left out.
func (r *Report) grid(on Screen) (g *grid, dropped []string) {
	shown := slices.Clone(numbers)
	drawing, draw := r.drawing()
	if !on.Draws {
		draw = nil
	}
	g = r.fill(shown, drawing, draw)
	for on.Width > 0 && g.width() > on.Width {
		last := lowest(shown)
		if key := longestKey(g); key >= 0 && shown[last].rank <= useful {
			shortenKeys(g, key)
			continue
		}
		if shown[last].rank == 0 {
			break
		}
		g.drop(g.left + last)
		dropped = append(dropped, shown[last].head)
		shown = slices.Delete(shown, last, last+1)
	}
	return g, dropped
}

// fill makes the lines: the heads, the rows, the others and the total.
func (r *Report) fill(shown []column, drawing string, draw func(Row) string) *grid {
	g := &grid{left: max(len(r.By), 1)}
	line := func(names []string, row Row) {
		cells := append(names, make([]string, g.left-len(names))...)
		for _, c := range shown {
			cells = append(cells, c.cell(row.Sums))
		}
		if draw != nil {
			cells = append(cells, draw(row))
		}
		g.add(cells...)
	}
	g.add(r.heads(shown, drawing, draw != nil)...)
	for _, row := range r.Rows {
		var names []string
		for _, d := range r.By {
			names = append(names, orDash(row.Keys[d]))
		}
		line(names, row)
	}
	if r.Others != nil {
		line([]string{fmt.Sprintf("%s others", grouped(int64(r.Others.Of)))}, *r.Others)
	}
	line([]string{"total"}, r.Total)
	return g
}

func (r *Report) heads(shown []column, drawing string, draws bool) []string {
	var heads []string
	for _, d := range r.By {
		heads = append(heads, strings.ToUpper(string(d)))
	}
	if len(heads) == 0 {
		heads = []string{""}
	}
	for _, c := range shown {
		heads = append(heads, c.head)
	}
	if draws {
		heads = append(heads, drawing)
	}
	return heads
}

// drawing is what is drawn beside each row and under which head, nil for nothing: a
// bar of each time's share, or how a row came about. Where nothing costs it is of calls.
func (r *Report) drawing() (head string, draw func(Row) string) {
	of, value := "COST", func(p Point) int64 { return int64(p.Cost) }
	if r.Total.Cost == 0 {
		of, value = "CALLS", func(p Point) int64 { return p.Calls }
	}
	if len(r.Steps) > 0 {
		head = of + " BY " + strings.ToUpper(string(r.Step))
		return head, func(row Row) string { return fmt.Sprintf("%-*s", len(head), spark(row.Series, value)) }
	}
	if len(r.By) == 0 || !r.By[0].IsTime() {
		return "", nil
	}
	var most int64
	for _, row := range r.Rows {
		most = max(most, value(row.point()))
	}
	return fmt.Sprintf("%-*s", drawn, of), func(row Row) string {
		if row.Keys == nil { // the others and the total are no times
			return ""
		}
		return bar(value(row.point()), most)
	}
}

func (r Row) point() Point { return Point{r.Calls, r.Cost} }

// longestKey is the column of keys that can give most room, -1 for none.
func longestKey(g *grid) int {
	at, most := -1, leastKey
	for i, w := range g.widths()[:g.left] {
		if w > most {
			at, most = i, w
		}
	}
	return at
}

func shortenKeys(g *grid, column int) {
	for i := range g.rows {
		g.rows[i][column] = shorten(g.rows[i][column], leastKey)
	}
}

// lowest is the column that gives way first.
func lowest(shown []column) int {
	at := 0
	for i, c := range shown {
		if c.rank > shown[at].rank {
			at = i
		}
	}
	return at
}
