package inference

import (
	"strconv"
	"strings"
)

// Rounded is the amount in dollars with so many decimals, 1 to 8, rounded half away from
// zero, "1234.50".
func (m Money) Rounded(decimals int) string {
	sign, amount := "", uint64(m)
	if m < 0 {
		sign, amount = "-", -amount
	}
	unit := uint64(Dollar)
	for range decimals {
		unit /= 10
	}
	cut := (amount + unit/2) / unit
	whole := uint64(Dollar) / unit
	if cut == 0 {
		sign = ""
	}
	return sign + strconv.FormatUint(cut/whole, 10) + "." + strconv.FormatUint(cut%whole+whole, 10)[1:]
}

// Grouped is a decimal number with its thousands apart, "1,234,567.50".
func Grouped(number string) string {
	digits, negative := strings.CutPrefix(number, "-")
	whole, _, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if negative {
		return "-" + digits
	}
	return digits
}
