package usage

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"fairway/internal/inference"
)

// BudgetState is one measure of one pot of a budget in the present window. Amounts are
// in the unit of the measure; Spent and Reserved together are what is taken of Limit.
type BudgetState struct {
	Budget   string
	Pot      string // whose, empty for one that all share
	Measure  inference.Measure
	Limit    int64
	Spent    int64
	Reserved int64     // by calls that run
	Ends     time.Time // of the window; zero for streams, which have none
}

// budgetJSON is a BudgetState on the wire. Amounts are decimal text: dollars where the
// measure is of money, else the number.
type budgetJSON struct {
	Budget   string            `json:"budget"`
	Pot      string            `json:"pot,omitempty"`
	Measure  inference.Measure `json:"measure"`
	Limit    string            `json:"limit"`
	Spent    string            `json:"spent"`
	Reserved string            `json:"reserved"`
	Percent  int               `json:"percent"`
	Ends     time.Time         `json:"window_ends,omitzero"`
}

// MarshalJSON writes what docs/usage.md describes.
func (b BudgetState) MarshalJSON() ([]byte, error) {
	return json.Marshal(budgetJSON{
		b.Budget, b.Pot, b.Measure, b.text(b.Limit), b.text(b.Spent), b.text(b.Reserved), b.Percent(), b.Ends,
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *BudgetState) UnmarshalJSON(raw []byte) error {
	var in budgetJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	read := BudgetState{Budget: in.Budget, Pot: in.Pot, Measure: in.Measure, Ends: in.Ends}
	for text, amount := range map[*string]*int64{&in.Limit: &read.Limit, &in.Spent: &read.Spent, &in.Reserved: &read.Reserved} {
		n, err := amountOf(in.Measure, *text)
		if err != nil {
			return err
		}
		*amount = n
	}
	*b = read
	return nil
}

// amountOf is what text gives.
func amountOf(m inference.Measure, text string) (int64, error) {
	if m.IsMoney() {
		amount, err := inference.ParseMoney(text)
		return int64(amount), err
	}
	return strconv.ParseInt(text, 10, 64)
}

func (b BudgetState) text(amount int64) string {
	if b.Measure.IsMoney() {
		return inference.Money(amount).String()
	}
	return strconv.FormatInt(amount, 10)
}

// Percent is how much of the limit is taken, rounded down.
func (b BudgetState) Percent() int {
	return inference.Percent(b.Spent+b.Reserved, b.Limit)
}

// WriteBudgets shows budgets to people.
func WriteBudgets(w io.Writer, states []BudgetState) error {
	if len(states) == 0 {
		_, err := fmt.Fprintln(w, "no budget has been used: budgets are set in the configuration, under budgets")
		return err
	}
	g := grid{left: 3}
	g.add("BUDGET", "OF", "MEASURE", "LIMIT", "SPENT", "RESERVED", "USED", "WINDOW ENDS")
	for _, b := range states {
		ends := "-"
		if !b.Ends.IsZero() {
			ends = b.Ends.UTC().Format(time.DateTime)
		}
		g.add(printable(b.Budget), orDash(b.Pot), string(b.Measure), b.shown(b.Limit), b.shown(b.Spent), b.shown(b.Reserved),
			strconv.Itoa(b.Percent())+" %", ends)
	}
	return g.write(w)
}

// shown is an amount for the eye.
func (b BudgetState) shown(amount int64) string {
	if b.Measure.IsMoney() {
		return dollars(inference.Money(amount), 4)
	}
	return grouped(amount)
}
