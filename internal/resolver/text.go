package resolver

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// escapeJavaScript escapes as Apache Commons' escapeEcmaScript does: quotes,
// backslash, slash, controls, and all beyond ASCII as UTF-16 units.
func escapeJavaScript(s string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		switch {
		case unit < 0x80 && strings.ContainsRune(`'"\/`, rune(unit)):
			out.WriteByte('\\')
			out.WriteByte(byte(unit))
		case unit >= ' ' && unit <= '~'+1:
			out.WriteByte(byte(unit))
		default:
			short := strings.IndexByte("\b\t\n\f\r", byte(unit))
			if unit < ' ' && short >= 0 {
				out.WriteByte('\\')
				out.WriteByte("btnfr"[short])
			} else {
				fmt.Fprintf(&out, `\u%04X`, unit)
			}
		}
	}
	return out.String()
}

// urlEncode encodes as Java's URLEncoder does, which leaves * and encodes ~.
func urlEncode(s string) string {
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(s))
}
