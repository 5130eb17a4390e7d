package usage

import (
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// gap is the space between two columns.
const gap = 2

// grid is text in columns. The first ones are aligned to the left, the others to the
// right.
type grid struct {
	left int
	rows [][]string
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// widths are those of the columns, in characters.
func (g *grid) widths() []int {
	var widths []int
	for _, row := range g.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

// width is that of the whole.
func (g *grid) width() int {
	width := -gap
	for _, w := range g.widths() {
		width += w + gap
	}
	return width
}

// drop takes a column out.
func (g *grid) drop(column int) {
	for i := range g.rows {
		g.rows[i] = slices.Delete(g.rows[i], column, column+1)
	}
}

func (g *grid) write(w io.Writer) error {
	widths := g.widths()
	var b strings.Builder
	for _, row := range g.rows {
		line := make([]string, len(row))
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if line[i] = pad + cell; i < g.left {
				line[i] = cell + pad
			}
		}
		b.WriteString(strings.TrimRight(strings.Join(line, "  "), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
