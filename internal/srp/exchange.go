package srp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
)

// Claim is what a client signs to prove that it has the key.
type Claim struct {
	Pool, User string // as in NewVerifier
	Block      []byte // the server's SECRET_BLOCK, decoded
	Timestamp  string // as it is sent, in TimestampForm: "Sun Nov 22 10:44:06 UTC 2026"
}

// TimestampForm is the layout of the time of a claim, which is always UTC.
const TimestampForm = "Mon Jan 2 15:04:05 UTC 2006"

func (c Claim) sign(key []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(c.Pool + c.User))
	mac.Write(c.Block)
	mac.Write([]byte(c.Timestamp))
	return mac.Sum(nil)
}

// Challenge is the server's half of one exchange, in hexadecimal.
type Challenge struct {
	Private string // b: the server's secret until the answer comes
	Public  string // B
}

// NewChallenge starts an exchange with who has the verifier.
func NewChallenge(v Verifier) (Challenge, error) {
	value, err := parse("verifier", v.Value)
	if err != nil {
		return Challenge{}, err
	}
	return challenge(value, newExponent()), nil
}

// challenge is B = k v + g^b.
func challenge(v, b *big.Int) Challenge {
	public := new(big.Int).Mul(group().k, v)
	public.Add(public, exp(group().g, b)).Mod(public, group().n)
	return Challenge{Private: b.Text(16), Public: public.Text(16)}
}

// CheckPublic refuses a client's public A that no client of good will sends.
func CheckPublic(a string) error {
	_, err := parse("SRP_A", a)
	return err
}

// Check reports whether signature, in base64, is the claim's by the key that c and a
// client with public A share, who knows the password of v. A value that cannot be
// read is a wrong one.
func (c Challenge) Check(v Verifier, a string, claim Claim, signature string) bool {
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	key, err := c.key(v, a)
	return err == nil && hmac.Equal(got, claim.sign(key))
}

// key is the server's way to the shared key, by S = (A v^u)^b.
func (c Challenge) key(v Verifier, a string) ([]byte, error) {
	clientPublic, err := parse("SRP_A", a)
	if err != nil {
		return nil, err
	}
	value, err := parse("verifier", v.Value)
	if err != nil {
		return nil, err
	}
	public, err := parse("SRP_B", c.Public)
	if err != nil {
		return nil, err
	}
	private, err := parse("private exponent", c.Private)
	if err != nil {
		return nil, err
	}
	u := hash(pad(clientPublic), pad(public))
	s := exp(value, u)
	s.Mul(s, clientPublic).Mod(s, group().n)
	return claimKey(exp(s, private), u), nil
}

// Client is the client's half of one exchange.
type Client struct {
	private, public *big.Int
}

// NewClient starts an exchange.
func NewClient() *Client { return newClient(newExponent()) }

func newClient(a *big.Int) *Client { return &Client{private: a, public: exp(group().g, a)} }

// A is the client's public value, SRP_A.
func (c *Client) A() string { return c.public.Text(16) }

// Answer is the claim's signature in base64, PASSWORD_CLAIM_SIGNATURE, for the salt
// and the public value that the server sent.
func (c *Client) Answer(password, salt, b string, claim Claim) (string, error) {
	key, err := c.key(password, salt, b, claim)
	if err != nil {
		return "", fmt.Errorf("answer password challenge: %w", err)
	}
	return base64.StdEncoding.EncodeToString(claim.sign(key)), nil
}

// key is the client's way to the shared key, by S = (B - k g^x)^(a + u x).
func (c *Client) key(password, salt, b string, claim Claim) ([]byte, error) {
	serverPublic, err := parse("SRP_B", b)
	if err != nil {
		return nil, err
	}
	saltNumber, ok := number(salt)
	if !ok {
		return nil, errors.New("read SALT: want a hexadecimal number")
	}
	u := hash(pad(c.public), pad(serverPublic))
	x := secret(claim.Pool, claim.User, password, saltNumber)
	base := exp(group().g, x)
	base.Mul(base, group().k).Sub(serverPublic, base).Mod(base, group().n)
	power := new(big.Int).Mul(u, x)
	return claimKey(exp(base, power.Add(power, c.private)), u), nil
}
