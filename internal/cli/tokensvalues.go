package cli

import (
	"errors"
	"strings"
	"time"

	"fairway/internal/capacity"
	"fairway/internal/inference"
)

// growth is the value of --growth: a percentage with two decimals at most.
type growth capacity.Growth

// perCent is one per cent in Growth's units, of which Money has perUnit nanodollars: a
// percentage is read as an amount of money is, to be exact.
const (
	perCent = 100
	perUnit = inference.Dollar / perCent
)

// Set reads "5%", "5" or "-2.5%".
func (g *growth) Set(text string) error {
	read, err := inference.ParseMoney(strings.TrimSuffix(text, "%"))
	most := inference.Money(capacity.MaxGrowth) * perUnit
	if err != nil || read%perUnit != 0 || read < -most || read > most {
		return errors.New("want a percentage of -100% to 100% with two decimals at most, such as 5%")
	}
	*g = growth(read / perUnit)
	return nil
}

func (g growth) String() string { return (inference.Money(g) * perUnit).String() + "%" }

// MarshalText writes the number of per cent, as a decimal.
func (g growth) MarshalText() ([]byte, error) { return (inference.Money(g) * perUnit).MarshalText() }

// Type is the placeholder of the help text.
func (*growth) Type() string { return "PERCENT" }

// month is the value of --from; the zero month is none.
type month struct{ time.Time }

// Set reads "2027-01".
func (m *month) Set(text string) error {
	read, err := time.Parse("2006-01", text)
	if err != nil {
		return errors.New("want a month such as 2027-01")
	}
	m.Time = read
	return nil
}

func (m month) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format("2006-01")
}

// Type is the placeholder of the help text.
func (*month) Type() string { return "MONTH" }

// orNext is the month, or where there is none that after now's.
func (m month) orNext(now time.Time) time.Time {
	if m.IsZero() {
		return time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	}
	return m.Time
}

// rests is the address of the server by whose calibrations estimates are; empty for none.
type rests string

// MarshalJSON writes "server" or null.
func (r rests) MarshalJSON() ([]byte, error) {
	if r == "" {
		return []byte("null"), nil
	}
	return []byte(`"server"`), nil
}
