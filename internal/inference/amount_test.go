package inference

import "testing"

func TestRounded(t *testing.T) {
	for _, c := range []struct {
		amount   Money
		decimals int
		want     string
	}{
		{0, 2, "0.00"}, {0, 4, "0.0000"},
		{4_725_000, 6, "0.004725"}, {4_725_000, 2, "0.00"}, {4_999_999, 2, "0.00"}, {5_000_000, 2, "0.01"},
		{49_999, 4, "0.0000"}, {50_000, 4, "0.0001"}, {-49_999, 4, "0.0000"}, {-50_000, 4, "-0.0001"},
		{999_999_999, 2, "1.00"}, {1_995_000_000, 2, "2.00"}, {12_345_678_901, 6, "12.345679"},
		{1 << 62, 6, "4611686018.427388"}, {-1 << 63, 1, "-9223372036.9"},
	} {
		if got := c.amount.Rounded(c.decimals); got != c.want {
			t.Errorf("Money(%d).Rounded(%d) = %s, want %s", c.amount, c.decimals, got, c.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for number, want := range map[string]string{
		"0": "0", "999": "999", "1000": "1,000", "-999": "-999", "-1234567": "-1,234,567", "123456": "123,456",
		"1234.5678": "1,234.5678", "0.0001": "0.0001", "-1234567.5": "-1,234,567.5",
	} {
		if got := Grouped(number); got != want {
			t.Errorf("Grouped(%q) = %s, want %s", number, got, want)
		}
	}
}
