package srp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"math/big"
)

// Verifier is what a server keeps in place of a password, both in hexadecimal: a
// random salt, and 2^x mod N with x = H(pad(salt) | H(pool user ":" password)).
type Verifier struct {
	Salt  string
	Value string
}

// saltSize is Cognito's, in bytes.
const saltSize = 16

// NewVerifier makes the verifier of a password with a new salt. pool is the part of
// the pool id after the underscore, user what the pool calls the user, not the alias
// that they sign in with.
func NewVerifier(pool, user, password string) Verifier {
	b := make([]byte, saltSize)
	rand.Read(b) // never fails, see crypto/rand
	salt := new(big.Int).SetBytes(b)
	return Verifier{Salt: salt.Text(16), Value: exp(group().g, secret(pool, user, password, salt)).Text(16)}
}

// Is reports whether v is the verifier of that password. It takes the same time
// whether it is, and for a verifier that cannot be read, which is nobody's.
func (v Verifier) Is(pool, user, password string) bool {
	salt, ok1 := number(v.Salt)
	want, ok2 := number(v.Value)
	if !ok1 || !ok2 {
		salt, want = new(big.Int), new(big.Int)
	}
	got := exp(group().g, secret(pool, user, password, salt))
	return equal(want, got)
}

// secret is x.
func secret(pool, user, password string, salt *big.Int) *big.Int {
	inner := sha256.Sum256([]byte(pool + user + ":" + password))
	return hash(pad(salt), inner[:])
}

// equal compares two numbers of the group without telling where they differ.
func equal(a, b *big.Int) bool {
	return subtle.ConstantTimeCompare(a.FillBytes(make([]byte, maxDigits/2)), b.FillBytes(make([]byte, maxDigits/2))) == 1
}
