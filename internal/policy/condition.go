package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"fairway/internal/wire/arn"
)

// comparison is one family of condition operators: how a value of the context is
// held against a value of the policy.
type comparison struct {
	match     func(have, want string) bool
	readable  func(want string) bool // nil when any value of the policy is
	wildcards bool                   // * and ? in a value of the policy are wildcards
	negated   bool                   // holds when no value matches
}

// comparisons is the operators of the IAM User Guide, "IAM JSON policy elements:
// Condition operators", but for Null.
var comparisons = map[string]comparison{
	"StringEquals":              {match: equal},
	"StringNotEquals":           {match: equal, negated: true},
	"StringEqualsIgnoreCase":    {match: strings.EqualFold},
	"StringNotEqualsIgnoreCase": {match: strings.EqualFold, negated: true},
	"StringLike":                {match: like, wildcards: true},
	"StringNotLike":             {match: like, wildcards: true, negated: true},

	// The two names of each mean the same.
	"ArnEquals":    {match: likeARN, wildcards: true},
	"ArnLike":      {match: likeARN, wildcards: true},
	"ArnNotEquals": {match: likeARN, wildcards: true, negated: true},
	"ArnNotLike":   {match: likeARN, wildcards: true, negated: true},

	"Bool":         {match: strings.EqualFold, readable: isBool},
	"BinaryEquals": {match: equal},

	"NumericEquals":            {match: number(func(have, want float64) bool { return have == want }), readable: isNumber},
	"NumericNotEquals":         {match: number(func(have, want float64) bool { return have == want }), readable: isNumber, negated: true},
	"NumericLessThan":          {match: number(func(have, want float64) bool { return have < want }), readable: isNumber},
	"NumericLessThanEquals":    {match: number(func(have, want float64) bool { return have <= want }), readable: isNumber},
	"NumericGreaterThan":       {match: number(func(have, want float64) bool { return have > want }), readable: isNumber},
	"NumericGreaterThanEquals": {match: number(func(have, want float64) bool { return have >= want }), readable: isNumber},

	"DateEquals":            {match: date(func(order int) bool { return order == 0 }), readable: isDate},
	"DateNotEquals":         {match: date(func(order int) bool { return order == 0 }), readable: isDate, negated: true},
	"DateLessThan":          {match: date(func(order int) bool { return order < 0 }), readable: isDate},
	"DateLessThanEquals":    {match: date(func(order int) bool { return order <= 0 }), readable: isDate},
	"DateGreaterThan":       {match: date(func(order int) bool { return order > 0 }), readable: isDate},
	"DateGreaterThanEquals": {match: date(func(order int) bool { return order >= 0 }), readable: isDate},

	"IpAddress":    {match: inNetwork, readable: isNetwork},
	"NotIpAddress": {match: inNetwork, readable: isNetwork, negated: true},
}

func equal(have, want string) bool { return have == want }

func like(have, want string) bool { return newGlob(want).match(have) }

func likeARN(have, want string) bool {
	h, err := arn.Parse(have)
	if err != nil {
		return false
	}
	w, err := arn.Parse(want)
	if err != nil {
		return false
	}
	g := newGlobARN(w)
	return g.match(&h)
}

func isBool(want string) bool {
	return strings.EqualFold(want, "true") || strings.EqualFold(want, "false")
}

func number(holds func(have, want float64) bool) func(have, want string) bool {
	return func(have, want string) bool {
		h, err := strconv.ParseFloat(have, 64)
		if err != nil {
			return false
		}
		w, err := strconv.ParseFloat(want, 64)
		return err == nil && holds(h, w)
	}
}

func isNumber(want string) bool {
	_, err := strconv.ParseFloat(want, 64)
	return err == nil
}

func date(holds func(order int) bool) func(have, want string) bool {
	return func(have, want string) bool {
		h, ok := parseDate(have)
		if !ok {
			return false
		}
		w, ok := parseDate(want)
		return ok && holds(h.Compare(w))
	}
}

func isDate(want string) bool {
	_, ok := parseDate(want)
	return ok
}

// dateLayouts is the W3C forms of ISO 8601 that IAM takes.
var dateLayouts = []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006"}

// parseDate reads one of dateLayouts, or Unix seconds.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

func inNetwork(have, want string) bool {
	address, err := netip.ParseAddr(have)
	network, ok := parseNetwork(want)
	return err == nil && ok && network.Contains(address.Unmap())
}

func isNetwork(want string) bool {
	_, ok := parseNetwork(want)
	return ok
}

// parseNetwork reads a CIDR block, or an address as the block of itself.
func parseNetwork(s string) (netip.Prefix, bool) {
	if network, err := netip.ParsePrefix(s); err == nil {
		return network, true
	}
	address, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(address, address.BitLen()), true
}
