package usage

import (
	"math/bits"
	"strings"
)

// drawn is the most characters that a row's drawing takes.
const drawn = 16

// ticks are the heights of a sparkline above nothing.
const ticks = "▁▂▃▄▅▆▇█"

// spark draws a value of a series, the largest as high as may be and nothing as a
// space. A series longer than the drawing is drawn by sums of neighbours.
func spark(series []Point, value func(Point) int64) string {
	n := min(len(series), drawn)
	cells := make([]int64, n)
	for i, p := range series {
		cells[i*n/len(series)] += value(p)
	}
	var most int64
	for _, v := range cells {
		most = max(most, v)
	}
	heights := []rune(ticks)
	var b strings.Builder
	for _, v := range cells {
		if v <= 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(heights[share(v, most, len(heights))-1])
	}
	return b.String()
}

// bar draws a value beside the most.
func bar(v, most int64) string {
	if v <= 0 || most <= 0 {
		return strings.Repeat(" ", drawn)
	}
	long := share(v, most, drawn)
	return strings.Repeat("█", long) + strings.Repeat(" ", drawn-long)
}

// share is v of most in parts, from 1 on.
func share(v, most int64, parts int) int {
	high, low := bits.Mul64(uint64(v), uint64(parts))
	n, _ := bits.Div64(high, low, uint64(most)) // v is at most most, so that it fits
	return max(int(n), 1)
}
