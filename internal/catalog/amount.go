package catalog

import (
	"errors"
	"fmt"
	"math"
	"time"

	"fairway/internal/inference"
)

// MicroDollars is a price of a million tokens, in millionths of a US dollar. Its
// text is a decimal number of dollars with at most six places.
type MicroDollars int64

// maxRate is the most that a million tokens may cost: a thousand dollars.
const maxRate MicroDollars = 1000 * 1_000_000

// microDollar is a millionth of a dollar.
const microDollar = inference.Dollar / 1_000_000

// parseRate reads a price of a million tokens.
func parseRate(text string) (MicroDollars, error) {
	amount, err := inference.ParseMoney(text)
	m := MicroDollars(amount / microDollar)
	switch {
	case err != nil || amount%microDollar != 0:
		return 0, fmt.Errorf("want dollars per million tokens with at most six decimals, such as 0.075, got %.40q", text)
	case amount < 0 || m > maxRate:
		return 0, fmt.Errorf("want at least 0 and at most %s dollars per million tokens, got %.40q", maxRate, text)
	}
	return m, nil
}

// String is the amount in dollars.
func (m MicroDollars) String() string { return (inference.Money(m) * microDollar).String() }

// MarshalJSON writes a number.
func (m MicroDollars) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a number.
func (m *MicroDollars) UnmarshalJSON(text []byte) (err error) {
	*m, err = parseRate(string(text))
	return err
}

// Date is a day of UTC, as days since the first of 1970. 0 is no date, and reads as
// since ever.
type Date int32

// DateOf is the day that t falls on; of the zero time it is no date.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return 0
	}
	const day = 24 * 60 * 60
	return Date(max(0, min(t.Unix()/day, math.MaxInt32)))
}

// time is the date's first moment.
func (d Date) time() time.Time { return time.Unix(0, 0).UTC().AddDate(0, 0, int(d)) }

// String is the date as 2026-11-23, empty for none.
func (d Date) String() string {
	if d == 0 {
		return ""
	}
	return d.time().Format(time.DateOnly)
}

// MarshalText writes String.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

var errDate = errors.New(`want a date such as "2026-11-23", after 1970`)

// UnmarshalText reads a date.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	*d = DateOf(t)
	if err != nil || *d == 0 {
		return errDate
	}
	return nil
}
