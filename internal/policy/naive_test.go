package policy

import (
	"net"
	"strconv"
	"strings"
	"time"
)

// What follows decides as the IAM User Guide words it, by recursion and repetition and
// with nothing of the package but Statement and Principal.

func naivePrincipal(p Principal, action string, resource string, context map[string][]string) Effect {
	layers := [][]Statement{p.Statements}
	if p.Boundary != nil {
		layers = append(layers, p.Boundary)
	}
	if p.ServiceControls != nil {
		layers = append(layers, p.ServiceControls)
	}
	allowedBy := 0
	for _, statements := range layers {
		allowed := false
		for _, s := range statements {
			if !naiveApplies(s, action, resource, context) {
				continue
			}
			if s.Effect == "Deny" {
				return ExplicitlyDenied
			}
			allowed = true
		}
		if allowed {
			allowedBy++
		}
	}
	if allowedBy == len(layers) {
		return Allowed
	}
	return ImplicitlyDenied
}

func naiveApplies(s Statement, action, resource string, context map[string][]string) bool {
	about := len(s.NotActions) > 0
	for _, pattern := range append(append([]string{}, s.Actions...), s.NotActions...) {
		if naiveGlob(naiveLiteral(strings.ToLower(pattern), true), strings.ToLower(action)) {
			about = len(s.Actions) > 0
		}
	}
	if !about {
		return false
	}
	covered := false
	for _, pattern := range append(append([]string{}, s.Resources...), s.NotResources...) {
		is, readable := naiveCovers(pattern, resource, context)
		if !readable { // errs on the side of denying
			is = (s.Effect == "Deny") == (len(s.Resources) > 0)
		}
		covered = covered || is
	}
	if covered != (len(s.Resources) > 0) {
		return false
	}
	for name, keys := range s.Conditions {
		for _, want := range keys {
			if !naiveReadable(name, want) {
				return s.Effect == "Deny"
			}
		}
	}
	for name, keys := range s.Conditions {
		for key, want := range keys {
			if !naiveHolds(name, naiveLookup(context, key), want, context) {
				return false
			}
		}
	}
	return true
}

// naiveSign is a character, or a wildcard.
type naiveSign struct {
	r    rune
	wild bool
}

func naiveLiteral(text string, wildcards bool) []naiveSign {
	var signs []naiveSign
	for _, r := range text {
		signs = append(signs, naiveSign{r, wildcards && (r == '*' || r == '?')})
	}
	return signs
}

func naiveGlob(pattern []naiveSign, s string) bool {
	text := []rune(s)
	if len(pattern) == 0 {
		return len(text) == 0
	}
	switch first := pattern[0]; {
	case first.wild && first.r == '*':
		return naiveGlob(pattern[1:], s) || len(text) > 0 && naiveGlob(pattern, string(text[1:]))
	case len(text) == 0:
		return false
	default:
		return (first.wild || first.r == text[0]) && naiveGlob(pattern[1:], string(text[1:]))
	}
}

// naiveExpand puts the values of variables in, in which nothing is a wildcard.
func naiveExpand(text string, wildcards bool, context map[string][]string) (signs []naiveSign, ok bool) {
	open := strings.Index(text, "${")
	if open < 0 {
		return naiveLiteral(text, wildcards), true
	}
	end := strings.Index(text[open:], "}")
	if end < 0 {
		return naiveLiteral(text, wildcards), true
	}
	name, rest := text[open+2:open+end], text[open+end+1:]
	value, known := name, true
	if name != "*" && name != "?" && name != "$" {
		key, fallback, hasFallback := strings.Cut(name, ",")
		switch found := naiveLookup(context, strings.TrimSpace(key)); {
		case len(found) == 1:
			value = found[0]
		case len(found) == 0 && hasFallback:
			value = strings.Trim(strings.TrimSpace(fallback), "'")
		default:
			known = false
		}
	}
	after, ok := naiveExpand(rest, wildcards, context)
	signs = append(append(naiveLiteral(text[:open], wildcards), naiveLiteral(value, false)...), after...)
	return signs, ok && known
}

func naiveLookup(context map[string][]string, key string) []string {
	for name, values := range context {
		if strings.EqualFold(name, key) {
			return values
		}
	}
	return nil
}

// naiveCovers reports whether a resource pattern covers a resource, and whether it is
// one that can be read.
func naiveCovers(pattern, resource string, context map[string][]string) (is, readable bool) {
	if pattern == "*" || pattern == "**" {
		return true, true
	}
	pattern = strings.Replace(pattern, ":<UserID>:", ":"+account+":", 1)
	signs, ok := naiveExpand(pattern, true, context)
	if !ok {
		return false, false
	}
	want, ok := naiveFields(signs)
	if !ok {
		return false, false
	}
	have, ok := naiveFields(naiveLiteral(resource, false))
	if !ok {
		return false, true
	}
	for i := range want {
		if !naiveGlob(want[i], naiveText(have[i])) {
			return false, true
		}
	}
	return true, true
}

// naiveFields are the six of an ARN.
func naiveFields(signs []naiveSign) (fields [6][]naiveSign, ok bool) {
	at := 0
	for _, s := range signs {
		if s.r == ':' && at < 5 {
			at++
			continue
		}
		fields[at] = append(fields[at], s)
	}
	ok = at == 5 && naiveText(fields[0]) == "arn" && len(fields[1]) > 0 && len(fields[2]) > 0 && len(fields[5]) > 0
	return fields, ok
}

func naiveText(signs []naiveSign) string {
	var b strings.Builder
	for _, s := range signs {
		b.WriteRune(s.r)
	}
	return b.String()
}

// naiveOperator takes the name of a condition operator apart.
func naiveOperator(name string) (prefix, base string, ifExists bool) {
	if before, after, found := strings.Cut(name, ":"); found {
		prefix, name = before, after
	}
	base, ifExists = strings.CutSuffix(name, "IfExists")
	return prefix, base, ifExists
}

func naiveReadable(name string, want []string) bool {
	prefix, base, ifExists := naiveOperator(name)
	if prefix != "" && prefix != "ForAnyValue" && prefix != "ForAllValues" || base == "Null" && (ifExists || prefix != "") {
		return false
	}
	for _, w := range want {
		signs, known := naiveExpand(w, false, nil)
		if !known || strings.Contains(w, ", '") { // a variable, of which nothing is known yet
			continue
		}
		w = naiveText(signs)
		_, numeric := strconv.ParseFloat(w, 64)
		switch {
		case base == "Bool" || base == "Null":
			if lower := strings.ToLower(w); lower != "true" && lower != "false" {
				return false
			}
		case strings.HasPrefix(base, "Numeric") && numeric != nil:
			return false
		case strings.HasPrefix(base, "Date") && naiveTime(w).IsZero():
			return false
		case strings.HasSuffix(base, "IpAddress") && naiveNetwork(w) == nil:
			return false
		}
	}
	return naiveCompare(base) != nil || base == "Null"
}

func naiveHolds(name string, have, want []string, context map[string][]string) bool {
	prefix, base, ifExists := naiveOperator(name)
	if base == "Null" {
		for _, w := range want {
			if signs, ok := naiveExpand(w, false, context); ok && strings.EqualFold(naiveText(signs), strconv.FormatBool(len(have) == 0)) {
				return true
			}
		}
		return false
	}
	if len(have) == 0 && ifExists {
		return true
	}
	negated := strings.Contains(base, "Not")
	passes := func(value string) bool { // one value of the call by itself
		for _, w := range want {
			signs, ok := naiveExpand(w, naiveWild(base), context)
			if ok && naiveCompare(base)(value, signs) {
				return !negated
			}
		}
		return negated
	}
	count := 0
	for _, value := range have {
		if passes(value) {
			count++
		}
	}
	switch {
	case prefix == "ForAnyValue":
		return count > 0
	case prefix == "ForAllValues", negated:
		return count == len(have)
	}
	return count > 0
}

func naiveWild(base string) bool {
	return strings.HasSuffix(base, "Like") || strings.HasPrefix(base, "Arn")
}

// naiveCompare is how a value is held against one of the statement, by the operator
// without its Not; nil for one that does not exist.
func naiveCompare(base string) func(have string, want []naiveSign) bool {
	text := naiveText
	number := func(holds func(a, b float64) bool) func(string, []naiveSign) bool {
		return func(have string, want []naiveSign) bool {
			a, bad := strconv.ParseFloat(have, 64)
			b, worse := strconv.ParseFloat(text(want), 64)
			return bad == nil && worse == nil && holds(a, b)
		}
	}
	date := func(holds func(a, b time.Time) bool) func(string, []naiveSign) bool {
		return func(have string, want []naiveSign) bool {
			a, b := naiveTime(have), naiveTime(text(want))
			return !a.IsZero() && !b.IsZero() && holds(a, b)
		}
	}
	switch strings.Replace(base, "Not", "", 1) {
	case "StringEquals", "BinaryEquals":
		return func(have string, want []naiveSign) bool { return have == text(want) }
	case "StringEqualsIgnoreCase":
		return func(have string, want []naiveSign) bool { return strings.EqualFold(have, text(want)) }
	case "StringLike":
		return func(have string, want []naiveSign) bool { return naiveGlob(want, have) }
	case "ArnEquals", "ArnLike":
		return func(have string, want []naiveSign) bool {
			a, ok := naiveFields(naiveLiteral(have, false))
			b, readable := naiveFields(want)
			for i := range a {
				ok = ok && readable && naiveGlob(b[i], text(a[i]))
			}
			return ok
		}
	case "Bool":
		return func(have string, want []naiveSign) bool { return strings.EqualFold(have, text(want)) }
	case "NumericEquals":
		return number(func(a, b float64) bool { return a == b })
	case "NumericLessThan":
		return number(func(a, b float64) bool { return a < b })
	case "NumericLessThanEquals":
		return number(func(a, b float64) bool { return a <= b })
	case "NumericGreaterThan":
		return number(func(a, b float64) bool { return a > b })
	case "NumericGreaterThanEquals":
		return number(func(a, b float64) bool { return a >= b })
	case "DateEquals":
		return date(time.Time.Equal)
	case "DateLessThan":
		return date(time.Time.Before)
	case "DateLessThanEquals":
		return date(func(a, b time.Time) bool { return !a.After(b) })
	case "DateGreaterThan":
		return date(time.Time.After)
	case "DateGreaterThanEquals":
		return date(func(a, b time.Time) bool { return !a.Before(b) })
	case "IpAddress":
		return func(have string, want []naiveSign) bool {
			address, network := net.ParseIP(have), naiveNetwork(text(want))
			return address != nil && network != nil && network.Contains(address)
		}
	}
	return nil
}

func naiveTime(s string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(seconds, 0)
	}
	return time.Time{}
}

func naiveNetwork(s string) *net.IPNet {
	if _, network, err := net.ParseCIDR(s); err == nil {
		return network
	}
	address := net.ParseIP(s)
	if address == nil {
		return nil
	}
	if four := address.To4(); four != nil {
		return &net.IPNet{IP: four, Mask: net.CIDRMask(32, 32)}
	}
	return &net.IPNet{IP: address, Mask: net.CIDRMask(128, 128)}
}
