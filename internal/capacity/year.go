package capacity

import (
	"errors"
	"math/big"
	"time"

	"fairway/internal/inference"
)

// Year is twelve months of calls that all are as the quoted one.
type Year struct {
	Named  string          `json:"model"`
	Months []Month         `json:"months"`
	Calls  int64           `json:"calls"`
	Cost   inference.Money `json:"cost_usd"` // at the estimate; Low and High by the ends of its interval
	Low    inference.Money `json:"cost_low_usd"`
	High   inference.Money `json:"cost_high_usd"`
}

// Month is one of them.
type Month struct {
	Month string          `json:"month"` // "2026-12"
	Calls int64           `json:"calls"`
	Cost  inference.Money `json:"cost_usd"`
}

// Growth is what each month has more than the one before, in hundredths of a per cent:
// 500 is 5 per cent. It may be below zero.
type Growth int64

// whole is the number of Growth's units in one.
const whole = 10_000

// Bounds of a year, within which no sum overflows but that of absurd prices.
const (
	MaxCallsPerDay = 1_000_000_000
	MaxGrowth      = Growth(100 * whole / 100) // doubling each month
)

// errTooMuch is a sum of money that is none.
var errTooMuch = errors.New("the cost of a year is too large an amount: name fewer calls")

// Calls are how many there are in each of twelve months from the one that from is in:
// callsPerDay on the days of the first, and in every month that follows by growth more.
// Each is exact and then rounded half up; growth compounds without that rounding.
func Calls(callsPerDay int64, growth Growth, from time.Time) [12]int64 {
	var calls [12]int64
	numerator, denominator := big.NewInt(callsPerDay), big.NewInt(1)
	for i := range calls {
		days := from.AddDate(0, i+1, -from.Day()).Day()
		sum := new(big.Int).Mul(numerator, big.NewInt(int64(days)))
		// Half up: (2 sum + denominator) / (2 denominator).
		sum.Add(sum.Lsh(sum, 1), denominator).Quo(sum, new(big.Int).Lsh(denominator, 1))
		calls[i] = sum.Int64()
		numerator.Mul(numerator, big.NewInt(int64(whole+growth)))
		denominator.Mul(denominator, big.NewInt(whole))
	}
	return calls
}

// Year is the budget of twelve months from the one that from is in. The quote has a
// price; the error is that of a sum which is too large.
func (q *Quote) Year(callsPerDay int64, growth Growth, from time.Time) (*Year, error) {
	from = time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC)
	y := &Year{Named: q.Named}
	for i, calls := range Calls(callsPerDay, growth, from) {
		cost, ok := times(q.Cost.Estimate, calls)
		if !ok {
			return nil, errTooMuch
		}
		y.Months = append(y.Months, Month{from.AddDate(0, i, 0).Format("2006-01"), calls, cost})
		y.Calls += calls
	}
	for _, sum := range []struct {
		to *inference.Money
		of inference.Money
	}{{&y.Cost, q.Cost.Estimate}, {&y.Low, q.Cost.Low}, {&y.High, q.Cost.High}} {
		var ok bool
		if *sum.to, ok = times(sum.of, y.Calls); !ok {
			return nil, errTooMuch
		}
	}
	return y, nil
}

// times is cost calls times over; false where that is too large.
func times(cost inference.Money, calls int64) (inference.Money, bool) {
	product := new(big.Int).Mul(big.NewInt(int64(cost)), big.NewInt(calls))
	return inference.Money(product.Int64()), product.IsInt64()
}
