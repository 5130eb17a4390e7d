package userpool

import (
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestVerifier checks the verifiers of transcripts that the aws-amplify 6 client
// produced (testdata/srp.json).
func TestVerifier(t *testing.T) {
	data, err := os.ReadFile("testdata/srp.json")
	if err != nil {
		t.Fatal(err)
	}
	var transcripts []struct {
		PoolName string `json:"pool_name"`
		User     string `json:"user_id_for_srp"`
		Password string `json:"password"`
		Salt     string `json:"salt_hex"`
		Verifier string `json:"verifier_hex"`
	}
	if err := json.Unmarshal(data, &transcripts); err != nil || len(transcripts) == 0 {
		t.Fatalf("testdata/srp.json: %d transcripts, %v", len(transcripts), err)
	}
	for _, c := range transcripts {
		salt, _ := new(big.Int).SetString(c.Salt, 16)
		if got := verifier(c.PoolName, c.User, c.Password, salt).Text(16); got != c.Verifier {
			t.Errorf("verifier(salt %s) = %.20s..., want %.20s...", c.Salt, got, c.Verifier)
		}
		u := &User{Username: c.User, Salt: c.Salt, Verifier: c.Verifier}
		if !u.hasPassword(c.PoolName, c.Password) || u.hasPassword(c.PoolName, c.Password+" ") {
			t.Errorf("hasPassword(salt %s) does not tell the password from another", c.Salt)
		}
	}
}

func TestGroupIsPrime(t *testing.T) {
	n := group()
	half := new(big.Int).Rsh(n, 1)
	if n.BitLen() != 3072 || !n.ProbablyPrime(1) || !half.ProbablyPrime(1) {
		t.Error("the group's modulus is not a 3072-bit safe prime")
	}
}

func TestPad(t *testing.T) {
	for hex, want := range map[string]string{"0": "\x00", "7f": "\x7f", "80": "\x00\x80", "ff": "\x00\xff", "100": "\x01\x00"} {
		n, _ := new(big.Int).SetString(hex, 16)
		if got := string(pad(n)); got != want {
			t.Errorf("pad(%s) = %q, want %q", hex, got, want)
		}
	}
}

func TestNewPasswordKeepsThePolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minLength := rapid.IntRange(0, 99).Draw(t, "minLength")
		password := newPassword(minLength)
		if len(password) < max(20, minLength) || password[0] == '-' {
			t.Fatalf("newPassword(%d) has %d characters", minLength, len(password))
		}
		for _, class := range []string{lower, upper, digits, symbols} {
			if !strings.ContainsAny(password, class) {
				t.Fatalf("newPassword(%d) has none of %q", minLength, class)
			}
		}
	})
}

func BenchmarkSignIn(b *testing.B) {
	p := newTestPool(b, Options{})
	signIn(b, p)
	b.ReportAllocs()
	for b.Loop() {
		signIn(b, p)
	}
}
