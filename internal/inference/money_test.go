package inference

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestParseMoney(t *testing.T) {
	for text, want := range map[string]Money{
		"0":                     0,
		"-0":                    0,
		"007":                   7 * Dollar,
		"1.5":                   Dollar + Dollar/2,
		"-1.5":                  -Dollar - Dollar/2,
		"0.00123":               1_230_000,
		"0.000000001":           1,
		"3.10":                  3_100_000_000,
		"9223372036.854775807":  math.MaxInt64,
		"-9223372036.854775808": math.MinInt64,
	} {
		if got, err := ParseMoney(text); got != want || err != nil {
			t.Errorf("ParseMoney(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "not a decimal number",
		"-":                    "not a decimal number",
		".":                    "not a decimal number",
		".5":                   "not a decimal number",
		"1.":                   "not a decimal number",
		"--1":                  "not a decimal number",
		"+1":                   "not a decimal number",
		".+5":                  "not a decimal number",
		"1.-5":                 "not a decimal number",
		"1.2.3":                "not a decimal number",
		"1e3":                  "not a decimal number",
		"1_000":                "not a decimal number",
		" 1":                   "not a decimal number",
		"١":                    "not a decimal number",
		"0.0000000001":         "more than nine decimals",
		"9223372036.854775808": "too large an amount",
	} {
		got, err := ParseMoney(text)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != Validation || !strings.HasPrefix(e.Message, want) || got != 0 {
			t.Errorf("ParseMoney(%q) = %d, %v, want 0 and %s", text, got, err, want)
		}
	}
}

func TestMoneyString(t *testing.T) {
	for amount, want := range map[Money]string{
		0:             "0",
		1:             "0.000000001",
		-1:            "-0.000000001",
		Dollar:        "1",
		10 * Dollar:   "10",
		1_230_000:     "0.00123",
		math.MaxInt64: "9223372036.854775807",
		math.MinInt64: "-9223372036.854775808",
	} {
		if got := amount.String(); got != want {
			t.Errorf("Money(%d).String() = %q, want %q", amount, got, want)
		}
	}
}

// FuzzParseMoney: what is read is written as the shortest text that reads the
// same, and an error means zero.
func FuzzParseMoney(f *testing.F) {
	for _, text := range []string{"", "-0", "--1", ".+5", "0.00123", "007.10", "-9223372036.854775808", "1e3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMoney(text)
		if err != nil {
			if m != 0 {
				t.Errorf("ParseMoney(%q) = %d, %v, want 0 beside an error", text, m, err)
			}
			return
		}
		written := m.String()
		if len(written) > len(text) {
			t.Errorf("ParseMoney(%q).String() = %q, which is longer", text, written)
		}
		if again, err := ParseMoney(written); again != m || err != nil {
			t.Errorf("ParseMoney(%q) = %d, %v, want %d as of %q", written, again, err, m, text)
		}
	})
}

// FuzzMoneyString: every amount is read back from its JSON form.
func FuzzMoneyString(f *testing.F) {
	for _, amount := range []int64{0, 1, -1, int64(Dollar), math.MinInt64, math.MaxInt64} {
		f.Add(amount)
	}
	f.Fuzz(func(t *testing.T, amount int64) {
		text, err := Money(amount).MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got Money
		if err := got.UnmarshalText(text); err != nil || got != Money(amount) {
			t.Errorf("UnmarshalText(%q) = %d, %v, want %d", text, got, err, amount)
		}
	})
}
