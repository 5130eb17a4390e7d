package auth

import (
	"context"
	"net/http"
	"strings"
	"time"

	"fairway/internal/inference"
)

// The service's texts for callers it does not know.
const (
	msgMissing      = "Missing Authentication Token"
	msgUnrecognized = "The security token included in the request is invalid."
	msgExpired      = "The security token included in the request is expired"
	msgMismatch     = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	msgMissingPart  = "' must be a 'SignedHeader' in the AWS Authorization."
)

// Our own texts, for what the service has none.
const (
	msgTwoHeaders    = "authenticate: more than one Authorization header came: send one"
	msgTwoSignatures = "authenticate: the request is signed in its query and has an Authorization header: sign it once"
)

// Bedrock authenticates requests to the Bedrock API. Keys and Now are required.
type Bedrock struct {
	Keys     *Keys
	Sessions *Sessions // temporary credentials; nil knows those in Keys alone
	Tokens   *Tokens   // that come as bearer keys; nil takes none

	// Principal finds whom a session or token speaks for, by name: required with either.
	Principal func(name string) (inference.Principal, bool)

	Now func() time.Time
}

// Authenticate gives the credential behind r. For a signature the credential has
// the scope that was signed, which is the caller's to check. A long-term bearer key
// and a token are good for Bedrock in every region, a short-term key in its own. Errors
// are the service's four names, IncompleteSignature, ServiceUnavailable while the
// issuer of a token is away, and those of body.
//
// The body is asked for last, when only the signature itself is left to check. It
// is hashed here. An X-Amz-Content-Sha256 must agree with it: Bedrock's clients
// sign the payload, so UNSIGNED-PAYLOAD does not match.
func (b Bedrock) Authenticate(r *http.Request, body func() ([]byte, error)) (inference.Credential, error) {
	header := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(header, " ")
	switch {
	case len(r.Header.Values("Authorization")) > 1:
		return inference.Credential{}, refuse(inference.IncompleteSignature, msgTwoHeaders)
	case strings.EqualFold(scheme, "Bearer"):
		return b.bearer(r.Context(), strings.TrimSpace(rest))
	case strings.HasPrefix(scheme, "AWS4-"):
		return b.signature(r, header, body)
	default:
		return inference.Credential{}, refuse(inference.MissingAuth, msgMissing)
	}
}

func (b Bedrock) bearer(ctx context.Context, key string) (inference.Credential, error) {
	if c, known, err := b.longTerm(key); known {
		return c, err
	}
	if presigned, ok := strings.CutPrefix(key, shortTermPrefix); ok {
		return b.shortTerm(presigned)
	}
	if b.Tokens != nil && strings.Count(key, ".") == 2 {
		return b.token(ctx, key)
	}
	return inference.Credential{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
}

func (b Bedrock) longTerm(key string) (c inference.Credential, known bool, err error) {
	bearer, known := b.Keys.bearerKey(key)
	switch {
	case !known:
		return inference.Credential{}, false, nil
	case !bearer.Expires.IsZero() && !b.Now().Before(bearer.Expires):
		return inference.Credential{}, true, refuse(inference.ExpiredToken, msgExpired)
	}
	return inference.Credential{
		Principal: bearer.Principal, Service: "bedrock", Bearer: true, BearerType: inference.LongTerm, Key: bearer.Name,
	}, true, nil
}

// token is the credential of an issuer's token: its user speaks through the principal
// that the issuer's users are.
func (b Bedrock) token(ctx context.Context, token string) (inference.Credential, error) {
	who, err := b.Tokens.Verify(ctx, token)
	if err != nil {
		return inference.Credential{}, inBedrocksWords(inference.AsError(err))
	}
	principal, ok := b.principal(who.Principal)
	if !ok {
		return inference.Credential{}, refuse(inference.UnrecognizedClient, msgUnrecognized)
	}
	return inference.Credential{Principal: principal, Service: "bedrock", Bearer: true, Caller: who.Caller}, nil
}

func (b Bedrock) principal(name string) (inference.Principal, bool) {
	if name == "" || b.Principal == nil {
		return inference.Principal{}, false
	}
	return b.Principal(name)
}

// inBedrocksWords is an error of Tokens as Bedrock says it.
func inBedrocksWords(e *inference.Error) error {
	said := *e
	switch e.Kind {
	case inference.ExpiredToken:
		said.Message = msgExpired
	case inference.Validation, inference.UnrecognizedClient:
		said.Kind, said.Message = inference.UnrecognizedClient, msgUnrecognized
	}
	return &said
}

func refuse(kind inference.Kind, message string) *inference.Error {
	return &inference.Error{Kind: kind, Op: "authenticate", Message: message}
}
