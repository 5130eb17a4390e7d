package schema

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plurals are the rules of npm's pluralize that model names meet; the first that
// matches wins. Amplify forms list queries and introspection with it.
var plurals = []struct {
	ending *regexp.Regexp
	plural string
}{
	{regexp.MustCompile(`(?i)(^|[a-z])(news|series|species|equipment|information|money|fish|sheep|media|music|metadata|data)$`), "$1$2"},
	{regexp.MustCompile(`(?i)m[ae]n$`), "men"},
	{regexp.MustCompile(`(?i)(child)(ren)?$`), "${1}ren"},
	{regexp.MustCompile(`(?i)pe(rson|ople)$`), "people"},
	{regexp.MustCompile(`(?i)(vert|ind|append|matr)(ix|ex)$`), "${1}ices"},
	{regexp.MustCompile(`(?i)(quiz)$`), "${1}zes"},
	{regexp.MustCompile(`(?i)(x|ch|ss|sh|zz)$`), "${1}es"},
	{regexp.MustCompile(`(?i)([^aeiouy]|qu)y$`), "${1}ies"},
	{regexp.MustCompile(`(?i)(kni|wi|li)fe$`), "${1}ves"},
	{regexp.MustCompile(`(?i)(ar|l|ea|eo|oa|hoo)f$`), "${1}ves"},
	{regexp.MustCompile(`(?i)sis$`), "ses"},
	{regexp.MustCompile(`(?i)(dat|curricul|millenni)um$`), "${1}a"},
	{regexp.MustCompile(`(?i)(her|at)o$`), "${1}oes"},
	{regexp.MustCompile(`(?i)(alias|[^aou]us|gas)$`), "${1}es"},
	{regexp.MustCompile(`(?i)(s)$`), "${1}"},
	{regexp.MustCompile(`(.)$`), "${1}s"},
}

// plural is the English plural of a model's name. A name that ends in upper case
// gets its ending in upper case: "FAQ" becomes "FAQS".
func plural(name string) string {
	for _, rule := range plurals {
		at := rule.ending.FindStringIndex(name)
		if at == nil {
			continue
		}
		ending := rule.ending.ReplaceAllString(name[at[0]:], rule.plural)
		first, _ := utf8.DecodeRuneInString(name[at[0]:])
		last, _ := utf8.DecodeLastRuneInString(name)
		switch {
		case unicode.IsUpper(last):
			ending = strings.ToUpper(ending)
		case unicode.IsUpper(first):
			ending = capital(ending)
		}
		return name[:at[0]] + ending
	}
	return name
}
