package budget

import (
	"context"
	"fmt"
	"time"

	"fairway/internal/inference"
)

// Reservation is what a call may take at most, of all slots that bind it.
type Reservation struct {
	Charges  []inference.Charge  // for the call's record
	Nearing  []inference.Nearing // budgets that are above their soft threshold with it
	Admitted []bool              // by claim; the first always is
}

// booking is a reservation as the book keeps it while the call is under way.
type booking struct {
	Reservation
	claims   []Claim
	admitted uint64 // claims, by the bits of their indexes
	holds    []hold
	room     [8]hold // for the holds of most calls
}

// hold is what is reserved of one cell: the most of the claims that the budget counts.
type hold struct {
	cell   *cell
	claims uint64 // those that take from it, by the bits of their indexes
	most   int64
}

// patience is how long calls wait for an answer of the bank; twice that in all.
const patience = 250 * time.Millisecond

// Reserve takes the most that a call may use of every slot that binds it, all of it or
// nothing. Claims beyond the first that do not fit are not admitted: the call is to be
// made without them. Where the bank has to lease more first it waits, up to 250 ms for
// one answer and 500 ms in all. What it took is to be settled; the claims are its own.
//
// Errors are *inference.Error: what the budgets leave is too little (Throttling by the
// minute and for streams, ServiceQuotaExceeded by the day and month, or where the call
// takes more than a whole limit), with an *[Exceeded] as cause; AccessDenied for a budget
// that there is none of, and where dollars bind what has no price; ServiceUnavailable while the bank does not answer; Canceled.
func (b *Book) Reserve(ctx context.Context, ask *Ask) (*Reservation, error) {
	var late <-chan time.Time // set once it waits
	for patient := true; ; {
		r, wait, err := b.reserve(ask, patient)
		if wait == nil {
			return r, err
		}
		if late == nil {
			timer := time.NewTimer(2 * b.patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-wait:
		case <-late:
			patient = false
		case <-ctx.Done():
			return nil, &inference.Error{Kind: inference.Canceled, Op: opReserve, Message: "the caller went away", Err: ctx.Err()}
		}
	}
}

const opReserve = "reserve budget"

// reserve is one go at it. Exactly one of the results is not nil: the reservation, an
// errand to the bank that is to be waited for, which only the patient get, or why not.
func (b *Book) reserve(ask *Ask, patient bool) (*Reservation, <-chan struct{}, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refuses(ask); err != nil {
		return nil, nil, err
	}
	now := b.now()
	k := &booking{claims: ask.Claims[:min(len(ask.Claims), mostClaims)]}
	k.holds = k.room[:0]
	k.Admitted = make([]bool, len(ask.Claims))
	for i := range k.claims {
		first := len(k.holds)
		b.bind(k, ask, i, now)
		wait, err := b.fits(k, i, now, patient)
		switch {
		case i == 0 && err != nil:
			return nil, nil, err
		case wait != nil:
			return nil, wait, nil
		}
		if k.Admitted[i] = err == nil; k.Admitted[i] {
			k.raise(i)
		} else {
			k.drop(i, first)
		}
	}
	b.take(k, now)
	b.running[ask.ID] = k
	return &k.Reservation, nil, nil
}

// refuses names what no call can be made with.
func (b *Book) refuses(ask *Ask) error {
	for _, named := range [...]string{ask.Caller.Budget, ask.Budget} {
		if named != "" && b.byName[named] == nil {
			return &inference.Error{
				Kind: inference.AccessDenied, Op: opReserve,
				Message: fmt.Sprintf("authorize call: budget %q is not configured: ask the operator to add it to the budgets, or to name another for this caller", named),
			}
		}
	}
	if b.running[ask.ID] != nil {
		return inference.AsError(fmt.Errorf("%s: call %s has one already", opReserve, ask.ID))
	}
	return nil
}

// bind adds the cells that a claim takes from.
func (b *Book) bind(k *booking, ask *Ask, i int, now time.Time) {
	for _, of := range b.budgets {
		if !of.binds(ask) || !of.covers(&k.claims[i]) {
			continue
		}
		name := of.pot(ask, &k.claims[i])
		for measure, m := range measures {
			if m == inference.Streams && !ask.Stream {
				continue
			}
			if c := b.cell(of, name, measure, now); c != nil {
				k.hold(c).claims |= 1 << i
			}
		}
	}
}

// hold is the one of a cell.
func (k *booking) hold(c *cell) *hold {
	for i := range k.holds {
		if k.holds[i].cell == c {
			return &k.holds[i]
		}
	}
	k.holds = append(k.holds, hold{cell: c})
	return &k.holds[len(k.holds)-1]
}

// fits reports whether there is room for a claim beside those admitted before it: nil
// for both where there is, an errand to the bank that may bring more, or why not for the
// longest time.
func (b *Book) fits(k *booking, i int, now time.Time, patient bool) (wait <-chan struct{}, refused error) {
	var worst *inference.Error
	var short *cell
	for _, h := range k.holds {
		if h.claims>>i&1 == 0 {
			continue
		}
		if k.claims[i].Unpriced && h.cell.slot.Measure.IsMoney() {
			return nil, unpriced(&k.claims[i], h.cell)
		}
		need := max(h.most, k.claims[i].amount(h.cell.slot.Measure))
		if need == 0 || need <= h.cell.left(b.extra(h.cell)) {
			continue
		}
		more, err := b.seek(h.cell, need, now, patient)
		if more != nil {
			wait = more
		} else if worst = worse(worst, err); worst == err {
			short = h.cell
		}
	}
	if worst != nil {
		if i == 0 {
			b.stop(short, worst)
		}
		return nil, worst
	}
	return wait, nil
}

// drop takes a claim that is not admitted out of the holds, of which it brought those
// from first on.
func (k *booking) drop(i, first int) {
	k.holds = k.holds[:first]
	for j := range k.holds {
		k.holds[j].claims &^= 1 << i
	}
}

// raise makes room for a claim that is admitted.
func (k *booking) raise(i int) {
	k.admitted |= 1 << i
	for j := range k.holds {
		if h := &k.holds[j]; h.claims>>i&1 == 1 {
			h.most = max(h.most, k.claims[i].amount(h.cell.slot.Measure))
		}
	}
}

// take counts what is held, and fetches more from the bank before it runs short.
func (b *Book) take(k *booking, now time.Time) {
	if len(k.holds) == 0 {
		return
	}
	k.Charges = make([]inference.Charge, len(k.holds))
	for i, h := range k.holds {
		c := h.cell
		c.used += h.most
		c.running++
		k.Charges[i] = inference.Charge{Slot: c.slot, Amount: h.most}
		b.watch(c)
		if share := inference.Percent(c.known(), c.limit); c.of.Soft > 0 && share >= c.of.Soft {
			k.Nearing = append(k.Nearing, inference.Nearing{Budget: c.slot.Budget, Measure: c.slot.Measure, Percent: share})
		}
		if c.shared && c.left(0) < c.block(b.parts)/2 {
			b.fetch(c, 0, now)
		}
	}
}
