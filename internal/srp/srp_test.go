package srp

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// transcript is an exchange of the aws-amplify 6 client with a server that knew the
// password, as testdata/transcripts.json has them.
type transcript struct {
	Pool      string `json:"pool_name"`
	User      string `json:"user_id_for_srp"`
	Password  string `json:"password"`
	A         string `json:"A_hex"`
	Salt      string `json:"salt_hex"`
	Verifier  string `json:"verifier_hex"`
	Private   string `json:"b_hex"`
	Public    string `json:"B_hex"`
	U         string `json:"u_hex"`
	Key       string `json:"hkdf_key_hex"`
	S         string `json:"S_hex"`
	Block     string `json:"secret_block_b64"`
	Timestamp string `json:"timestamp"`
	Expected  string `json:"expected_signature_b64"`
	Sent      string `json:"client_signature_b64"`
	Verified  bool   `json:"verified"`
}

func transcripts(t testing.TB) []transcript {
	t.Helper()
	data, err := os.ReadFile("testdata/transcripts.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []transcript
	if err := json.Unmarshal(data, &all); err != nil || len(all) == 0 {
		t.Fatalf("testdata/transcripts.json: %d transcripts, %v", len(all), err)
	}
	return all
}

func (c transcript) verifier() Verifier   { return Verifier{Salt: c.Salt, Value: c.Verifier} }
func (c transcript) challenge() Challenge { return Challenge{Private: c.Private, Public: c.Public} }

func (c transcript) claim() Claim {
	block, _ := base64.StdEncoding.DecodeString(c.Block)
	return Claim{Pool: c.Pool, User: c.User, Block: block, Timestamp: c.Timestamp}
}

func mustNumber(t testing.TB, text string) *big.Int {
	t.Helper()
	n, ok := number(text)
	if !ok {
		t.Fatalf("number(%.20s) reads nothing", text)
	}
	return n
}

func TestTranscripts(t *testing.T) {
	outcomes := map[bool]int{}
	for _, c := range transcripts(t) {
		outcomes[c.Verified]++
		v := c.verifier()
		if got := exp(group().g, secret(c.Pool, c.User, c.Password, mustNumber(t, c.Salt))).Text(16); got != c.Verifier {
			t.Errorf("verifier(salt %s) = %.20s..., want %.20s...", c.Salt, got, c.Verifier)
		}
		if !v.Is(c.Pool, c.User, c.Password) || v.Is(c.Pool, c.User, c.Password+" ") {
			t.Errorf("Is(salt %s) does not tell the password from another", c.Salt)
		}
		if got := challenge(mustNumber(t, c.Verifier), mustNumber(t, c.Private)); got != c.challenge() {
			t.Errorf("challenge(salt %s) = %.20s..., want %.20s...", c.Salt, got.Public, c.Public)
		}
		u := hash(pad(mustNumber(t, c.A)), pad(mustNumber(t, c.Public)))
		if got := u.Text(16); got != c.U {
			t.Errorf("u(salt %s) = %s, want %s", c.Salt, got, c.U)
		}
		if got := hex.EncodeToString(claimKey(mustNumber(t, c.S), u)); got != c.Key {
			t.Errorf("claimKey(salt %s) = %s, want %s", c.Salt, got, c.Key)
		}
		key, err := c.challenge().key(v, c.A)
		if got := hex.EncodeToString(key); got != c.Key || err != nil {
			t.Errorf("key(salt %s) = %s, %v, want %s", c.Salt, got, err, c.Key)
		}
		if got := base64.StdEncoding.EncodeToString(c.claim().sign(key)); got != c.Expected {
			t.Errorf("sign(salt %s) = %s, want %s", c.Salt, got, c.Expected)
		}
		if got := c.challenge().Check(v, c.A, c.claim(), c.Sent); got != c.Verified {
			t.Errorf("Check(salt %s) = %v, want %v", c.Salt, got, c.Verified)
		}
	}
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("transcripts by outcome = %v, want some of both", outcomes)
	}
}

// TestAgreement: client and server agree whatever the password, and only on the same.
func TestAgreement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.StringN(0, 40, -1).Draw(t, name) }
		claim := Claim{Pool: text("pool"), User: text("user"), Block: []byte(text("block")), Timestamp: text("timestamp")}
		password, typed := text("password"), text("typed")
		if rapid.Bool().Draw(t, "right") {
			typed = password
		}
		v := NewVerifier(claim.Pool, claim.User, password)
		client := NewClient()
		challenge, err := NewChallenge(v)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := client.Answer(typed, v.Salt, challenge.Public, claim)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := challenge.Check(v, client.A(), claim, signature), typed == password; got != want {
			t.Fatalf("Check() = %v, want %v", got, want)
		}
		if got, want := v.Is(claim.Pool, claim.User, typed), typed == password; got != want {
			t.Fatalf("Is() = %v, want %v", got, want)
		}
		claim.Timestamp += "x"
		if challenge.Check(v, client.A(), claim, signature) {
			t.Fatal("Check() takes a signature of another claim")
		}
	})
}

// TestKnownKeys: values of A that make the key known to everybody are refused.
func TestKnownKeys(t *testing.T) {
	c := transcripts(t)[0]
	n := group().n
	claim := c.claim()
	for name, a := range map[string]*big.Int{
		"0": new(big.Int), "N": n, "2N": new(big.Int).Lsh(n, 1),
	} {
		// With S = 0 anybody signs.
		u := hash(pad(a), pad(mustNumber(t, c.Public)))
		forged := base64.StdEncoding.EncodeToString(claim.sign(claimKey(new(big.Int), u)))
		if c.challenge().Check(c.verifier(), a.Text(16), claim, forged) {
			t.Errorf("Check(A = %s) takes the signature of a known key", name)
		}
		if CheckPublic(a.Text(16)) == nil {
			t.Errorf("CheckPublic(%s) = nil, want an error", name)
		}
		if _, err := NewClient().Answer("", "1", a.Text(16), claim); err == nil {
			t.Errorf("Answer(B = %s) = nil, want an error", name)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "-1", "+1", " 1", "1 ", "0x1", "1_0", "g", strings.Repeat("0", maxDigits) + "1", groupHex, strings.Repeat("f", maxDigits)} {
		if got, err := parse("number", text); got != nil || err == nil {
			t.Errorf("parse(%.20q) = %v, nil, want an error", text, got)
		}
	}
	for _, text := range []string{"1", "0f", "00" + groupHex[:len(groupHex)-1] + "E"} {
		if _, err := parse("number", text); err != nil {
			t.Errorf("parse(%.20q) = %v, want nil", text, err)
		}
	}
}

func TestUnreadable(t *testing.T) {
	c := transcripts(t)[0]
	claim := c.claim()
	good := func() (Challenge, Verifier, string, string) { return c.challenge(), c.verifier(), c.A, c.Sent }
	for name, spoil := range map[string]func(ch *Challenge, v *Verifier, a, signature *string){
		"private":   func(ch *Challenge, _ *Verifier, _, _ *string) { ch.Private = "" },
		"public":    func(ch *Challenge, _ *Verifier, _, _ *string) { ch.Public = "x" },
		"verifier":  func(_ *Challenge, v *Verifier, _, _ *string) { v.Value = "x" },
		"A":         func(_ *Challenge, _ *Verifier, a, _ *string) { *a = "x" },
		"signature": func(_ *Challenge, _ *Verifier, _, signature *string) { *signature = "!" },
	} {
		ch, v, a, signature := good()
		if !ch.Check(v, a, claim, signature) {
			t.Fatal("Check() of a good answer = false")
		}
		spoil(&ch, &v, &a, &signature)
		if ch.Check(v, a, claim, signature) {
			t.Errorf("Check() with no readable %s = true", name)
		}
	}
	if (Verifier{Salt: "x", Value: c.Verifier}).Is(c.Pool, c.User, c.Password) || (Verifier{}).Is("", "", "") {
		t.Error("Is() of a verifier that cannot be read = true")
	}
	if _, err := NewChallenge(Verifier{}); err == nil {
		t.Error("NewChallenge() of no verifier = nil, want an error")
	}
	if _, err := NewClient().Answer("", "salt", "1", claim); err == nil {
		t.Error("Answer() to a salt that is no number = nil, want an error")
	}
}

func TestGroupIsPrime(t *testing.T) {
	n := group().n
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

// FuzzParse: what is read lies within the group and is the number that was written;
// what is not read gives nothing.
func FuzzParse(f *testing.F) {
	for _, c := range transcripts(f) {
		f.Add(c.A)
		f.Add("00" + c.Public)
	}
	f.Add("")
	f.Add("-1")
	f.Add(groupHex)
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parse("number", text)
		if err != nil {
			if n != nil {
				t.Errorf("parse(%q) = %v beside an error", text, n)
			}
			return
		}
		if n.Sign() <= 0 || n.Cmp(group().n) >= 0 {
			t.Errorf("parse(%q) = %v, want it within the group", text, n)
		}
		if got, want := n.Text(16), strings.TrimLeft(strings.ToLower(text), "0"); got != want {
			t.Errorf("parse(%q) = %s, want %s", text, got, want)
		}
	})
}

func BenchmarkServer(b *testing.B) {
	c := transcripts(b)[0]
	v, claim := c.verifier(), c.claim()
	b.ReportAllocs()
	for b.Loop() {
		challenge, err := NewChallenge(v)
		if err != nil {
			b.Fatal(err)
		}
		challenge.Check(v, c.A, claim, c.Sent)
	}
}

func BenchmarkClient(b *testing.B) {
	c := transcripts(b)[0]
	claim := c.claim()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := NewClient().Answer(c.Password, c.Salt, c.Public, claim); err != nil {
			b.Fatal(err)
		}
	}
}
