package sigv4

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxPresigned = 12 << 10 // bytes of a query; a session token takes most of it
	maxExpires   = 7 * 24 * time.Hour
)

// Presigned is a signature that a request carries in its query.
type Presigned struct {
	Authorization
	At           time.Time     // when it was made
	Expires      time.Duration // how long it is good for, from then on; at most a week
	SessionToken string        // of temporary credentials, else empty
}

// ParsePresigned reads the query of a request, percent-encoded as it came. An error
// is an IncompleteError and comes with the zero Presigned.
func ParsePresigned(rawQuery string) (Presigned, error) {
	if len(rawQuery) > maxPresigned {
		return Presigned{}, IncompleteError("Query string is longer than " + strconv.Itoa(maxPresigned) + " bytes.")
	}
	query, err := signingParameters(rawQuery)
	if err != nil {
		return Presigned{}, err
	}
	if query["X-Amz-Algorithm"] != Algorithm {
		return Presigned{}, IncompleteError("Unsupported AWS 'algorithm', expected '" + Algorithm + "'.")
	}
	a, err := parseFields(map[string]string{
		"Credential": query["X-Amz-Credential"], "SignedHeaders": query["X-Amz-SignedHeaders"], "Signature": query["X-Amz-Signature"],
	})
	if err != nil {
		return Presigned{}, err
	}
	at, err := time.Parse(TimeFormat, query["X-Amz-Date"])
	if err != nil {
		return Presigned{}, IncompleteError("Date must be in ISO-8601 'basic format', e.g. 20150830T123600Z.")
	}
	seconds, err := strconv.ParseUint(query["X-Amz-Expires"], 10, 32)
	expires := time.Duration(seconds) * time.Second
	if err != nil || expires < time.Second || expires > maxExpires {
		return Presigned{}, IncompleteError("X-Amz-Expires must be a number of seconds between 1 and " + strconv.Itoa(int(maxExpires.Seconds())) + ".")
	}
	return Presigned{Authorization: a, At: at, Expires: expires, SessionToken: query["X-Amz-Security-Token"]}, nil
}

// signingParameters are those of a query that the signature brought. Each may come
// once, so that nobody reads another one than was signed.
func signingParameters(rawQuery string) (map[string]string, error) {
	query := map[string]string{}
	for param := range strings.SplitSeq(rawQuery, "&") {
		name, value, err := parameter(param)
		if err != nil {
			return nil, IncompleteError("Query string is not percent-encoded.")
		}
		if !strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		if _, twice := query[name]; twice {
			return nil, IncompleteError("Query string holds '" + name[:min(len(name), 64)] + "' more than once.")
		}
		query[name] = value
	}
	return query, nil
}

func parameter(param string) (name, value string, err error) {
	name, value, _ = strings.Cut(param, "=")
	if name, err = url.QueryUnescape(name); err != nil {
		return "", "", err
	}
	value, err = url.QueryUnescape(value)
	return name, value, err
}

// Verify reports whether the holder of key, which is that of p's scope, signed r, whose
// query p was read from. Everything in the query but the signature has to be signed.
func (p Presigned) Verify(r Request, key Key) bool {
	r.RawQuery = withoutSignature(r.RawQuery)
	return p.Authorization.Verify(r, key, p.At)
}

// Sign is the signature of r, whose query holds everything of p but that.
func (p Presigned) Sign(r Request, key Key) string {
	r.RawQuery = withoutSignature(r.RawQuery)
	return p.signature(r, key, p.At)
}

func withoutSignature(rawQuery string) string {
	var kept []string
	for param := range strings.SplitSeq(rawQuery, "&") {
		if name, _, err := parameter(param); err != nil || name != "X-Amz-Signature" {
			kept = append(kept, param)
		}
	}
	return strings.Join(kept, "&")
}
