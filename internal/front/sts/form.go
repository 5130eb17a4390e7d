package sts

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Limits of a request. The longest parameter is a token of 20,000 characters, and
// fifty tags are the most that an operation takes.
const (
	maxBody       = 64 << 10 // bytes
	maxParameters = 256
)

// read reads the body of r.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, refuse(tooLarge, "the request is longer than 64 KiB")
	}
	if err != nil {
		return nil, refuse(malformedQuery, "the request ended before its body did")
	}
	return body, nil
}

// form is the parameters of a request, each of them once.
type form map[string]string

// parse reads a form. A parameter that comes twice is refused: what signs or logs a
// request might read the other one.
func parse(body []byte) (form, error) {
	if !utf8.Valid(body) || strings.Count(string(body), "&") >= maxParameters {
		return nil, refuse(malformedQuery, "the form has too many parameters or is not text")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refuse(malformedQuery, "The query string contains a syntax error.")
	}
	parameters := make(form, len(values))
	for name, all := range values {
		if len(all) > 1 {
			return nil, refuse(malformedQuery, "the parameter "+clip(name)+" comes more than once")
		}
		if !utf8.ValidString(all[0]) {
			return nil, refuse(malformedQuery, "the parameter "+clip(name)+" is not text")
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

// clip is a value as a message may quote it.
func clip(s string) string {
	const most = 64
	s = strings.ToValidUTF8(s, "")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
