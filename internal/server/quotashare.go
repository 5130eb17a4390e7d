package server

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/route"
)

// quotaShares divides the quotas of targets among the servers of one store, by what each
// of them wants. Every server tells the store what it wants and leases its part, see
// fairShare. Who holds more than that gives it back at once.
//
// The leases of a quota never pass the whole of it. A target that nothing is leased for
// starts with one block where [config.AllowAway] says so: the worst overshoot is servers
// times block.
type quotaShares struct {
	bank   shareBank
	server string
	log    *slog.Logger
	now    func() time.Time

	targets  map[string]*quotaShare // by slot's pot
	measured time.Time
	absent   bool // the bank does not answer
}

// shareBank leases shares; see budget.Bank.
type shareBank interface {
	Take(ctx context.Context, server string, slot inference.Slot, limit, want int64) (granted, taken int64, err error)
	Give(ctx context.Context, server string, back []inference.Charge) error
	Leases(ctx context.Context, m inference.Measure) ([]inference.Lease, error)
}

// quotaUser is the router, which uses quotas.
type quotaUser interface {
	Quotas() []route.QuotaUse
	Share(region inference.Region, model, account string, parts int)
}

const (
	shareEvery  = time.Second
	shareWithin = 5 * time.Second  // how long the bank may take for all that is asked at a time
	shareLife   = 30 * time.Second // of a lease that was just taken, half of what it is
	shareMargin = 10 * time.Second // that a lease ends before it does, for clocks that differ
)

// quotaShare is the share of one target.
type quotaShare struct {
	demand
	use   route.QuotaUse
	asked int       // parts that the bank knows to be wanted
	held  int       // parts that are leased
	until time.Time // they are at least
}

// The slots of a target: what is held of its quota, and what is wanted.
func heldOf(pot string) inference.Slot {
	return inference.Slot{Budget: "held", Pot: pot, Measure: inference.QuotaShare}
}

func wantedOf(pot string) inference.Slot {
	return inference.Slot{Budget: "wanted", Pot: pot, Measure: inference.QuotaShare}
}

// shareQuotas keeps the shares of this server until ctx ends, and then gives them back.
func (s *Server) shareQuotas(ctx context.Context) {
	q := &quotaShares{bank: s.store, server: s.ledger.Status().Server, log: s.log, now: s.now, targets: map[string]*quotaShare{}}
	ticker := time.NewTicker(shareEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			q.close(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			app := s.app.Load()
			q.turn(ctx, app.router, quotaBlock(app.config))
		}
	}
}

// quotaBlock is the least share that is leased, in parts.
func quotaBlock(c *config.Config) int {
	return max(1, int(math.Round(float64(c.Leases.Block)*route.Whole)))
}

// quotaStart is what is used of a quota while nothing is leased of it, in parts.
func quotaStart(c *config.Config) int {
	if c.Leases.Away == config.RefuseAway {
		return 0
	}
	return quotaBlock(c)
}

// turn brings the shares in line with what calls of late, here and on other servers, want.
func (q *quotaShares) turn(ctx context.Context, user quotaUser, block int) {
	q.measure(user.Quotas(), block)
	if len(q.targets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, shareWithin)
	defer cancel()
	err := q.balance(ctx, user, block)
	if err != nil {
		q.lapse(user)
	}
	if away := err != nil; away != q.absent && ctx.Err() != context.Canceled {
		q.absent = away
		if away {
			q.log.WarnContext(ctx, "store does not answer for shares of quotas", slog.Any("error", err))
		} else {
			q.log.InfoContext(ctx, "store answers for shares of quotas again")
		}
	}
}

// measure takes in what was used since the last time.
func (q *quotaShares) measure(uses []route.QuotaUse, block int) {
	now, apart := q.now(), shareEvery
	if !q.measured.IsZero() {
		apart = cmp.Or(max(0, now.Sub(q.measured)), shareEvery)
	}
	for _, use := range uses {
		pot := strings.Join([]string{string(use.Region), use.Account, use.Model}, " ")
		s := q.targets[pot]
		if s == nil {
			s = &quotaShare{}
			q.targets[pot] = s
		}
		s.demand.measure(&s.use, &use, block, now, apart)
		s.use = use
	}
	q.measured = now
}

// balance tells the bank what is wanted, and leases or gives back.
func (q *quotaShares) balance(ctx context.Context, user quotaUser, block int) error {
	others, err := q.read(ctx)
	if err != nil {
		return err
	}
	var back []inference.Charge
	grow := map[string]int{}
	for pot, s := range q.targets {
		want := s.wanted()
		part := fairShare(want, others[pot], block)
		if s.asked > want {
			back = append(back, inference.Charge{Slot: wantedOf(pot), Amount: int64(s.asked - want)})
		}
		if s.held > part {
			back = append(back, inference.Charge{Slot: heldOf(pot), Amount: int64(s.held - part)})
			s.held = part
		}
		s.put(user)
		if s.asked < want || s.held < part {
			grow[pot] = part
		}
	}
	if len(back) > 0 {
		if err := q.bank.Give(ctx, q.server, back); err != nil {
			return err
		}
	}
	for pot, part := range grow {
		if err := q.grow(ctx, user, pot, part); err != nil {
			return err
		}
	}
	return nil
}

// read takes in what the bank has leased, and returns what others want of each pot.
func (q *quotaShares) read(ctx context.Context) (others map[string][]int, err error) {
	leases, err := q.bank.Leases(ctx, inference.QuotaShare)
	if err != nil {
		return nil, err
	}
	for _, s := range q.targets {
		s.asked, s.held = 0, 0
	}
	others = map[string][]int{}
	for _, l := range leases {
		s, isHeld := q.targets[l.Pot], l.Slot == heldOf(l.Pot)
		switch {
		case s == nil:
		case l.Server != q.server && !isHeld:
			others[l.Pot] = append(others[l.Pot], int(l.Held))
		case l.Server == q.server && isHeld:
			s.held, s.until = int(l.Held), l.Until.Add(-shareMargin)
		case l.Server == q.server:
			s.asked = int(l.Held)
		}
	}
	return others, nil
}

// grow leases what is missing of a part, and tells the bank of what is wanted.
func (q *quotaShares) grow(ctx context.Context, user quotaUser, pot string, part int) error {
	s := q.targets[pot]
	if more := s.wanted() - s.asked; more > 0 {
		if _, _, err := q.bank.Take(ctx, q.server, wantedOf(pot), math.MaxInt64, int64(more)); err != nil {
			return err
		}
	}
	if s.held >= part {
		return nil
	}
	granted, _, err := q.bank.Take(ctx, q.server, heldOf(pot), route.Whole, int64(part-s.held))
	if err != nil {
		return err
	}
	if granted > 0 && s.held == 0 {
		s.until = q.now().Add(shareLife)
	}
	s.held += int(granted)
	s.put(user)
	return nil
}

// put tells the router of the share. A target that nothing is wanted of starts anew.
func (s *quotaShare) put(user quotaUser) {
	parts := s.held
	if s.wanted() == 0 {
		parts = route.Unleased
	}
	user.Share(s.use.Region, s.use.Model, s.use.Account, parts)
}

// lapse goes on with what is held, while the bank is away, for as long as it can be no
// other server's. From then on it is what targets start with.
func (q *quotaShares) lapse(user quotaUser) {
	now := q.now()
	for _, s := range q.targets {
		if now.After(s.until) {
			s.held = 0
			user.Share(s.use.Region, s.use.Model, s.use.Account, route.Unleased)
		}
	}
}

// close gives everything back. Where the bank is away it ends by itself.
func (q *quotaShares) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, shareWithin)
	defer cancel()
	var back []inference.Charge
	for _, pot := range slices.Sorted(maps.Keys(q.targets)) {
		for _, slot := range []inference.Slot{heldOf(pot), wantedOf(pot)} {
			back = append(back, inference.Charge{Slot: slot, Amount: math.MaxInt64})
		}
	}
	if len(back) == 0 {
		return
	}
	if err := q.bank.Give(ctx, q.server, back); err != nil {
		q.log.WarnContext(ctx, "shares of quotas not given back", slog.Any("error", err))
	}
}

// fairShare is the part of the whole of a server that wants so much beside others that
// want something, too: what it wants, and in whole blocks as much as each of them of what
// nobody wants. Where there is too little, it is the level up to which all get what they
// want.
func fairShare(want int, others []int, block int) int {
	if want == 0 {
		return 0
	}
	left, n := route.Whole, len(others)+1
	for _, other := range slices.Sorted(slices.Values(append(others, want))) {
		level := left / n
		if other > level {
			return min(want, level)
		}
		left -= other
		n--
	}
	return want + left/(len(others)+1)/block*block
}
