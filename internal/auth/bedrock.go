package auth

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

// maxSkew is how far a signature's time may be from ours.
const maxSkew = 5 * time.Minute

// The service's texts for callers it does not know.
const (
	msgMissing      = "Missing Authentication Token"
	msgUnrecognized = "The security token included in the request is invalid."
	msgExpired      = "The security token included in the request is expired"
	msgMismatch     = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	msgHostUnsigned = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
)

// Bedrock authenticates requests to the Bedrock API.
type Bedrock struct {
	Keys *Keys
	Now  func() time.Time
}

// Authenticate gives the credential behind r. For a signature the credential has
// the scope that was signed, which is the caller's to check; a bearer key is good
// for Bedrock in every region. Errors are the service's four names,
// IncompleteSignature, and those of body.
//
// The body is asked for last, when only the signature itself is left to check. It
// is hashed here. An X-Amz-Content-Sha256 must agree with it: Bedrock's clients
// sign the payload, so UNSIGNED-PAYLOAD does not match.
func (b Bedrock) Authenticate(r *http.Request, body func() ([]byte, error)) (inference.Credential, error) {
	header := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return b.bearer(strings.TrimSpace(rest))
	case strings.HasPrefix(scheme, "AWS4-"):
		return b.signature(r, header, body)
	default:
		return inference.Credential{}, refuse(inference.MissingAuth, msgMissing)
	}
}

func (b Bedrock) bearer(key string) (inference.Credential, error) {
	known, ok := b.Keys.bearerKey(key)
	switch {
	case !ok:
		return inference.Credential{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
	case !known.expires.IsZero() && !b.Now().Before(known.expires):
		return inference.Credential{}, refuse(inference.ExpiredToken, msgExpired)
	}
	return inference.Credential{Principal: known.principal, Service: "bedrock", Bearer: true}, nil
}

func (b Bedrock) signature(r *http.Request, header string, body func() ([]byte, error)) (inference.Credential, error) {
	auth, err := sigv4.Parse(header)
	if err != nil {
		return inference.Credential{}, refuse(inference.IncompleteSignature, err.Error())
	}
	at, err := sigv4.Time(r.Header)
	if err != nil {
		return inference.Credential{}, refuse(inference.IncompleteSignature, err.Error())
	}
	now := b.Now()
	key, err := b.key(auth.AccessKeyID, r.Header.Get("X-Amz-Security-Token"), now)
	if err != nil {
		return inference.Credential{}, err
	}
	if err := checkTime(auth.Scope.Date, at, now); err != nil {
		return inference.Credential{}, err
	}
	if !auth.Signs("host") && !auth.Signs(":authority") {
		return inference.Credential{}, refuse(inference.InvalidSignature, msgHostUnsigned)
	}
	payload, err := body()
	if err != nil {
		return inference.Credential{}, err
	}
	signed := sigv4.RequestOf(r, payload)
	claimed := r.Header.Get("X-Amz-Content-Sha256")
	if claimed != "" && claimed != signed.PayloadHash || !b.Keys.verify(auth, signed, key.Secret, at) {
		return inference.Credential{}, refuse(inference.InvalidSignature, msgMismatch)
	}
	return inference.Credential{
		Principal:   key.Principal,
		Service:     auth.Scope.Service,
		Region:      inference.Region(auth.Scope.Region),
		PayloadHash: signed.PayloadHash,
	}, nil
}

func (b Bedrock) key(id, sessionToken string, now time.Time) (AccessKey, error) {
	key, ok := b.Keys.accessKey(id)
	if !ok || subtle.ConstantTimeCompare([]byte(key.SessionToken), []byte(sessionToken)) != 1 {
		return AccessKey{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
	}
	if !key.Expires.IsZero() && !now.Before(key.Expires) {
		return AccessKey{}, refuse(inference.ExpiredToken, msgExpired)
	}
	return key, nil
}

// checkTime holds the time of a signature against the clock and against the
// date of its scope.
func checkTime(scopeDate string, at, now time.Time) error {
	stamp := func(t time.Time) string { return t.UTC().Format(sigv4.TimeFormat) }
	var message string
	switch {
	case scopeDate != at.Format(sigv4.DateFormat):
		message = fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			scopeDate, at.Format(sigv4.DateFormat), stamp(at))
	case at.Before(now.Add(-maxSkew)):
		message = fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)", stamp(at), stamp(now.Add(-maxSkew)), stamp(now))
	case at.After(now.Add(maxSkew)):
		message = fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)", stamp(at), stamp(now.Add(maxSkew)), stamp(now))
	default:
		return nil
	}
	return refuse(inference.InvalidSignature, message)
}

func refuse(kind inference.Kind, message string) *inference.Error {
	return &inference.Error{Kind: kind, Op: "authenticate", Message: message}
}
