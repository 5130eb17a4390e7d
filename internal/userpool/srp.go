package userpool

import (
	"crypto/sha256"
	"crypto/subtle"
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

var group = sync.OnceValue(func() *big.Int {
	n, ok := new(big.Int).SetString(groupHex, 16)
	if !ok {
		panic("userpool: groupHex is not hexadecimal")
	}
	return n
})

// verifier is Cognito's SRP-6a verifier of a password, 2^x mod N with
// x = H(pad(salt) | H(poolName userID ":" password)): what a pool keeps in place
// of the password. poolName is the part of the pool id after the underscore,
// userID is what the pool calls the user, not the alias they signed in with.
func verifier(poolName, userID, password string, salt *big.Int) *big.Int {
	inner := sha256.Sum256([]byte(poolName + userID + ":" + password))
	h := sha256.New()
	h.Write(pad(salt))
	h.Write(inner[:])
	x := new(big.Int).SetBytes(h.Sum(nil))
	return new(big.Int).Exp(big.NewInt(2), x, group())
}

// pad is the shortest big-endian two's complement form of a number >= 0: a zero
// byte precedes a leading bit that is set.
func pad(n *big.Int) []byte {
	return n.FillBytes(make([]byte, n.BitLen()/8+1))
}

// equal compares two verifiers without telling where they differ.
func equal(a, b *big.Int) bool {
	return subtle.ConstantTimeCompare(a.Bytes(), b.Bytes()) == 1
}
