// Package srp is the Secure Remote Password protocol, SRP-6a, as Amazon Cognito's
// user pools speak it: a client proves that it knows a password which the server has
// never seen. Both sides are here.
//
// Numbers travel as hexadecimal without padding. What is hashed is a number's
// shortest two's complement form, see pad.
package srp

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"sync"
)

// groupHex is the prime of RFC 5054's 3072-bit group, whose generator is 2.
const groupHex = "" +
	"FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
	"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F" +
	"83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B" +
	"E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510" +
	"15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7" +
	"ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C" +
	"BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF"

// group is the modulus, the generator, and SRP-6a's k = H(pad(N) | pad(g)).
var group = sync.OnceValue(func() (g struct{ n, g, k *big.Int }) {
	g.n, _ = new(big.Int).SetString(groupHex, 16)
	g.g = big.NewInt(2)
	g.k = hash(pad(g.n), pad(g.g))
	return g
})

// exponentSize is the length of a private exponent in bytes: RFC 5054 asks for 32 at
// least, and more would cost time alone.
const exponentSize = 32

// newExponent is a random private exponent.
func newExponent() *big.Int {
	b := make([]byte, exponentSize)
	rand.Read(b) // never fails, see crypto/rand
	return new(big.Int).SetBytes(b)
}

// maxDigits is how long a number of the group is in hexadecimal, with the byte 0 that
// some clients put before it.
const maxDigits = len(groupHex) + 2

// parse reads a public value: hexadecimal, in [1, N). The bounds keep out every
// multiple of N, which would make the shared key known to all.
func parse(what, text string) (*big.Int, error) {
	v, ok := number(text)
	if !ok || v.Sign() == 0 || v.Cmp(group().n) >= 0 {
		return nil, fmt.Errorf("read %s: want a hexadecimal number within the group", what)
	}
	return v, nil
}

// number reads a hexadecimal number of at most maxDigits digits.
func number(text string) (*big.Int, bool) {
	if len(text) == 0 || len(text) > maxDigits || !isHex(text[0]) {
		return nil, false // big.Int also reads a sign
	}
	return new(big.Int).SetString(text, 16)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// pad is the shortest big-endian two's complement form of a number >= 0: a zero
// byte precedes a leading bit that is set.
func pad(n *big.Int) []byte {
	return n.FillBytes(make([]byte, n.BitLen()/8+1))
}

// hash is H, SHA-256 of the parts as one, as a number.
func hash(parts ...[]byte) *big.Int {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part)
	}
	return new(big.Int).SetBytes(h.Sum(nil))
}

// exp is base^e mod N.
func exp(base, e *big.Int) *big.Int { return new(big.Int).Exp(base, e, group().n) }

// claimKey is the key of the claim's signature, 16 bytes of HKDF over the shared S.
func claimKey(s, u *big.Int) []byte {
	key, err := hkdf.Key(sha256.New, pad(s), pad(u), "Caldera Derived Key", 16)
	if err != nil {
		panic(err) // only a length that SHA-256 cannot give
	}
	return key
}
