package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/route"
)

// shareBankOf is a bank in memory that can go away. Its leases end when their server was
// not there for a minute.
type shareBankOf struct {
	now  func() time.Time
	held map[inference.Slot]map[string]int64
	seen map[string]time.Time
	away map[string]bool // servers that do not reach it
}

var errCutOff = errors.New("cut off")

func (b *shareBankOf) lives(server string) bool { return b.now().Sub(b.seen[server]) < time.Minute }

// reached is what a server finds that asks: its own leases, where they live still.
func (b *shareBankOf) reached(server string) error {
	if b.away[server] {
		return errCutOff
	}
	if !b.lives(server) {
		for _, held := range b.held {
			delete(held, server)
		}
	}
	b.seen[server] = b.now()
	return nil
}

func (b *shareBankOf) Take(_ context.Context, server string, slot inference.Slot, limit, want int64) (granted, taken int64, err error) {
	if err := b.reached(server); err != nil {
		return 0, 0, err
	}
	if b.held[slot] == nil {
		b.held[slot] = map[string]int64{}
	}
	for other, held := range b.held[slot] {
		if b.lives(other) {
			taken += held
		}
	}
	granted = max(0, min(want, limit-taken))
	b.held[slot][server] += granted
	return granted, taken + granted, nil
}

func (b *shareBankOf) Give(_ context.Context, server string, back []inference.Charge) error {
	if err := b.reached(server); err != nil {
		return err
	}
	for _, c := range back {
		if held := b.held[c.Slot]; held != nil {
			held[server] = max(0, held[server]-c.Amount)
		}
	}
	return nil
}

// leasesTo is Leases as a server reaches the bank.
func (b *shareBankOf) leasesTo(server string) (all []inference.Lease, err error) {
	if err := b.reached(server); err != nil {
		return nil, err
	}
	for slot, of := range b.held {
		for server, held := range of {
			if held > 0 && b.lives(server) {
				all = append(all, inference.Lease{Slot: slot, Server: server, Held: held, Until: b.seen[server].Add(time.Minute)})
			}
		}
	}
	return all, nil
}

// branch is the bank as one server reaches it.
type branch struct {
	*shareBankOf
	server string
}

func (b branch) Leases(context.Context, inference.Measure) ([]inference.Lease, error) {
	return b.leasesTo(b.server)
}

// loadedServer is one with a target, which calls for demand parts a minute would use.
type loadedServer struct {
	shares *quotaShares
	demand int
	start  int

	share int
	use   route.QuotaUse
	now   func() time.Time
}

func (s *loadedServer) Quotas() []route.QuotaUse {
	if s.use.Last.IsZero() {
		return nil
	}
	s.use.Share, s.use.Left = s.share, 1
	if s.demand >= s.share {
		s.use.Left = 0
	}
	return []route.QuotaUse{s.use}
}

func (s *loadedServer) Share(_ inference.Region, _, _ string, parts int) {
	if parts == route.Unleased {
		parts = s.start
	}
	s.share = parts
}

// run makes the calls of a second.
func (s *loadedServer) run() {
	if s.demand == 0 {
		return
	}
	s.use.Last = s.now()
	s.use.Tokens.Taken += int64(min(s.demand, s.share)) * s.use.Tokens.Limit / route.Whole / 60
}

// fleet is servers of one bank.
type fleet struct {
	at      time.Time
	bank    *shareBankOf
	servers []*loadedServer
}

const testBlock = 50

func newFleet(n, start int) *fleet {
	f := &fleet{at: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	now := func() time.Time { return f.at }
	f.bank = &shareBankOf{now: now, held: map[inference.Slot]map[string]int64{}, seen: map[string]time.Time{}, away: map[string]bool{}}
	for i := range n {
		name := fmt.Sprint("server ", i)
		f.servers = append(f.servers, &loadedServer{
			start: start, share: start, now: now,
			use:    route.QuotaUse{Region: "us-east-1", Model: "m", Tokens: route.Used{Limit: 6_000_000}},
			shares: &quotaShares{bank: branch{f.bank, name}, server: name, now: now, log: slog.New(slog.DiscardHandler), targets: map[string]*quotaShare{}},
		})
	}
	return f
}

// second passes on all servers.
func (f *fleet) second(ctx context.Context) {
	f.at = f.at.Add(time.Second)
	for _, s := range f.servers {
		s.run()
		s.shares.turn(ctx, s, testBlock)
	}
}

func (f *fleet) seconds(t *testing.T, n int) {
	t.Helper()
	for range n {
		f.second(t.Context())
		if sum, most := f.sum(), route.Whole+len(f.servers)*testBlock; sum > most {
			t.Fatalf("shares are %v in all, want at most %d", f.all(), most)
		}
	}
}

func (f *fleet) sum() (sum int) {
	for _, s := range f.servers {
		sum += s.share
	}
	return sum
}

func (f *fleet) all() (all []int) {
	for _, s := range f.servers {
		all = append(all, s.share)
	}
	return all
}

func (f *fleet) demands(parts ...int) {
	for i, d := range parts {
		f.servers[i].demand = d
	}
}

// wantShares are at least so much, each.
func (f *fleet) wantShares(t *testing.T, when string, least ...int) {
	t.Helper()
	for i, s := range f.servers {
		if s.share < least[i] {
			t.Errorf("shares %s = %v, want at least %v", when, f.all(), least)
			return
		}
	}
}

// TestSharesFollowLoad: load that moves takes its quota along within seconds, and who
// wants more than there is shares it evenly.
func TestSharesFollowLoad(t *testing.T) {
	f := newFleet(3, testBlock)
	f.demands(900, 0, 0)
	f.seconds(t, 3)
	f.wantShares(t, "of one busy server", 900, testBlock, testBlock)
	f.demands(0, 900, 0)
	f.seconds(t, 20)
	f.wantShares(t, "after the load has moved", 0, 900, 0)
	f.demands(900, 900, 100)
	f.seconds(t, 20)
	f.wantShares(t, "when all want more than there is", 400, 400, 100)
	f.demands(0, 0, 0)
	f.seconds(t, 60)
	for slot, held := range f.bank.held {
		for server, n := range held {
			if n != 0 {
				t.Errorf("%s holds %d of %v while there are no calls, want nothing", server, n, slot)
			}
		}
	}
}

// TestSharesAway: a server that is cut off keeps what it holds while that is its own, and
// one block or nothing from then on.
func TestSharesAway(t *testing.T) {
	for _, start := range []int{testBlock, 0} {
		t.Run(fmt.Sprint("start ", start), func(t *testing.T) {
			f := newFleet(3, start)
			for _, s := range f.servers {
				s.use.Last = f.at // missed by a call, where it has no share
			}
			f.demands(600, 200, 0)
			f.seconds(t, 40)
			f.wantShares(t, "before", 600, 200, 0)
			f.bank.away["server 0"] = true
			f.seconds(t, 45)
			f.wantShares(t, "cut off for 45 seconds", 600, 200, 0)
			f.demands(600, 900, 0)
			f.seconds(t, 60)
			f.wantShares(t, "cut off for long", start, 900, 0)
			if got := f.servers[0].share; got != start {
				t.Errorf("share of a server that is cut off for long = %d, want %d", got, start)
			}
			f.bank.away["server 0"] = false
			f.seconds(t, 40)
			f.wantShares(t, "when it is back", 400, 400, 0)
		})
	}
}

// TestSharesAreNeverMore: whatever is wanted, and whoever is cut off for however long.
func TestSharesAreNeverMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := newFleet(rapid.IntRange(1, 6).Draw(t, "servers"), rapid.SampledFrom([]int{0, testBlock}).Draw(t, "start"))
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			i := rapid.IntRange(0, len(f.servers)-1).Draw(t, "server")
			s := f.servers[i]
			s.demand = rapid.SampledFrom([]int{0, 10, 300, 2000}).Draw(t, "demand")
			f.bank.away[s.shares.server] = rapid.Bool().Draw(t, "away")
			for range rapid.IntRange(1, 90).Draw(t, "seconds") {
				f.second(context.Background())
				unleased := 0
				for _, s := range f.servers {
					if s.share == s.start {
						unleased += s.start
					}
				}
				if f.sum() > route.Whole+unleased {
					t.Fatalf("shares = %v, want %d and one block each of those that hold nothing", f.all(), route.Whole)
				}
			}
		}
	})
}

func TestFairShare(t *testing.T) {
	for _, test := range []struct {
		want   int
		others []int
		part   int
	}{
		{0, nil, 0}, {0, []int{100}, 0}, {700, nil, 1000}, {1000, nil, 1000},
		{700, []int{100}, 800}, {700, []int{250}, 700}, {700, []int{300}, 700}, {700, []int{400}, 600},
		{1000, []int{1000}, 500}, {100, []int{1000, 1000}, 100}, {100, []int{100, 100}, 300}, {1000, []int{1000, 100}, 450},
		{1000, []int{1000, 1000, 1000}, 250}, {50, []int{1000}, 50},
	} {
		if got := fairShare(test.want, test.others, testBlock); got != test.part {
			t.Errorf("fairShare(%d, %v, 50) = %d, want %d", test.want, test.others, got, test.part)
		}
	}
}

func TestQuotaStart(t *testing.T) {
	c := config.Default()
	if got := quotaStart(c); got != 50 {
		t.Errorf("quotaStart() = %d, want 50", got)
	}
	c.Leases.Away = config.RefuseAway
	if start, block := quotaStart(c), quotaBlock(c); start != 0 || block != 50 {
		t.Errorf("quotaStart(), quotaBlock() where nothing is spent while the store is away = %d, %d, want 0, 50", start, block)
	}
}
