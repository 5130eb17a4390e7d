package store

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	sealed, err := Seal(master, "FWAKEXAMPLE", []byte("s3cr3t"))
	if err != nil || !strings.HasPrefix(sealed, SealedPrefix) || strings.Contains(sealed, "s3cr3t") {
		t.Fatalf("Seal() = %q, %v", sealed, err)
	}
	if again, _ := Seal(master, "FWAKEXAMPLE", []byte("s3cr3t")); again == sealed {
		t.Error("Seal() twice = the same text, want a new nonce each time")
	}
	if got, err := Unseal(master, "FWAKEXAMPLE", sealed); string(got) != "s3cr3t" || err != nil {
		t.Errorf("Unseal() = %q, %v, want the secret", got, err)
	}
	damaged := []byte(sealed)
	if at := &damaged[len(damaged)-4]; *at == 'A' { // of the base64 alphabet before and after
		*at = 'B'
	} else {
		*at = 'A'
	}
	for name, test := range map[string]struct {
		master     []byte
		id, sealed string
		want       string
	}{
		"another key":    {[]byte("another master key of 32 bytes!!"), "FWAKEXAMPLE", sealed, "it was sealed with master key"},
		"another id":     {master, "FWAKOTHER", sealed, "damaged or was sealed for another id"},
		"damaged":        {master, "FWAKEXAMPLE", string(damaged), "damaged"},
		"cut":            {master, "FWAKEXAMPLE", sealed[:30], "no sealed secret"},
		"in clear":       {master, "FWAKEXAMPLE", "s3cr3t", "no sealed secret"},
		"no master":      {nil, "FWAKEXAMPLE", sealed, "there is no master key"},
		"a short master": {master[:16], "FWAKEXAMPLE", sealed, "want 32 bytes"},
	} {
		got, err := Unseal(test.master, test.id, test.sealed)
		if got != nil || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: Unseal() = %q, %v, want an error with %q", name, got, err, test.want)
		}
	}
}

func TestParseMasterKey(t *testing.T) {
	key := []byte("\xff\xfe0123456789abcdef0123456789abcd")
	for _, text := range []string{
		hex.EncodeToString(key), strings.ToUpper(hex.EncodeToString(key)),
		base64.StdEncoding.EncodeToString(key) + "\n", base64.RawURLEncoding.EncodeToString(key), base64.URLEncoding.EncodeToString(key),
	} {
		if got, err := ParseMasterKey(text); !bytes.Equal(got, key) || err != nil {
			t.Errorf("ParseMasterKey(%q) = %x, %v, want %x", text, got, err, key)
		}
	}
	for _, text := range []string{"", "short", strings.Repeat("a", 63), base64.StdEncoding.EncodeToString(key[:31]), strings.Repeat("!", 43)} {
		if got, err := ParseMasterKey(text); got != nil || err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("ParseMasterKey(%q) = %x, %v, want an error that does not tell it", text, got, err)
		}
	}
}

// FuzzUnseal: only what Seal made opens.
func FuzzUnseal(f *testing.F) {
	sealed, err := Seal(master, "id", []byte("secret"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add("id", sealed)
	f.Add("id", SealedPrefix)
	f.Add("other", sealed)
	f.Add("id", "sealed:AQ==")
	f.Fuzz(func(t *testing.T, id, text string) {
		got, err := Unseal(master, id, text)
		if err != nil {
			if got != nil {
				t.Errorf("Unseal(%q, %q) = %q, %v, want nothing beside an error", id, text, got, err)
			}
			return
		}
		if string(got) != "secret" || id != "id" {
			t.Errorf("Unseal(%q, %q) = %q, which nobody sealed", id, text, got)
		}
	})
}
