package userpool

import (
	"crypto/rand"
	"math/big"
	"slices"

	"fairway/internal/wire/uuid"
)

// User is a confirmed user. It is not modified once the pool has it.
type User struct {
	Sub      string   `json:"sub"` // UUID
	Username string   `json:"username"`
	Email    string   `json:"email"` // verified
	Groups   []string `json:"groups,omitempty"`

	// Salt and Verifier are the password's, in hexadecimal; see verifier.
	Salt     string `json:"salt"`
	Verifier string `json:"verifier"`
}

func newUser(poolID string, l Login) *User {
	salt := new(big.Int).SetBytes(random(16))
	return &User{
		Sub:      uuid.New(),
		Username: l.Username,
		Email:    l.Username,
		Salt:     salt.Text(16),
		Verifier: verifier(poolName(poolID), l.Username, l.Password, salt).Text(16),
	}
}

func (u *User) hasPassword(poolName, password string) bool {
	salt, ok1 := new(big.Int).SetString(u.Salt, 16)
	want, ok2 := new(big.Int).SetString(u.Verifier, 16)
	if !ok1 || !ok2 || salt.Sign() < 0 {
		return false
	}
	return equal(want, verifier(poolName, u.Username, password, salt))
}

const (
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	symbols = "-_.=+@%" // those of Cognito's that need no quoting in a shell
)

// newPassword is a random password of at least 20 characters that has one of
// each class that a pool's policy can ask for.
func newPassword(minLength int) string {
	password := []byte{pick(lower), pick(upper), pick(digits), pick(symbols)}
	for len(password) < max(20, minLength) {
		password = append(password, pick(lower+upper+digits))
	}
	for i := range password {
		j := i + below(len(password)-i)
		password[i], password[j] = password[j], password[i]
	}
	// A leading dash would read as a flag.
	if password[0] == '-' {
		slices.Reverse(password)
	}
	return string(password)
}

// newID is n random characters of the alphabet.
func newID(n int, alphabet string) string {
	id := make([]byte, n)
	for i := range id {
		id[i] = pick(alphabet)
	}
	return string(id)
}

func pick(alphabet string) byte { return alphabet[below(len(alphabet))] }

func below(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // rand.Reader never fails, see crypto/rand
	}
	return int(i.Int64())
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
