package route

import (
	"sync"
	"sync/atomic"
	"time"
)

// load is what a target has to do and how soon it has answered of late. The zero load
// has seen nothing. It is safe for concurrent use; what a plan reads takes no lock.
type load struct {
	flying atomic.Int32 // calls that have not ended
	proven atomic.Int32 // how many there were while it answered as soon as usual
	pacing
	peers *pacing // of all targets under the same model id; nil counts for none
}

func (l *load) enter()        { l.flying.Add(1) }
func (l *load) leave()        { l.flying.Add(-1) }
func (l *load) inFlight() int { return int(l.flying.Load()) }

// seen takes in the time d to the first content of a call that was answered.
func (l *load) seen(streams bool, d time.Duration, now time.Time) {
	l.prove(l.of(streams).seen(d, now.UnixNano()))
	if l.peers != nil {
		l.peers.of(streams).seen(d, now.UnixNano())
	}
}

// prove takes in whether an answer was late. What is proven follows the calls in
// flight up at once and down one at a time, and halves with each late answer. Of two
// answers at once one may be missed.
func (l *load) prove(late bool) {
	flying, proven := l.flying.Load(), l.proven.Load()
	switch {
	case late:
		l.proven.Store(proven / 2)
	case flying > proven:
		l.proven.Store(flying)
	case flying < proven:
		l.proven.Store(proven - 1)
	}
}

// few calls in flight are no load: as many as there are between the first ones and
// their answers where calls come briskly.
const few = 16

// hot reports whether a target has half as many calls more than it has proven to bear:
// a surge goes to it by and by, as fast as its answers show that it bears more.
func (l *load) hot(flying int32) bool {
	if flying <= few {
		return false
	}
	proven := l.proven.Load()
	return flying > proven+proven/2
}

// p95 is the time that 95 of 100 calls were answered in: by the target, or by its
// peers where it has seen few itself. It reports false where they have as well.
func (l *load) p95(streams bool) (time.Duration, bool) {
	d, ok := l.of(streams).p95()
	if !ok && l.peers != nil {
		return l.peers.of(streams).p95()
	}
	return d, ok
}

// usual is the time to first content that the target's peers take in the long run, 0
// where nothing is known.
func (l *load) usual(streams bool) time.Duration {
	if l.peers == nil {
		return 0
	}
	return time.Duration(l.peers.of(streams).mean.Load())
}

// expected is the time to first content of a call planned at now, in Unix
// nanoseconds: the mean of the target's answers, among which prior counts as doubt of
// them, and how late the last ones were beyond that. The older either is the less it
// counts.
func (l *load) expected(streams bool, prior time.Duration, now int64) time.Duration {
	p := l.of(streams)
	at := p.at.Load()
	if at == 0 {
		return prior
	}
	mean := prior + time.Duration(p.trust(now-at)*float64(time.Duration(p.mean.Load())-prior))
	if late := p.late.Load(); late > 0 {
		mean += time.Duration(halved(late, now-at, lateHalfBits))
	}
	return mean
}

// pacing are those of streams and of unary calls: the first content of a unary answer
// is all of it.
type pacing struct {
	streams, unary pace
}

func (p *pacing) of(streams bool) *pace {
	if streams {
		return &p.streams
	}
	return &p.unary
}

// pace is how soon first content came: a slow mean that ordinary spread does not move,
// and a fast one of what is beyond that.
type pace struct {
	mean  atomic.Int64 // in nanoseconds
	count atomic.Int64 // of the samples that it is made of, in units of one
	late  atomic.Int64 // how far beyond its spread answers were of late, in nanoseconds
	at    atomic.Int64 // of the last sample, in Unix nanoseconds; 0 where there is none

	mu     sync.Mutex // for writing, and for what follows
	spread histogram
	off    float64 // mean deviation from the mean, in nanoseconds
}

const (
	one     = 1 << 20  // sample: counts are of fractions
	longRun = 64 * one // that a mean is made of at most: its error is then an eleventh of the spread
	doubt   = 16 * one // spread of a region's answers to that of regions' means, squared: about four to one
	beyond  = 4        // deviations from the mean, where RFC 6298 has the end of ordinary spread
	least   = 1. / 8   // of the mean, that the deviation is taken for at least
	rise    = 1. / 4   // of how much later an answer was than the last late ones: one ten times as late will do
	fall    = 15. / 16 // is left of lateness after an answer in time: ten of them halve it

	countHalfBits = 38 // 275s: what was so minutes ago is likely still so
	lateHalfBits  = 33 // 8.6s: then a target that was late is looked at again
)

// trust is what a mean counts for after age nanoseconds, beside what is usual: 0 to 1.
func (p *pace) trust(age int64) float64 {
	count := halved(p.count.Load(), age, countHalfBits)
	return float64(count) / float64(count+doubt)
}

// seen reports whether d is beyond the ordinary spread.
func (p *pace) seen(d time.Duration, now int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spread.add(d, now)
	took, at := float64(d), p.at.Load()
	p.at.Store(now)
	if at == 0 {
		p.mean.Store(int64(d))
		p.count.Store(one)
		p.off = took / 2
		return false
	}
	mean := float64(p.mean.Load())
	bound := mean + beyond*p.off
	p.lag(took-bound, now-at)

	count := min(halved(p.count.Load(), now-at, countHalfBits)+one, longRun)
	weight, off := one/float64(count), min(took, bound)-mean
	if count != p.count.Load() {
		p.count.Store(count)
	}
	p.mean.Store(int64(mean + off*weight))
	p.off = max(p.off+(max(off, -off)-p.off)*weight, mean*least)
	return took > bound
}

// lag takes in how much later than its bound an answer was, below zero where it was in
// time, after a pause.
func (p *pace) lag(by float64, pause int64) {
	was := p.late.Load()
	if was == 0 && by <= 0 {
		return
	}
	late := float64(halved(was, pause, lateHalfBits))
	if by > late {
		late += (by - late) * rise
	} else {
		late *= fall
	}
	p.late.Store(int64(late))
}

func (p *pace) p95() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spread.p95()
}

// halved is n after age nanoseconds: half of it after a half-life of 2^bits, and so on,
// with straight lines between. It is for n of up to 2^40 or so.
func halved(n, age int64, bits int) int64 {
	times := max(age, 0) >> bits
	if times > 40 {
		return 0
	}
	const fine = 20 // bits of the share of a half-life
	share := max(age, 0) >> (bits - fine) & (1<<fine - 1)
	n >>= times
	return n - n*share>>(fine+1)
}
