package meter

import "fairway/internal/inference"

// ring holds the last size records that were added. It grows to that and no
// further.
type ring struct {
	size    int
	records []*inference.Record
	next    int // where the oldest is, and the next one goes, once full
}

func (r *ring) add(record *inference.Record) {
	if len(r.records) < r.size {
		r.records = append(r.records, record)
		return
	}
	r.records[r.next] = record
	r.next = (r.next + 1) % r.size
}

// latest gives n records at most, the newest first.
func (r *ring) latest(n int) []*inference.Record {
	n = max(0, min(n, len(r.records)))
	out := make([]*inference.Record, n)
	for i := range out {
		out[i] = r.records[(r.next+len(r.records)-1-i)%len(r.records)]
	}
	return out
}
