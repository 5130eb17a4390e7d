package userpool

import (
	"context"
	"encoding/base64"
	"time"

	"fairway/internal/srp"
)

// exchange is what is known of an SRP exchange while the proof is awaited.
type exchange struct {
	A         string        `json:"a"`
	Challenge srp.Challenge `json:"challenge"`
}

// startSRP answers a client's public value with the server's.
func (p *Pool) startSRP(ctx context.Context, parameters map[string]string) (InitiateAuthOutput, error) {
	name, err := username(parameters)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	a := parameters["SRP_A"]
	if a == "" {
		return InitiateAuthOutput{}, missing("SRP_A")
	}
	if err := srp.CheckPublic(a); err != nil {
		return InitiateAuthOutput{}, &Error{Kind: InvalidParameter, Message: "Invalid SRP_A", Err: err}
	}
	u, err := p.byNameOrStranger(ctx, name)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	challenge, err := srp.NewChallenge(u.verifier())
	if err != nil {
		return InitiateAuthOutput{}, failed(err)
	}
	s := begin(name, u)
	s.SRP = &exchange{a, challenge}
	block, err := p.carry(s, passwordVerifier)
	if err != nil {
		return InitiateAuthOutput{}, err
	}
	return InitiateAuthOutput{ChallengeName: passwordVerifier, ChallengeParameters: map[string]string{
		"SALT":            u.Salt,
		"SECRET_BLOCK":    block,
		"SRP_B":           challenge.Public,
		"USERNAME":        u.Username,
		"USER_ID_FOR_SRP": u.Username,
	}}, nil
}

// timestampForm is that of TIMESTAMP, always in UTC.
const timestampForm = "Mon Jan 2 15:04:05 UTC 2006"

// provePassword checks the signature of PASSWORD_VERIFIER.
func (p *Pool) provePassword(ctx context.Context, s step, u user, responses map[string]string) (InitiateAuthOutput, error) {
	timestamp, signature := responses["TIMESTAMP"], responses["PASSWORD_CLAIM_SIGNATURE"]
	if timestamp == "" {
		return InitiateAuthOutput{}, missing("TIMESTAMP")
	}
	if signature == "" {
		return InitiateAuthOutput{}, missing("PASSWORD_CLAIM_SIGNATURE")
	}
	if _, err := time.Parse(timestampForm, timestamp); err != nil {
		return InitiateAuthOutput{}, refuse(InvalidParameter, "TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
	}
	block, err := base64.StdEncoding.DecodeString(responses["PASSWORD_CLAIM_SECRET_BLOCK"])
	if err != nil {
		return InitiateAuthOutput{}, errSession
	}
	claim := srp.Claim{Pool: p.name(), User: u.Username, Block: block, Timestamp: timestamp}
	// A stranger's proof is looked at too: it takes the time that a user's takes.
	right := s.SRP.Challenge.Check(u.verifier(), s.SRP.A, claim, signature)
	s.SRP = nil
	return p.afterPassword(ctx, u, s, right)
}
