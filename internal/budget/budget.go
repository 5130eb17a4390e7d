// Package budget keeps callers from spending what they may not. A [Book] holds budgets;
// each has pots, one for all or one for each user, key, team, principal or model; each
// pot has a limit for one measure or several, of windows of UTC. A call reserves the most
// that it may take of every pot that binds it before it is made, all of it or nothing,
// and at its end the truth takes the place of that.
//
//	budget.go  what budgets are, and the book of them
//	ask.go     what a call asks for, and which budgets bind it
//	reserve.go taking the most that it may use
//	settle.go  putting in what it used
//	cell.go    what is counted in one window of one pot
//	lease.go   shares of a limit, of a bank that servers have together
//	upkeep.go  giving back what nobody uses, forgetting what is over
//	exceeded.go, notice.go, webhook.go, state.go: who is told what
//
// # Several servers
//
// Servers share limits through a [Bank], which leases them in blocks: the leases of all
// of them together never pass a limit, so neither does what they reserve. While the bank
// does not answer, and [Config] says Allow, each server may reserve one block of a slot
// beyond what it leased. The worst overshoot of a limit is therefore servers times block,
// and only then; a server that starts anew meanwhile is one more. On top of that comes,
// at any time, what calls that are under way use beyond the most that they were estimated
// to: it counts as soon as they end. Windows begin by each server's own clock.
//
// What a server holds and does not use others cannot reserve: up to two blocks while it is
// busy, more for the seconds after a large call, nothing half a minute after the last one.
// Money goes through the bank even of a
// single server: so its spending survives a restart.
package budget

import (
	"cmp"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"fairway/internal/inference"
)

// Budget is what some calls may take together. It binds those that all of its lists
// match, of the lists that it has. A call that names it is bound whoever makes it, as far
// as Models go; a budget without any list binds no others.
type Budget struct {
	Name                                   string
	Principals, Keys, Users, Teams, Models []string // path.Match patterns; "*" is any name, also with a slash
	Per                                    Per

	DollarsPerDay, DollarsPerMonth              inference.Money // 0 is without limit, as of all of these
	TokensPerMinute, RequestsPerMinute, Streams int

	Soft    int    // percent of a limit from which on callers and operators are told; 0 is never
	Webhook string // URL that is told too, empty for none
}

// Per is whose each pot of a budget is.
type Per string

// The pots. Calls that lack what tells them apart share the pot "".
const (
	PerBudget    Per = ""
	PerPrincipal Per = "principal"
	PerKey       Per = "key"
	PerUser      Per = "user" // by id, where the user has one
	PerTeam      Per = "team"
	PerModel     Per = "model"
)

// measures in the order in which a call is told of them: the longest wait first.
var measures = [...]inference.Measure{
	inference.DollarsPerMonth, inference.DollarsPerDay, inference.TokensPerMinute, inference.RequestsPerMinute, inference.Streams,
}

// limits in the units and the order of measures.
func (b *Budget) limits() [len(measures)]int64 {
	return [...]int64{int64(b.DollarsPerMonth), int64(b.DollarsPerDay), int64(b.TokensPerMinute), int64(b.RequestsPerMinute), int64(b.Streams)}
}

// Away is what holds while the bank does not answer.
type Away string

// The choices.
const (
	Allow  Away = "allow"  // one block more of each slot
	Refuse Away = "refuse" // what is leased, and no more
)

// Config is what a Book is made of. The zero Config is a book of nothing.
type Config struct {
	Budgets   []Budget          // with names of their own
	Server    string            // whose leases they are: one name for each server of a Bank, the same after a restart
	Bank      Bank              // nil counts here alone
	Shared    bool              // the Bank has minutes and streams too, not money alone
	Block     float64           // of a limit, that is leased at a time; default 1/20
	Away      Away              // default Allow
	MostPots  int               // that are known at a time; default 200,000. Those beyond share the pot ""
	Transport http.RoundTripper // of webhooks; default http.DefaultTransport
	Log       *slog.Logger      // default: none
	Now       func() time.Time  // default: time.Now
}

const (
	usualBlock    = 1.0 / 20
	usualMostPots = 200_000
)

// Book keeps the pots of budgets. It is safe for concurrent use. One lock guards all of
// it, for as long as it takes to count: nobody waits or writes with it.
type Book struct {
	bank     Bank
	server   string
	shared   bool
	mostPots int
	patience time.Duration
	log      *slog.Logger
	now      func() time.Time
	client   *http.Client
	notices  chan notice

	errands sync.WaitGroup // to the bank

	mu      sync.Mutex
	parts   int64 // blocks of a limit
	away    Away
	budgets []*budget
	byName  map[string]*budget
	pots    int
	running map[string]*booking // by record id
	windows windows
	gone    []*cell   // with leases, of budgets that are no more
	absent  bool      // the bank does not answer
	retryAt time.Time // when an absent bank is asked again
	lost    int       // notices that found no room
	crowded bool      // a pot found no room: told once
}

// budget is a Budget with its pots.
type budget struct {
	Budget
	limits [len(measures)]int64
	pots   map[string]*pot
}

// New makes a Book in which nothing is spent. Where it has a Bank, the leases of a
// former life of the server are to be reclaimed there before.
func New(c Config) *Book {
	b := &Book{
		bank: c.Bank, server: c.Server, shared: c.Shared,
		mostPots: cmp.Or(c.MostPots, usualMostPots), patience: patience,
		log: cmp.Or(c.Log, slog.New(slog.DiscardHandler)),
		now: c.Now, client: newClient(c.Transport),
		notices: make(chan notice, queued),
		running: map[string]*booking{},
	}
	if b.now == nil {
		b.now = time.Now
	}
	b.configure(c)
	return b
}

// Reconfigured puts other budgets in place, and the Block and Away of c. Budgets that
// keep their name keep their pots with all that is spent, reserved and leased.
func (b *Book) Reconfigured(c Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.configure(c)
}

func (b *Book) configure(c Config) {
	b.away = cmp.Or(c.Away, Allow)
	b.parts = max(1, int64(1/cmp.Or(c.Block, usualBlock)))
	before := b.byName
	b.budgets, b.byName = nil, make(map[string]*budget, len(c.Budgets))
	for _, configured := range c.Budgets {
		bg := &budget{Budget: configured, limits: configured.limits(), pots: map[string]*pot{}}
		if old := before[bg.Name]; old != nil {
			bg.pots = old.pots
			delete(before, bg.Name)
		}
		b.budgets = append(b.budgets, bg)
		b.byName[bg.Name] = bg
	}
	for _, gone := range before {
		b.pots -= len(gone.pots)
		for _, p := range gone.pots {
			for _, c := range p.cells {
				if c != nil && c.shared {
					b.gone = append(b.gone, c)
				}
			}
		}
	}
}
