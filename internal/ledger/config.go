package ledger

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"fairway/internal/inference"
)

// Records are kept in a database that servers may share. Each method is one that may be
// repeated after an error, of which nobody knows whether it was done.
type Records interface {
	// Keep puts entries in, all or none: an open one where there is no record with its
	// id, a settled one also in place of one that is open or unknown. It changes none
	// of them, and may still read them after its context ended.
	Keep(ctx context.Context, server string, entries []inference.Entry) error

	// CloseUnsettled makes the open records of a server unknown, and says how many.
	// They cost what was reserved for them, or nothing.
	CloseUnsettled(ctx context.Context, server string, charge bool) (int, error)

	// Forget takes out the records that began before the one time, and the sums of
	// hours before the other, and says how many. The zero time takes out nothing.
	Forget(ctx context.Context, before, hours time.Time) (int, error)
}

// Servers are those that share the store.
type Servers interface {
	// Beat says that a server is there.
	Beat(ctx context.Context, server string) error

	// Lost are the servers that left something behind and were last there before since.
	Lost(ctx context.Context, since time.Time) ([]string, error)

	// Reclaim ends what a server leased and did not spend, once its records are closed.
	Reclaim(ctx context.Context, server string) error
}

// Store is where records end up.
type Store interface {
	Records
	Servers
}

// Durability is when a call is on a disk.
type Durability string

// The durabilities: Intent before the first attempt, Settled after the end.
const (
	Intent  Durability = "intent"
	Settled Durability = "settled"
)

// Unknown is what a call costs of which nobody knows how it ended.
type Unknown string

// The choices.
const (
	Reserved Unknown = "reserved" // what was reserved for it
	Nothing  Unknown = "nothing"
)

// WhenFull is what becomes of calls whose records neither store nor journal can hold.
type WhenFull string

// The choices.
const (
	Refuse WhenFull = "refuse" // they are not made
	Count  WhenFull = "count"  // they are made, and lost records are counted
)

// Config is what a Ledger is made of. Only Store is required.
type Config struct {
	Store       Store
	Dir         string        // of the journal, made where it is missing; without one the journal ends with the process
	Server      string        // id in the store; default: the one in Dir, which the first start there makes up
	Durability  Durability    // default: Intent
	Unknown     Unknown       // default: Reserved
	JournalSize int64         // bytes; default: 64 MiB. Calls that run already, and what is queued, may fill it further
	WhenFull    WhenFull      // the journal; default: Refuse
	Keep        time.Duration // of records; 0 is for ever
	KeepHours   time.Duration // of sums; 0 is for ever
	Patience    time.Duration // with one commit; default: 2 s
	Log         *slog.Logger  // default: none
	Now         func() time.Time
}

func withDefaults(c Config) Config {
	c.Durability = cmp.Or(c.Durability, Intent)
	c.Unknown = cmp.Or(c.Unknown, Reserved)
	c.WhenFull = cmp.Or(c.WhenFull, Refuse)
	c.JournalSize = cmp.Or(c.JournalSize, 64<<20)
	c.Patience = cmp.Or(c.Patience, 2*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
