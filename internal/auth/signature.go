package auth

import (
	"cmp"
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

// Our own texts, for what the service has none.
const (
	msgTwoHeaders    = "authenticate: more than one Authorization header came: send one"
	msgTwoSignatures = "authenticate: the request is signed in its query and has an Authorization header: sign it once"
)

// Signatures authenticates signed requests, whatever service they are for. Keys and Now
// are required.
type Signatures struct {
	Keys     *Keys
	Sessions *Sessions // temporary credentials; nil knows those in Keys alone

	// Principal finds whom a session speaks for, by name: required with Sessions.
	Principal func(name string) (inference.Principal, bool)

	Now func() time.Time
}

// Authenticate gives the credential behind the signature of r, with the scope that was
// signed, which is the caller's to check. Errors are the service's four names,
// IncompleteSignature, and those of body.
//
// The body is asked for last, when only the signature itself is left to check. It
// is hashed here. An X-Amz-Content-Sha256 must agree with it: the services' clients
// sign the payload, so UNSIGNED-PAYLOAD does not match.
func (s Signatures) Authenticate(r *http.Request, body func() ([]byte, error)) (inference.Credential, error) {
	header := r.Header.Get("Authorization")
	switch {
	case len(r.Header["Authorization"]) > 1:
		return inference.Credential{}, refuse(inference.IncompleteSignature, msgTwoHeaders)
	case !strings.HasPrefix(header, "AWS4-"):
		return inference.Credential{}, refuse(inference.MissingAuth, msgMissing)
	}
	if err := onlyOnce(r); err != nil {
		return inference.Credential{}, err
	}
	auth, err := sigv4.Parse(header)
	if err != nil {
		return inference.Credential{}, refuse(inference.IncompleteSignature, err.Error())
	}
	at, err := sigv4.Time(r.Header)
	if err != nil {
		return inference.Credential{}, refuse(inference.IncompleteSignature, err.Error())
	}
	key, credential, err := s.holder(auth.AccessKeyID, r.Header.Get("X-Amz-Security-Token"))
	if err != nil {
		return inference.Credential{}, err
	}
	if err := checkTime(auth.Scope.Date, at, s.Now()); err != nil {
		return inference.Credential{}, err
	}
	if err := checkCovered(r, auth); err != nil {
		return inference.Credential{}, err
	}
	payload, err := body()
	if err != nil {
		return inference.Credential{}, err
	}
	signed := sigv4.RequestOf(r, payload)
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && !sameText(claimed, signed.PayloadHash) ||
		!s.Keys.verify(auth, signed, key.Secret, at) {
		return inference.Credential{}, refuse(inference.InvalidSignature, msgMismatch)
	}
	credential.Service = auth.Scope.Service
	credential.Region = inference.Region(auth.Scope.Region)
	credential.PayloadHash = signed.PayloadHash
	return credential, nil
}

// sameText compares in a time that tells nothing but the lengths.
func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// holder is the access key of that id and whom it speaks for. The session token must
// be the key's own, and is absent where the key has none.
func (s Signatures) holder(id, sessionToken string) (AccessKey, inference.Credential, error) {
	key, ok := s.Keys.accessKey(id)
	switch {
	case !ok && sessionToken != "" && s.Sessions != nil:
		return s.session(id, sessionToken)
	case !ok || !sameText(key.SessionToken, sessionToken):
		return AccessKey{}, inference.Credential{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
	case !key.Expires.IsZero() && !s.Now().Before(key.Expires):
		return AccessKey{}, inference.Credential{}, refuse(inference.ExpiredToken, msgExpired)
	}
	return key, credentialOf(key), nil
}

// session is holder for temporary credentials. They end with the principal that they
// speak for.
func (s Signatures) session(id, token string) (AccessKey, inference.Credential, error) {
	key, err := s.Sessions.Open(id, token)
	if err != nil {
		return AccessKey{}, inference.Credential{}, err
	}
	principal, ok := s.principal(key.Principal.Name)
	if !ok {
		return AccessKey{}, inference.Credential{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
	}
	key.Principal.ARN = cmp.Or(key.Principal.ARN, principal.ARN)
	return key, credentialOf(key), nil
}

func (s Signatures) principal(name string) (inference.Principal, bool) {
	if name == "" || s.Principal == nil {
		return inference.Principal{}, false
	}
	return s.Principal(name)
}

func credentialOf(k AccessKey) inference.Credential {
	caller := k.Caller
	if k.Session == nil { // a session has the key that it was asked for with
		caller.Key, caller.Budget = k.Name, k.Budget
	}
	return inference.Credential{Principal: k.Principal, Session: k.Session, Caller: caller}
}

// onlyOnce refuses a request that says twice who signed it, or when: what was checked
// could be another one than is used.
func onlyOnce(r *http.Request) error {
	for _, name := range []string{"X-Amz-Date", "Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		if len(r.Header[name]) > 1 {
			return refuse(inference.IncompleteSignature, "authenticate: more than one "+name+" header came: send one")
		}
	}
	if len(r.Header["Host"]) > 0 { // net/http takes the one Host out of the headers
		return refuse(inference.IncompleteSignature, "authenticate: more than one Host came: send one")
	}
	if r.URL.RawQuery != "" && r.URL.Query().Has("X-Amz-Signature") {
		return refuse(inference.IncompleteSignature, msgTwoSignatures)
	}
	return nil
}

// checkCovered wants the signature to be over the headers that decide who calls and
// what is called, and over none that did not come.
func checkCovered(r *http.Request, auth sigv4.Authorization) error {
	if !auth.Signs("host") && !auth.Signs(":authority") {
		return refuse(inference.InvalidSignature, "'Host' or ':authority"+msgMissingPart)
	}
	for name := range r.Header {
		if decides(name) && !auth.Signs(strings.ToLower(name)) {
			return refuse(inference.InvalidSignature, "'"+name+msgMissingPart)
		}
	}
	for _, name := range auth.SignedHeaders {
		switch name {
		case "host", ":authority", "content-length": // net/http keeps them apart
		default:
			if _, came := r.Header[http.CanonicalHeaderKey(name)]; !came {
				return refuse(inference.InvalidSignature, msgMismatch)
			}
		}
	}
	return nil
}

// decides reports whether a header changes what a request does, or as whom. That of
// the content's hash is checked in any case.
func decides(name string) bool {
	return name == "X-Amz-Date" || name == "X-Amz-Security-Token" || strings.HasPrefix(name, "X-Amzn-Bedrock-")
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
