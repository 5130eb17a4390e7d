package ledger

import (
	"slices"

	"fairway/internal/inference"
)

// entryOf is what is kept of a record. The message of a Validation, or of a region or a
// server, may quote the request: it is left out.
func entryOf(r inference.Record, open bool) inference.Entry {
	if r.Error != nil && (r.Error.Type == inference.Validation || r.Error.Foreign) {
		quiet := *r.Error
		quiet.Message = ""
		r.Error = &quiet
	}
	return inference.Entry{Open: open, Record: r, Charges: r.Charges}
}

// copied is a record that shares nothing with r that still changes while a call runs.
func copied(r *inference.Record) inference.Record {
	c := *r
	c.Attempts, c.Charges, c.Nearing, c.Plan = slices.Clone(r.Attempts), slices.Clone(r.Charges), slices.Clone(r.Nearing), slices.Clone(r.Plan)
	for i, a := range c.Attempts {
		c.Attempts[i].Usage = pointed(a.Usage)
	}
	c.Profile, c.Error, c.AWS = pointed(r.Profile), pointed(r.Error), pointed(r.AWS)
	return c
}

func pointed[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// weight is about how many bytes a record takes, in memory as in the journal.
func weight(r *inference.Record) int64 {
	n := 1<<10 + 256*(len(r.Attempts)+len(r.Plan)) + 128*(len(r.Charges)+len(r.Nearing))
	if r.Error != nil {
		n += len(r.Error.Message)
	}
	return int64(n)
}
