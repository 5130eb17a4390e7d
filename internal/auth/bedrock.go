package auth

import (
	"context"
	"net/http"
	"strings"

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

// Bedrock authenticates requests to the Bedrock API: by their signature, or the bearer
// key that they come with.
type Bedrock struct {
	Signatures
	Tokens *Tokens // that come as bearer keys; nil takes none. They need Signatures.Principal
}

// Authenticate gives the credential behind r. For a signature the credential has
// the scope that was signed, which is the caller's to check. A long-term bearer key
// and a token are good for Bedrock in every region, a short-term key in its own. Errors
// are the service's four names, IncompleteSignature, ServiceUnavailable while the
// issuer of a token is away, and those of body.
func (b Bedrock) Authenticate(r *http.Request, body func() ([]byte, error)) (inference.Credential, error) {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") && len(r.Header["Authorization"]) == 1 {
		return b.bearer(r.Context(), strings.TrimSpace(key))
	}
	return b.Signatures.Authenticate(r, body)
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
		Principal: bearer.Principal, Service: "bedrock", Bearer: true, BearerType: inference.LongTerm,
		Caller: inference.Caller{Key: bearer.Name, Budget: bearer.Budget},
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
