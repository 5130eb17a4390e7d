package auth

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

// A short-term key is a request to the host below that its holder signed in advance,
// in base64 (the source of @aws/bedrock-token-generator 1.1.0).
const (
	shortTermPrefix = "bedrock-api-key-"
	shortTermHost   = "bedrock.amazonaws.com"
	shortTermAction = "CallWithBearerToken"
	shortTermLife   = 12 * time.Hour // the longest
	maxShortTerm    = 16 << 10       // bytes in base64; a session token takes most of it
)

// shortTerm is the credential of a short-term key without its prefix. It has the rights
// of the access key that signed it, ends with that, and is good in the region that it
// was made for.
func (b Bedrock) shortTerm(encoded string) (inference.Credential, error) {
	signed, presigned, err := readShortTerm(encoded)
	if err != nil {
		refused := refuse(inference.UnrecognizedClient, msgUnrecognized)
		refused.Err = err
		return inference.Credential{}, refused
	}
	key, credential, err := b.holder(presigned.AccessKeyID, presigned.SessionToken)
	if err != nil {
		return inference.Credential{}, err
	}
	if err := presignedTime(presigned, b.Now()); err != nil {
		return inference.Credential{}, err
	}
	if !presigned.Verify(signed, presigned.Scope.Key(key.Secret)) {
		return inference.Credential{}, refuse(inference.InvalidSignature, msgMismatch)
	}
	credential.Service = presigned.Scope.Service
	credential.Region = inference.Region(presigned.Scope.Region)
	credential.Bearer, credential.BearerType = true, inference.ShortTerm
	return credential, nil
}

// readShortTerm is the request that a key stands for, and its signature. "Version=1"
// is added after signing.
func readShortTerm(encoded string) (sigv4.Request, sigv4.Presigned, error) {
	bad := func(why string) (sigv4.Request, sigv4.Presigned, error) {
		return sigv4.Request{}, sigv4.Presigned{}, sigv4.IncompleteError(why)
	}
	if len(encoded) > maxShortTerm {
		return bad("the key is too long")
	}
	address, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return bad("the key is not base64")
	}
	query, ours := strings.CutPrefix(string(address), shortTermHost+"/?")
	query, versioned := strings.CutSuffix(query, "&Version=1")
	if !ours || !versioned {
		return bad("the key is not a request to " + shortTermHost)
	}
	presigned, err := sigv4.ParsePresigned(query)
	if err != nil {
		return sigv4.Request{}, sigv4.Presigned{}, err
	}
	parameters, err := url.ParseQuery(query)
	if err != nil || !slices.Equal(parameters["Action"], []string{shortTermAction}) {
		return bad("the key is for another action")
	}
	if presigned.Scope.Service != "bedrock" || presigned.Expires > shortTermLife || !slices.Equal(presigned.SignedHeaders, []string{"host"}) {
		return bad("the key is for another service, for too long, or not only of its host")
	}
	return sigv4.Request{
		Method: "POST", Path: "/", RawQuery: query, Host: shortTermHost, PayloadHash: sigv4.HashPayload(nil),
	}, presigned, nil
}

// presignedTime is checkTime for what is good for longer than a moment.
func presignedTime(p sigv4.Presigned, now time.Time) error {
	if !now.Before(p.At.Add(p.Expires)) {
		return refuse(inference.ExpiredToken, msgExpired)
	}
	if p.At.Before(now) {
		now = p.At
	}
	return checkTime(p.Scope.Date, p.At, now)
}
