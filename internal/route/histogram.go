package route

import (
	"math/bits"
	"time"
)

// histogram is how samples of some hundred milliseconds spread, to an eighth of each.
// The older they are the less they count.
type histogram struct {
	counts [buckets]uint16
	total  int
	aged   int64 // when all were last halved, in Unix nanoseconds
}

// A bucket holds samples of as many units as the last eight ones, from 65 us on up to
// two minutes; a longer one is in the last.
const (
	unit    = 16 // bits of a nanosecond count
	buckets = 160

	enough  = 20              // samples to tell a p95 by
	memory  = 512             // samples before the old count half
	ageHalf = 5 * time.Minute // after which they do in any case
)

func (h *histogram) add(d time.Duration, now int64) {
	if h.total >= memory || h.total > 0 && now-h.aged > int64(ageHalf) {
		h.halve()
		h.aged = now
	}
	if h.total == 0 {
		h.aged = now
	}
	h.counts[bucketOf(d)]++
	h.total++
}

func (h *histogram) halve() {
	h.total = 0
	for i := range h.counts {
		h.counts[i] /= 2
		h.total += int(h.counts[i])
	}
}

// p95 is a time that 95 of 100 samples are within. It reports false of few samples.
func (h *histogram) p95() (time.Duration, bool) {
	if h.total < enough {
		return 0, false
	}
	above := h.total / 20
	for i := buckets - 1; ; i-- {
		if above -= int(h.counts[i]); above < 0 {
			return endOf(i), true
		}
	}
}

func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0)) >> unit
	e := max(bits.Len64(v)-4, 0)
	return min(e*8+int(v>>e), buckets-1)
}

// endOf is the longest sample of a bucket.
func endOf(i int) time.Duration {
	e := max(i/8-1, 0)
	return time.Duration(uint64(i-e*8+1)<<e<<unit - 1)
}
