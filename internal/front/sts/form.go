package sts

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"fairway/internal/front"
)

// maxParameters is how many a request may have: fifty tags, with a key and a value each,
// are the most that an operation takes.
const maxParameters = 256

// form is the parameters of a request, each of them once.
type form map[string]string

// parse reads a form. A parameter that comes twice is refused: what signs or logs a
// request might read the other one.
func parse(body []byte) (form, error) {
	if !utf8.Valid(body) || strings.Count(string(body), "&") >= maxParameters {
		return nil, front.Refuse(malformedQuery, "the form has too many parameters or is not text")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, front.Refuse(malformedQuery, "The query string contains a syntax error.")
	}
	parameters := make(form, len(values))
	for name, all := range values {
		if len(all) > 1 {
			return nil, front.Refuse(malformedQuery, "the parameter "+front.Clip(name)+" comes more than once")
		}
		if !utf8.ValidString(all[0]) {
			return nil, front.Refuse(malformedQuery, "the parameter "+front.Clip(name)+" is not text")
		}
		parameters[name] = all[0]
	}
	return parameters, nil
}

func (f form) get(name string) string { return f[name] }

// has reports whether there is a parameter of that name, or a member of the list.
func (f form) has(name string) bool { return f[name] != "" || f.below(name) > 0 }

// below counts the parameters that are members of name.
func (f form) below(name string) int {
	n := 0
	for other := range f {
		if strings.HasPrefix(other, name+".") {
			n++
		}
	}
	return n
}
