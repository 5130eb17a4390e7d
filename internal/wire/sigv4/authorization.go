// Package sigv4 reads, checks and makes AWS Signature Version 4 signatures, in an
// Authorization header or in a query (IAM User Guide, "Create a signed AWS API
// request"). It knows no keys and no clock: package auth decides whose secret
// and which time count.
package sigv4

import (
	"slices"
	"strconv"
	"strings"
)

// Algorithm is the name every Authorization header of this form begins with.
const Algorithm = "AWS4-HMAC-SHA256"

const (
	terminator       = "aws4_request"
	maxAuthorization = 4 << 10 // bytes; the SDKs send about 300
	maxSignedHeaders = 64
)

// IncompleteError says what a request lacks to be signed at all, in the words of
// the service's IncompleteSignatureException. It never quotes the header.
type IncompleteError string

// Error is the text.
func (e IncompleteError) Error() string { return string(e) }

// Scope is what a signature is good for: a day, a region, a service.
type Scope struct {
	Date    string // YYYYMMDD
	Region  string
	Service string
}

// String is the scope as the string to sign carries it.
func (s Scope) String() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator
}

// Authorization is the content of an Authorization header.
type Authorization struct {
	AccessKeyID   string
	Scope         Scope
	SignedHeaders []string // lower case, ascending
	Signature     string   // as sent; 64 lower-case hex digits when it can match
}

// String is the header's value; Parse reads it back.
func (a Authorization) String() string {
	return Algorithm + " Credential=" + a.AccessKeyID + "/" + a.Scope.String() +
		", SignedHeaders=" + strings.Join(a.SignedHeaders, ";") +
		", Signature=" + a.Signature
}

// Signs reports whether the header of that lower-case name is signed.
func (a Authorization) Signs(name string) bool {
	_, ok := slices.BinarySearch(a.SignedHeaders, name)
	return ok
}

// Parse reads an Authorization header. An error is an IncompleteError and comes
// with the zero Authorization.
func Parse(header string) (Authorization, error) {
	if len(header) > maxAuthorization {
		return Authorization{}, IncompleteError("Authorization header is longer than " + strconv.Itoa(maxAuthorization) + " bytes.")
	}
	params, ok := strings.CutPrefix(header, Algorithm+" ")
	if !ok {
		return Authorization{}, IncompleteError("Unsupported AWS 'algorithm', expected '" + Algorithm + "'.")
	}
	fields := make(map[string]string, 3)
	for param := range strings.SplitSeq(params, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(param), "=")
		if !ok {
			return Authorization{}, IncompleteError("Authorization header holds a parameter that is not a valid key=value pair (missing equal-sign).")
		}
		if _, twice := fields[name]; twice || !slices.Contains(parameters, name) {
			return Authorization{}, IncompleteError("Authorization header holds a parameter that is not known, or one twice.")
		}
		fields[name] = value
	}
	if err := requireAll(fields); err != nil {
		return Authorization{}, err
	}
	return parseFields(fields)
}

// parameters are those of the header, in the order in which the service misses them.
var parameters = []string{"Credential", "Signature", "SignedHeaders"}

// requireAll names every parameter that is missing, as the service does.
func requireAll(fields map[string]string) error {
	var missing []string
	for _, name := range parameters {
		if fields[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter.")
		}
	}
	if missing != nil {
		return IncompleteError(strings.Join(missing, " "))
	}
	return nil
}

func parseFields(fields map[string]string) (Authorization, error) {
	credential := strings.Split(fields["Credential"], "/")
	if len(credential) != 5 || slices.ContainsFunc(credential, notToken) {
		return Authorization{}, IncompleteError("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	if credential[4] != terminator {
		return Authorization{}, IncompleteError("Credential should be scoped with a valid terminator: '" + terminator + "'.")
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	if !canonicalNames(signed) {
		return Authorization{}, IncompleteError("SignedHeaders must be distinct lower-case header names in ascending order.")
	}
	if notToken(fields["Signature"]) {
		return Authorization{}, IncompleteError("Signature must be hexadecimal.")
	}
	return Authorization{
		AccessKeyID:   credential[0],
		Scope:         Scope{Date: credential[1], Region: credential[2], Service: credential[3]},
		SignedHeaders: signed,
		Signature:     fields["Signature"],
	}, nil
}

func canonicalNames(names []string) bool {
	for i, name := range names {
		if notToken(name) || name != strings.ToLower(name) || i > 0 && names[i-1] >= name {
			return false
		}
	}
	return len(names) <= maxSignedHeaders
}

// notToken reports whether s is empty or holds what a header parameter cannot:
// space, control characters, anything past ASCII.
func notToken(s string) bool {
	return s == "" || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' })
}
