package anthropic

import (
	"strconv"
	"strings"
)

// ModelName is Anthropic's name for a model of Bedrock's id, as responses carry
// it: "claude-sonnet-4-20250514" for "anthropic.claude-sonnet-4-20250514-v1:0".
func ModelName(id string) string {
	name := strings.TrimPrefix(id, "anthropic.")
	switch name { // before Claude 3 the version was the name
	case "claude-v2":
		return "claude-2.0"
	case "claude-v2:1":
		return "claude-2.1"
	case "claude-instant-v1":
		return "claude-instant-1.2"
	}
	if i := strings.LastIndex(name, "-v"); i >= 0 && isRevision(name[i+2:]) {
		return name[:i]
	}
	return name
}

// isRevision reports whether s is what follows "-v" in an id: "1" or "1:0".
func isRevision(s string) bool {
	major, minor, _ := strings.Cut(s, ":")
	return isDigits(major) && (minor == "" || isDigits(minor))
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Generation is a Claude model's version: 3, 5 for Claude 3.5 and 4, 0 for
// Claude Sonnet 4. It is 0, 0 for names without one.
func Generation(id string) (major, minor int) {
	found := 0
	for part := range strings.FieldsFuncSeq(ModelName(id), func(r rune) bool { return r == '-' || r == '.' }) {
		n, err := strconv.Atoi(part)
		if err != nil && found == 0 {
			continue
		}
		if err != nil || n > 99 || found == 2 { // a word or a date ends the version
			break
		}
		if found == 0 {
			major = n
		} else {
			minor = n
		}
		found++
	}
	return major, minor
}
