package policy

import (
	"strings"
	"unicode/utf8"

	"fairway/internal/wire/arn"
)

// The wildcards of a glob are bytes that UTF-8 never has, so that a * or ? that
// came out of a policy variable stays what it is.
const (
	anyRun = 0xFF // *
	anyOne = 0xFE // ?
)

var wildcards = strings.NewReplacer("*", string([]byte{anyRun}), "?", string([]byte{anyOne}))

// globText is a pattern as it is written, in the form of a glob's text.
func globText(pattern string) string {
	return wildcards.Replace(strings.ToValidUTF8(pattern, "\uFFFD"))
}

// glob matches whole strings: * is any run of characters, also an empty one, and
// ? is exactly one character.
type glob struct {
	text string // as globText gives it
	wild bool   // it has wildcards
}

func newGlob(text string) glob {
	return glob{text, strings.IndexByte(text, anyRun) >= 0 || strings.IndexByte(text, anyOne) >= 0}
}

// match takes at worst time proportional to the product of the lengths.
func (g glob) match(s string) bool {
	if !g.wild {
		return g.text == s
	}
	pattern := g.text
	p, i := 0, 0
	star, mark := -1, 0 // the last *, and where in s its run ends so far
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == anyRun:
			star, mark = p, i
			if p++; p == len(pattern) {
				return true
			}
		case p < len(pattern) && pattern[p] == anyOne:
			_, width := utf8.DecodeRuneInString(s[i:])
			p++
			i += width
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			_, width := utf8.DecodeRuneInString(s[mark:])
			mark += width
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}

// globARN matches field by field: a wildcard never reaches over a colon, except
// in the last field, which may contain some.
type globARN struct {
	partition, service, region, account, resource glob
}

func newGlobARN(a arn.ARN) globARN {
	return globARN{
		newGlob(a.Partition), newGlob(a.Service), newGlob(a.Region), newGlob(a.Account), newGlob(a.Resource),
	}
}

// match looks first at the fields that tell resources apart.
func (g *globARN) match(a *arn.ARN) bool {
	return g.region.match(a.Region) &&
		g.resource.match(a.Resource) &&
		g.account.match(a.Account) &&
		g.service.match(a.Service) &&
		g.partition.match(a.Partition)
}

// resource is a pattern of a Resource or NotResource element.
type resource struct {
	text   template
	fields globARN // of a pattern without variables
	all    bool    // a lone *
	opaque bool    // not an ARN
	errsTo bool    // what covers answers where there is no ARN to hold against
	names  bool    // its region is spelled out
	order  int     // among all resources of its layer
}

// compileResource takes a pattern apart. One that is no ARN, or has a variable
// without a value, covers everything when errsTo is set, else nothing.
func compileResource(text, account string, order int, errsTo bool, keys *keys) resource {
	r := resource{text: parseTemplate(text, globText, keys), order: order, errsTo: errsTo}
	if text != "" && strings.Trim(text, "*") == "" {
		r.all = true
		return r
	}
	if r.text.variable() {
		return r
	}
	fields, err := arn.Parse(r.text.text)
	if err != nil {
		r.opaque = true
		return r
	}
	if IsPlaceholder(fields.Account) {
		fields.Account = account
	}
	r.fields = newGlobARN(fields)
	r.names = fields.Region != "" && !r.fields.region.wild
	return r
}

// covers reports whether the pattern covers the call's resource.
func (r *resource) covers(c *call) bool {
	switch {
	case r.all:
		return true
	case r.opaque:
		return r.errsTo
	case !r.text.variable():
		return r.fields.match(&c.resource)
	}
	text, ok := r.text.resolve(c.context)
	if !ok {
		return r.errsTo
	}
	fields, err := arn.Parse(text)
	if err != nil {
		return r.errsTo
	}
	g := newGlobARN(fields)
	return g.match(&c.resource)
}

// IsPlaceholder reports whether an ARN's account field is one for people to fill
// in, such as <UserID>.
func IsPlaceholder(account string) bool {
	return len(account) > 2 && account[0] == '<' && account[len(account)-1] == '>'
}
