package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Request is the part of an HTTP request that a signature covers.
type Request struct {
	Method        string
	Path          string // as sent on the wire, percent-encoded
	RawQuery      string
	Host          string
	Header        http.Header
	ContentLength int64  // stands in for the Content-Length header where net/http keeps it apart
	PayloadHash   string // lower-case hex SHA-256 of the body

	// Normalize removes empty and dot segments from the path first. Bedrock's
	// clients sign the path as it is.
	Normalize bool
}

// RequestOf is r as its signature sees it, with the hash of body.
func RequestOf(r *http.Request, body []byte) Request {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return Request{
		Method:        r.Method,
		Path:          r.URL.EscapedPath(),
		RawQuery:      r.URL.RawQuery,
		Host:          host,
		Header:        r.Header,
		ContentLength: int64(len(body)),
		PayloadHash:   HashPayload(body),
	}
}

// HashPayload is the lower-case hex SHA-256 of a body.
func HashPayload(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Canonical is the canonical request over the signed header names.
func (r Request) Canonical(signed []string) string { return string(r.canonical(signed)) }

func (r Request) canonical(signed []string) []byte {
	b := make([]byte, 0, 1024)
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = r.appendPath(b)
	b = append(b, '\n')
	b = appendQuery(b, r.RawQuery)
	b = append(b, '\n')
	for _, name := range signed {
		b = append(b, name...)
		b = append(b, ':')
		b = r.appendHeader(b, name)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, strings.Join(signed, ";")...)
	b = append(b, '\n')
	return append(b, r.PayloadHash...)
}

// appendPath encodes every segment once more on top of what the wire carries:
// "%3A" becomes "%253A" and a literal ":" becomes "%3A".
func (r Request) appendPath(b []byte) []byte {
	p := r.Path
	if r.Normalize {
		p = normalize(p)
	}
	if p == "" {
		p = "/"
	}
	return appendEncoded(b, p, '/')
}

func normalize(p string) string {
	clean := path.Clean("/" + p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return clean
}

// appendQuery sorts the parameters by encoded name, then value; every one gets
// an equal sign.
func appendQuery(b []byte, raw string) []byte {
	if raw == "" {
		return b
	}
	var pairs [][2]string
	for param := range strings.SplitSeq(raw, "&") {
		if param == "" {
			continue
		}
		name, value, _ := strings.Cut(param, "=")
		pairs = append(pairs, [2]string{recode(name), recode(value)})
	}
	slices.SortFunc(pairs, func(x, y [2]string) int { return slices.Compare(x[:], y[:]) })
	for i, pair := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, pair[0]...)
		b = append(b, '=')
		b = append(b, pair[1]...)
	}
	return b
}

// recode brings a query component, however its sender encoded it, to the one
// encoding that is signed.
func recode(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return string(appendEncoded(nil, s, 0))
}

// appendHeader writes the header's values, trimmed, with runs of spaces made one.
func (r Request) appendHeader(b []byte, name string) []byte {
	if name == "host" || name == ":authority" { // what HTTP/2 calls it, and the SDK for JavaScript signs there
		return appendTrimmed(b, r.Host)
	}
	values := r.Header[textproto.CanonicalMIMEHeaderKey(name)]
	if len(values) == 0 && name == "content-length" {
		return strconv.AppendInt(b, r.ContentLength, 10)
	}
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, value)
	}
	return b
}

func appendTrimmed(b []byte, value string) []byte {
	value = strings.Trim(value, " \t")
	for i := range len(value) {
		if value[i] == ' ' && value[i-1] == ' ' { // never first: value is trimmed
			continue
		}
		b = append(b, value[i])
	}
	return b
}

// appendEncoded percent-encodes all but RFC 3986's unreserved characters and keep.
func appendEncoded(b []byte, s string, keep byte) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if unreserved(c) || c == keep && keep != 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}
