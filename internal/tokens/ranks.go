package tokens

import "container/heap"

// ranks are the tokens of a vocabulary for byte pair encoding: of two pairs that could be
// joined, the one with the lower rank is.
type ranks map[string]uint32

// count is the tokens of a piece. It takes n log n time in its length.
func (r ranks) count(piece string) int {
	if _, whole := r[piece]; whole {
		return 1
	}
	j := joining{ranks: r, piece: piece, ends: make([]int, len(piece)), starts: make([]int, len(piece)+1)}
	for at := range len(piece) {
		j.ends[at], j.starts[at+1] = at+1, at
	}
	for at := range len(piece) {
		j.offer(at)
	}
	left := len(piece)
	for len(j.pairs) > 0 {
		if j.join(heap.Pop(&j.pairs).(pair)) {
			left--
		}
	}
	return left
}

// joining is a piece on its way to tokens. The part that begins at a byte goes to ends of
// it, 0 where none begins any more; that which ends before a byte begins at starts of it.
type joining struct {
	ranks  ranks
	piece  string
	ends   []int
	starts []int
	pairs  pairs
}

// pair is two parts side by side that make a token: of the bytes from one to the other.
type pair struct {
	rank     uint32
	from, to int
}

// offer adds the pair whose first part begins at a byte, if it is one.
func (j *joining) offer(from int) {
	middle := j.ends[from]
	if middle == len(j.piece) {
		return
	}
	to := j.ends[middle]
	if rank, ok := j.ranks[j.piece[from:to]]; ok {
		heap.Push(&j.pairs, pair{rank, from, to})
	}
}

// join makes one part of two, and reports whether they were still there to be.
func (j *joining) join(p pair) bool {
	middle := j.ends[p.from]
	if middle == 0 || middle >= p.to || j.ends[middle] != p.to {
		return false
	}
	j.ends[p.from], j.ends[middle], j.starts[p.to] = p.to, 0, p.from
	j.offer(p.from)
	if p.from > 0 {
		j.offer(j.starts[p.from])
	}
	return true
}

// pairs is a heap: the lowest rank first, of equal ones the first in the text.
type pairs []pair

func (p pairs) Len() int      { return len(p) }
func (p pairs) Swap(a, b int) { p[a], p[b] = p[b], p[a] }
func (p pairs) Less(a, b int) bool {
	return p[a].rank < p[b].rank || p[a].rank == p[b].rank && p[a].from < p[b].from
}

// Push is for package heap.
func (p *pairs) Push(x any) { *p = append(*p, x.(pair)) }

// Pop is for package heap.
func (p *pairs) Pop() any {
	old := *p
	last := old[len(old)-1]
	*p = old[:len(old)-1]
	return last
}
