package store

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func testSigningKeys(t *testing.T, s *Store) {
	old := SigningKey{ID: "a", Pool: "pool", Key: []byte("pkcs 8, \x00 and more"), Created: began}
	new := SigningKey{ID: "b", Pool: "pool", Key: []byte("another"), Created: began.Add(time.Hour)}
	for _, k := range []SigningKey{old, new, {ID: "c", Pool: "other", Key: []byte("x")}} {
		if err := s.AddSigningKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, "AddSigningKey() again", s.AddSigningKey(t.Context(), old), inference.Conflict)
	ok, err := s.RetireSigningKey(t.Context(), "a", began.Add(time.Hour))
	done(t, "RetireSigningKey()", ok, err)
	ok, err = s.RetireSigningKey(t.Context(), "a", began.Add(2*time.Hour))
	none(t, "RetireSigningKey() again", ok, err)
	old.Retired = began.Add(time.Hour)
	got, err := s.SigningKeys(t.Context(), "pool")
	if diff := cmp.Diff([]SigningKey{new, old}, got); diff != "" || err != nil {
		t.Errorf("SigningKeys() = %v (-want +got):\n%s", err, diff)
	}
	var sealed string
	if err := s.read.QueryRowContext(t.Context(), `SELECT sealed FROM signing_keys WHERE id = 'b'`).Scan(&sealed); err != nil || !strings.HasPrefix(sealed, SealedPrefix) {
		t.Errorf("the table keeps %q, %v, want it sealed", sealed, err)
	}
	other := *s
	other.master = []byte("another master key of 32 bytes!!")
	if keys, err := other.SigningKeys(t.Context(), "pool"); keys != nil || err == nil || !strings.Contains(err.Error(), "it was sealed with master key") {
		t.Errorf("SigningKeys() with another master key = %v, %v, want an error that says so", keys, err)
	}
	ok, err = s.DeleteSigningKey(t.Context(), "a")
	done(t, "DeleteSigningKey()", ok, err)
	ok, err = s.DeleteSigningKey(t.Context(), "a")
	none(t, "DeleteSigningKey() again", ok, err)
}

// testSecret: servers that start at once agree on a secret.
func testSecret(t *testing.T, s *Store) {
	var invented atomic.Int64
	invent := func() []byte { return bytes.Repeat([]byte{byte(invented.Add(1))}, 32) }
	secrets := make([][]byte, 8)
	var all sync.WaitGroup
	for i := range secrets {
		all.Go(func() {
			var err error
			if secrets[i], err = s.Secret(t.Context(), "sessions", invent); err != nil {
				t.Errorf("Secret() = %v", err)
			}
		})
	}
	all.Wait()
	for _, secret := range secrets {
		if !bytes.Equal(secret, secrets[0]) || len(secret) != 32 {
			t.Errorf("Secret() of servers that start at once = %x, want one", secrets)
			break
		}
	}
	if other, err := s.Secret(t.Context(), "identity pool", invent); bytes.Equal(other, secrets[0]) || err != nil {
		t.Errorf("Secret() of another name = the same, %v, want its own", err)
	}
	other := *s
	other.master = nil
	if secret, err := other.Secret(t.Context(), "sessions", invent); secret != nil || err == nil || !strings.Contains(err.Error(), "there is no master key") {
		t.Errorf("Secret() without the master key = %x, %v, want an error that says so", secret, err)
	}
}

func TestProtect(t *testing.T) {
	for name, master := range map[string][]byte{"a master key": master, "none": nil} {
		s := &Store{master: master}
		text, err := s.Protect("id", []byte("s3cr3t"))
		if err != nil || strings.Contains(text, "s3cr3t") {
			t.Errorf("%s: Protect() = %q, %v", name, text, err)
		}
		if got, err := s.Reveal("id", text); string(got) != "s3cr3t" || err != nil {
			t.Errorf("%s: Reveal() = %q, %v, want the secret", name, got, err)
		}
	}
	s := &Store{master: master}
	if got, err := s.Reveal("id", plainPrefix+"czNjcjN0"); string(got) != "s3cr3t" || err != nil {
		t.Errorf("Reveal() of what was kept before there was a master key = %q, %v, want the secret", got, err)
	}
	sealed, _ := s.Protect("id", []byte("s3cr3t"))
	for _, bad := range []struct{ id, text string }{{"other", sealed}, {"id", ""}, {"id", "s3cr3t"}, {"id", plainPrefix + "!"}} {
		if got, err := s.Reveal(bad.id, bad.text); got != nil || err == nil || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("Reveal(%q, %q) = %q, %v, want an error that does not tell it", bad.id, bad.text, got, err)
		}
	}
}
