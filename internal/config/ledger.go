package config

// Ledger is how records of calls are kept.
type Ledger struct {
	Durability Durability `yaml:"durability"` // whether a call waits for its intent to be on a disk
	Unknown    Unknown    `yaml:"unknown"`    // what a call costs whose server ended before it did
	Journal    Size       `yaml:"journal"`    // that holds records while the store is slow or away
	WhenFull   WhenFull   `yaml:"when_full"`  // the journal
	Patience   Duration   `yaml:"patience"`   // with the store, before the journal takes over
	Keep       Duration   `yaml:"keep"`       // of records with their attempts; 0 is for ever
	KeepSums   Duration   `yaml:"keep_sums"`  // of the sums that reports are made of; 0 is for ever
}

// Durability is when a call is on a disk.
type Durability string

// The durabilities: Intent before its first attempt, Settled after its end.
const (
	Intent  Durability = "intent"
	Settled Durability = "settled"
)

// UnmarshalText reads one of the durabilities.
func (d *Durability) UnmarshalText(text []byte) error { return oneOf(d, text, Intent, Settled) }

// Unknown is what a call costs of which nobody knows how it ended.
type Unknown string

// The choices.
const (
	ChargeReserved Unknown = "reserved" // the most that it was expected to
	ChargeNothing  Unknown = "nothing"
)

// UnmarshalText reads one of the choices.
func (u *Unknown) UnmarshalText(text []byte) error {
	return oneOf(u, text, ChargeReserved, ChargeNothing)
}

// WhenFull is what becomes of calls whose records nothing can hold any more.
type WhenFull string

// The choices.
const (
	RefuseCalls WhenFull = "refuse" // no call is made
	CountLost   WhenFull = "count"  // calls are made, and the records that are lost are counted
)

// UnmarshalText reads one of the choices.
func (w *WhenFull) UnmarshalText(text []byte) error { return oneOf(w, text, RefuseCalls, CountLost) }

// Leases are how servers of one store share budgets and quotas.
type Leases struct {
	Block Ratio `yaml:"block"` // of a limit, that a server takes at a time
	Away  Away  `yaml:"away"`  // what holds while the store does not answer
}

// Away is what budgets do while the store does not answer.
type Away string

// The choices.
const (
	AllowAway  Away = "allow"  // each server may spend one block more
	RefuseAway Away = "refuse" // what is not leased is not spent
)

// UnmarshalText reads one of the choices.
func (a *Away) UnmarshalText(text []byte) error { return oneOf(a, text, AllowAway, RefuseAway) }

func (c *Config) validateLedger(found *findings) {
	found.check(c.Ledger.Journal >= leastJournal, "ledger.journal", "want 1MiB or more")
	found.positive(c.Ledger.Patience, "ledger.patience")
	found.notNegative(c.Ledger.Keep, "ledger.keep", "for ever")
	found.notNegative(c.Ledger.KeepSums, "ledger.keep_sums", "for ever")
	kept := c.Ledger.KeepSums == 0 || c.Ledger.Keep > 0 && c.Ledger.KeepSums >= c.Ledger.Keep
	found.beside("ledger.keep", kept, "ledger.keep_sums", "want as long as ledger.keep, or longer")
	found.check(c.Leases.Block > 0, "leases.block", "want a share above 0, up to 1")
}

// leastJournal holds the record of a call several times over.
const leastJournal = Size(1 << 20)
