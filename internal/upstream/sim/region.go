package sim

import (
	"cmp"
	"context"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"sync"

	"fairway/internal/inference"
)

// region is one simulated region: its fault, its counters, its quota buckets and
// the calls that are in it.
type region struct {
	name inference.Region

	mu        sync.Mutex
	fault     Fault
	requests  uint64
	throttled uint64
	visits    map[*visit]struct{}
	buckets   map[bucketKey]*bucket
}

// visit is one call's stay: in the region that was called, and in the one where it
// runs, which is another only where the first handed it on.
type visit struct {
	entry  *region
	region *region
	ctx    context.Context // ends with the caller's, and when either region goes down
	drop   context.CancelCauseFunc
	fault  Fault // the region's when the call came in
	rand   *rand.Rand
}

func (w *World) region(name inference.Region) *region {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.regions[name]
	if !ok {
		r = &region{name: name, fault: Up, visits: map[*visit]struct{}{}, buckets: map[bucketKey]*bucket{}}
		w.regions[name] = r
	}
	return r
}

func (r *region) enter(ctx context.Context, seed uint64) *visit {
	v := &visit{entry: r, region: r}
	v.ctx, v.drop = context.WithCancelCause(ctx)
	h := fnv.New64a()
	_, _ = io.WriteString(h, string(r.name)) // a hash never fails

	r.mu.Lock()
	defer r.mu.Unlock()
	v.fault = r.fault
	v.rand = rand.New(rand.NewPCG(seed^h.Sum64(), r.requests))
	r.requests++
	r.visits[v] = struct{}{}
	return v
}

// moveTo hands the call on to another region.
func (v *visit) moveTo(r *region) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v.region, v.fault = r, r.fault
	r.requests++
	r.visits[v] = struct{}{}
}

func (v *visit) leave() {
	for _, r := range [...]*region{v.region, v.entry} {
		r.mu.Lock()
		delete(r.visits, v)
		r.mu.Unlock()
	}
	v.drop(nil)
}

func (r *region) countThrottled() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.throttled++
}

// Set gives a region a fault, or takes it away with Up. See Fault for which
// calls it touches.
func (w *World) Set(name inference.Region, f Fault) {
	r := w.region(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault = f
	if f != Down {
		return
	}
	for v := range r.visits {
		v.drop(errWentDown)
	}
}

// RegionStatus is a region as an operator sees it.
type RegionStatus struct {
	Region    inference.Region `json:"region"`
	Fault     Fault            `json:"fault"`
	InFlight  int              `json:"in_flight"`
	Requests  uint64           `json:"requests"`  // since the start, refused ones included
	Throttled uint64           `json:"throttled"` // by quota or by the fault
	Quotas    []QuotaStatus    `json:"quotas"`    // of the models called so far, by model and scope; never null
}

// Status lists the regions that were called or given a fault, by name.
func (w *World) Status() []RegionStatus {
	w.mu.Lock()
	regions := make([]*region, 0, len(w.regions))
	for _, r := range w.regions {
		regions = append(regions, r)
	}
	w.mu.Unlock()
	slices.SortFunc(regions, func(a, b *region) int { return cmp.Compare(a.name, b.name) })

	list := make([]RegionStatus, len(regions))
	for i, r := range regions {
		list[i] = r.status(w)
	}
	return list
}

func (r *region) status(w *World) RegionStatus {
	now := w.config.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := RegionStatus{
		Region:    r.name,
		Fault:     r.fault,
		InFlight:  len(r.visits),
		Requests:  r.requests,
		Throttled: r.throttled,
		Quotas:    make([]QuotaStatus, 0, len(r.buckets)),
	}
	for key, b := range r.buckets {
		s.Quotas = append(s.Quotas, b.status(key, now))
	}
	slices.SortFunc(s.Quotas, func(a, b QuotaStatus) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Model, b.Model), cmp.Compare(a.Scope, b.Scope))
	})
	return s
}
