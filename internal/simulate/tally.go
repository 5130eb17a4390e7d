package simulate

import (
	"math/bits"
	"slices"
	"time"

	"fairway/internal/inference"
)

// tally counts a run.
type tally struct {
	length  time.Duration // of a slot
	slots   []slot        // by when the call came
	whole   slot
	regions []int // calls by the region that answered
	kinds   map[inference.Kind]int
	limits  map[string]int // calls that budgets refused, by the limit
	heavy   int            // of them those of the heavy user
}

// slot is a part of the virtual time. Sums are over the calls that came in it.
type slot struct {
	calls, good, failed int
	refused             int
	attempts            int
	failovers, hedges   int
	throttled           int
	cost                inference.Money
	prefix, read        int // tokens that could have been read from a cache, and that were
	first               latencies
}

// slotCount is how many points a curve has.
const slotCount = 60

func newTally(d time.Duration, regions int) tally {
	return tally{
		length:  max(1, (d+slotCount-1)/slotCount),
		slots:   make([]slot, slotCount),
		regions: make([]int, regions),
		kinds:   map[inference.Kind]int{},
		limits:  map[string]int{},
	}
}

// at is the slots that count what came at a time: the whole, and its own part.
func (t *tally) at(arrived int64) [2]*slot {
	return [2]*slot{&t.whole, &t.slots[arrived/int64(t.length)]}
}

// refuse counts a call that a budget's limit kept out.
func (t *tally) refuse(c *call, limit string) {
	for _, s := range t.at(c.arrived) {
		s.calls++
		s.refused++
	}
	t.limits[limit]++
	if c.isHeavy {
		t.heavy++
	}
}

// add counts a call that is over.
func (t *tally) add(c *call, w *world, failure *inference.Error) {
	cost := w.price.cost(c.story.usage)
	for _, s := range t.at(c.arrived) {
		s.calls++
		s.attempts += c.legs
		s.failovers += c.story.failovers
		s.hedges += c.story.hedges
		s.throttled += c.story.throttled
		s.cost += cost
		switch took := time.Duration(w.at-c.arrived) + c.source.way; {
		case failure != nil:
			s.failed++
		case took <= w.scenario.Within:
			s.good++
		}
		if c.spoken {
			s.first.add(time.Duration(c.story.first))
			s.prefix += c.story.prefix
			s.read += c.story.read
		}
	}
	if c.spoken {
		t.regions[c.story.answering]++
	}
	if failure != nil {
		t.kinds[failure.Kind]++
	}
}

// latencies are durations by their size in microseconds: each power of two is cut
// into finely many, so that a quantile is off by half a per cent at most.
type latencies struct {
	counts []uint32
	n      int
}

const (
	fineBits = 7
	finely   = 1 << fineBits
)

func (l *latencies) add(d time.Duration) {
	us := uint64(max(0, d.Microseconds()))
	i := int(us)
	if us >= finely {
		shift := bits.Len64(us) - 1 - fineBits
		i = (shift+1)<<fineBits + int(us>>shift) - finely
	}
	if i >= len(l.counts) {
		l.counts = slices.Grow(l.counts, i+1-len(l.counts))[:i+1]
	}
	l.counts[i]++
	l.n++
}

// quantile is the duration that a share of them stays within, 0 where there are none.
func (l *latencies) quantile(share float64) time.Duration {
	rank := int(share * float64(l.n))
	for i, n := range l.counts {
		if rank -= int(n); rank < 0 {
			return middle(i)
		}
	}
	return 0
}

// middle is the middle of the i-th bin.
func middle(i int) time.Duration {
	if i < finely {
		return time.Duration(i) * time.Microsecond
	}
	shift := i>>fineBits - 1
	low := uint64(finely+i&(finely-1)) << shift
	return time.Duration(low+1<<shift/2) * time.Microsecond
}
