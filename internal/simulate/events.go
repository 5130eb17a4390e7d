package simulate

// actor is what something happens to. What it has outlived it knows by the turn that
// the event was made for.
type actor interface{ happen(w *world, turn uint32) }

// event is something that is to happen at an instant, in nanoseconds of virtual time.
// Of two at the same instant the one that was made first comes first.
type event struct {
	at    int64
	order uint64
	turn  uint32
	actor actor
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.order < o.order
}

// events is a heap with four children a node, which is shallower and keeps them
// together in memory.
type events struct {
	heap []event
	made uint64
}

const children = 4

func (q *events) add(at int64, a actor, turn uint32) {
	q.made++
	q.heap = append(q.heap, event{at, q.made, turn, a})
	i := len(q.heap) - 1
	e := q.heap[i]
	for i > 0 {
		parent := (i - 1) / children
		if !e.before(&q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = e
}

// next takes out the soonest event; ok is false when there is none.
func (q *events) next() (first event, ok bool) {
	n := len(q.heap) - 1
	if n < 0 {
		return event{}, false
	}
	first = q.heap[0]
	last := q.heap[n]
	q.heap[n] = event{}
	q.heap = q.heap[:n]
	if n > 0 {
		q.sink(last)
	}
	return first, true
}

// sink puts e where the root was, and its lesser children above it.
func (q *events) sink(e event) {
	for i := 0; ; {
		least := children*i + 1
		if least >= len(q.heap) {
			q.heap[i] = e
			return
		}
		for c := least + 1; c < min(least+children, len(q.heap)); c++ {
			if q.heap[c].before(&q.heap[least]) {
				least = c
			}
		}
		if !q.heap[least].before(&e) {
			q.heap[i] = e
			return
		}
		q.heap[i] = q.heap[least]
		i = least
	}
}
