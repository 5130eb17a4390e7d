package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Layouts of X-Amz-Date and of the date in a credential scope.
const (
	TimeFormat = "20060102T150405Z"
	DateFormat = "20060102"
)

// Credentials sign requests.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // of temporary credentials, else empty
}

// Time is when a request says it was signed: X-Amz-Date, else Date. An
// error is an IncompleteError.
func Time(h http.Header) (time.Time, error) {
	if v := h.Get("X-Amz-Date"); v != "" {
		at, err := time.Parse(TimeFormat, v)
		if err != nil {
			return time.Time{}, IncompleteError("Date must be in ISO-8601 'basic format', e.g. 20150830T123600Z.")
		}
		return at, nil
	}
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}, IncompleteError("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return at.UTC(), nil
}

// Key is what a secret becomes to sign within one scope. To derive it takes longer
// than to sign: who checks many signatures keeps it.
type Key [sha256.Size]byte

// Key derives the key of the secret.
func (s Scope) Key(secret string) Key {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Date, s.Region, s.Service, terminator} {
		key = mac(key, part)
	}
	return Key(key)
}

// Verify reports whether the holder of key, which is that of a's scope, signed r at
// the time at. It takes the same time whichever digit of the signature is wrong.
func (a Authorization) Verify(r Request, key Key, at time.Time) bool {
	want := a.signature(r, key, at)
	return subtle.ConstantTimeCompare([]byte(want), []byte(a.Signature)) == 1
}

// Sign signs r, which carries body, in place: it sets X-Amz-Date, for temporary
// credentials X-Amz-Security-Token, and Authorization. Headers set afterwards
// are not signed; those that proxies and transports rewrite never are.
func Sign(r *http.Request, body []byte, c Credentials, region, service string, at time.Time) {
	at = at.UTC()
	r.Header.Set("X-Amz-Date", at.Format(TimeFormat))
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	}
	a := Authorization{
		AccessKeyID:   c.AccessKeyID,
		Scope:         Scope{Date: at.Format(DateFormat), Region: region, Service: service},
		SignedHeaders: signedHeaders(r.Header),
	}
	a.Signature = a.signature(RequestOf(r, body), a.Scope.Key(c.SecretAccessKey), at)
	r.Header.Set("Authorization", a.String())
}

func signedHeaders(h http.Header) []string {
	names := []string{"host"}
	for name := range h {
		name = strings.ToLower(name)
		switch name {
		case "authorization", "user-agent", "connection", "expect", "accept-encoding",
			"transfer-encoding", "x-amzn-trace-id", "host":
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (a Authorization) signature(r Request, key Key, at time.Time) string {
	return hex.EncodeToString(mac(key[:], a.stringToSign(r, at)))
}

func (a Authorization) stringToSign(r Request, at time.Time) string {
	return Algorithm + "\n" +
		at.UTC().Format(TimeFormat) + "\n" +
		a.Scope.String() + "\n" +
		HashPayload(r.canonical(a.SignedHeaders))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
