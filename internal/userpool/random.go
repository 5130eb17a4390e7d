package userpool

import (
	"crypto/rand"
	"math/big"
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// newID is n random characters of the alphabet.
func newID(n int, alphabet string) string {
	id := make([]byte, n)
	for i := range id {
		id[i] = alphabet[below(len(alphabet))]
	}
	return string(id)
}

// below is a random number in [0, n).
func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // rand.Reader never fails, see crypto/rand
	}
	return int(i.Int64())
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, see crypto/rand
	return b
}
