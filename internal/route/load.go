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
	pacing
	peers *pacing // of all targets under the same model id; nil counts for none
}

func (l *load) enter()        { l.flying.Add(1) }
func (l *load) leave()        { l.flying.Add(-1) }
func (l *load) inFlight() int { return int(l.flying.Load()) }

// seen takes in the time d to the first content of a call that was answered.
func (l *load) seen(streams bool, d time.Duration, now time.Time) {
	l.of(streams).seen(d, now.UnixNano())
	if l.peers != nil {
		l.peers.of(streams).seen(d, now.UnixNano())
	}
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
	return time.Duration(l.peers.of(streams).usual.Load())
}

// expected is the time to first content of a call planned at now, in Unix
// nanoseconds: what was seen last, which counts less the longer ago that was, and for
// the rest prior.
func (l *load) expected(streams bool, prior time.Duration, now int64) time.Duration {
	p := l.of(streams)
	at := p.at.Load()
	if at == 0 {
		return prior
	}
	return prior + halved(time.Duration(p.late.Load())-prior, now-at)
}

// pacing are those of streams and of unary calls: the first content of a unary answer
// is all of it.
type pacing struct{ streams, unary pace }

func (p *pacing) of(streams bool) *pace {
	if streams {
		return &p.streams
	}
	return &p.unary
}

// pace is how soon first content came.
type pace struct {
	late  atomic.Int64 // of late: a moving average that rises fast and falls slowly, in nanoseconds
	usual atomic.Int64 // in the long run, in nanoseconds
	at    atomic.Int64 // of the last one, in Unix nanoseconds; 0 where there is none

	mu     sync.Mutex // for writing, and for what follows
	spread histogram
	count  int64 // up to longRun
}

// How averages move. What is slower than the one of late moves it by a quarter of the
// difference, what is faster by a sixteenth, and either by more after a pause.
const (
	rise    = 4
	fall    = 16
	longRun = 64 // samples

	halfLifeBits = 33
	halfLife     = time.Duration(1) << halfLifeBits // 8.6s, a power of two: plans ask often
)

func (p *pace) seen(d time.Duration, now int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spread.add(d, now)
	p.count = min(p.count+1, longRun)
	usual := p.usual.Load()
	p.usual.Store(usual + (int64(d)-usual)/p.count)
	p.late.Store(int64(p.moved(d, now)))
	p.at.Store(now)
}

// moved is the average of late with d.
func (p *pace) moved(d time.Duration, now int64) time.Duration {
	late, at := time.Duration(p.late.Load()), p.at.Load()
	if at == 0 {
		return d
	}
	by := d - late
	paused := by - halved(by, now-at)
	if by > 0 {
		return late + max(by/rise, paused)
	}
	return late + min(by/fall, paused)
}

func (p *pace) p95() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spread.p95()
}

// halved is d after age nanoseconds: half of it after a half-life, and so on, with
// straight lines between. It is for d of minutes, not of hours.
func halved(d time.Duration, age int64) time.Duration {
	times := max(age, 0) >> halfLifeBits
	if times > 40 {
		return 0
	}
	const fine = 20 // bits of the share of a half-life
	share := max(age, 0) >> (halfLifeBits - fine) & (1<<fine - 1)
	d >>= times
	return d - d*time.Duration(share)>>(fine+1)
}
