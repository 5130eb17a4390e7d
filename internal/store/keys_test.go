package store

import (
	"crypto/sha256"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// done fails the test unless a change was made.
func done(t *testing.T, what string, ok bool, err error) {
	t.Helper()
	if !ok || err != nil {
		t.Fatalf("%s = %v, %v, want it done", what, ok, err)
	}
}

// none fails the test when a change or a thing was found.
func none(t *testing.T, what string, ok bool, err error) {
	t.Helper()
	if ok || err != nil {
		t.Errorf("%s = %v, %v, want none", what, ok, err)
	}
}

func testAccessKeys(t *testing.T, s *Store) {
	k := AccessKey{ID: "FWAKEXAMPLE", Name: "ci", Secret: "s3cr3t", Principal: "checkout", Budget: "team-a", Expires: began.Add(time.Hour)}
	if err := s.AddAccessKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "AddAccessKey() again", s.AddAccessKey(t.Context(), k), inference.Conflict)
	wantKind(t, "AddAccessKey() of the same name", s.AddAccessKey(t.Context(), AccessKey{ID: "B", Name: "ci"}), inference.Conflict)
	k.Created = began.Add(2 * time.Second) // the first reading was the migrations'
	if got, ok, err := s.AccessKey(t.Context(), k.ID); got != k || !ok || err != nil {
		t.Errorf("AccessKey() = %+v, %v, %v, want %+v", got, ok, err, k)
	}
	ok, err := s.ExpireAccessKey(t.Context(), k.ID, began)
	done(t, "ExpireAccessKey()", ok, err)
	k.Secret, k.Expires = "", began
	got, err := s.AccessKeys(t.Context())
	if diff := cmp.Diff([]AccessKey{k}, got); diff != "" || err != nil {
		t.Errorf("AccessKeys() = %v (-want +got):\n%s", err, diff)
	}

	other := *s
	other.master = []byte("another master key of 32 bytes!!")
	if _, ok, err := other.AccessKey(t.Context(), k.ID); ok || err == nil || !strings.Contains(err.Error(), "it was sealed with master key") {
		t.Errorf("AccessKey() with another master key = %v, %v, want an error that says so", ok, err)
	}
	other.master = nil
	if err := other.AddAccessKey(t.Context(), AccessKey{ID: "B"}); err == nil || !strings.Contains(err.Error(), "there is no master key") {
		t.Errorf("AddAccessKey() without a master key = %v, want an error that says so", err)
	}

	ok, err = s.DeleteAccessKey(t.Context(), k.ID)
	done(t, "DeleteAccessKey()", ok, err)
	ok, err = s.DeleteAccessKey(t.Context(), k.ID)
	none(t, "DeleteAccessKey() again", ok, err)
	ok, err = s.ExpireAccessKey(t.Context(), k.ID, began)
	none(t, "ExpireAccessKey() of none", ok, err)
	_, ok, err = s.AccessKey(t.Context(), k.ID)
	none(t, "AccessKey() of none", ok, err)
	for _, id := range []string{"C", "D"} { // which have no name
		if err := s.AddAccessKey(t.Context(), AccessKey{ID: id}); err != nil {
			t.Errorf("AddAccessKey(%s) = %v", id, err)
		}
	}
}

func testBearerKeys(t *testing.T, s *Store) {
	k := BearerKey{Hash: KeyHash("fairway-api-key-1"), Name: "ci", Principal: "checkout", Budget: "team-a"}
	if err := s.AddBearerKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "AddBearerKey() with a name that is taken",
		s.AddBearerKey(t.Context(), BearerKey{Hash: KeyHash("fairway-api-key-2"), Name: "ci"}), inference.Conflict)
	wantKind(t, "AddBearerKey() of a key that is kept",
		s.AddBearerKey(t.Context(), BearerKey{Hash: k.Hash, Name: "other"}), inference.Conflict)
	k.Created = began.Add(2 * time.Second) // the first reading was the migrations'
	ok, err := s.ExpireBearerKey(t.Context(), "ci", began)
	done(t, "ExpireBearerKey()", ok, err)
	k.Expires = began
	got, err := s.BearerKeys(t.Context())
	if diff := cmp.Diff([]BearerKey{k}, got); diff != "" || err != nil {
		t.Errorf("BearerKeys() = %v (-want +got):\n%s", err, diff)
	}
	ok, err = s.DeleteBearerKey(t.Context(), "ci")
	done(t, "DeleteBearerKey()", ok, err)
	ok, err = s.DeleteBearerKey(t.Context(), "ci")
	none(t, "DeleteBearerKey() again", ok, err)
	ok, err = s.ExpireBearerKey(t.Context(), "ci", began)
	none(t, "ExpireBearerKey() of none", ok, err)
}

// testAPIKeys: they are kept as bearer keys are, and apart from them.
func testAPIKeys(t *testing.T, s *Store) {
	k := APIKey{Hash: KeyHash("da2-1"), Name: "web", Principal: "guest", Budget: "free", Created: began, Expires: began.Add(time.Hour)}
	if err := s.AddAPIKey(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "AddAPIKey() again", s.AddAPIKey(t.Context(), k), inference.Conflict)
	wantKind(t, "AddBearerKey() with the name of an API key", s.AddBearerKey(t.Context(), BearerKey(k)), inference.Conflict)
	other := BearerKey(k)
	other.Name = "no API key"
	if err := s.AddBearerKey(t.Context(), other); err != nil {
		t.Errorf("AddBearerKey() = %v", err)
	}
	renewed := APIKey{Name: "web", Hash: KeyHash("da2-2"), Created: began.Add(time.Second), Expires: began.Add(2 * time.Hour)}
	ok, err := s.ReplaceAPIKey(t.Context(), renewed, began.Add(time.Minute))
	done(t, "ReplaceAPIKey()", ok, err)
	ok, err = s.ExpireAPIKey(t.Context(), "web", began.Add(90*time.Minute))
	done(t, "ExpireAPIKey()", ok, err)
	k.Before, k.BeforeUntil, k.Hash = k.Hash, began.Add(time.Minute), renewed.Hash
	k.Created, k.Expires = renewed.Created, began.Add(90*time.Minute)
	got, err := s.APIKeys(t.Context())
	if diff := cmp.Diff([]APIKey{k}, got); diff != "" || err != nil {
		t.Errorf("APIKeys() = %v (-want +got):\n%s", err, diff)
	}
	ok, err = s.DeleteAPIKey(t.Context(), "web")
	done(t, "DeleteAPIKey()", ok, err)
	if keys, err := s.BearerKeys(t.Context()); len(keys) != 1 || err != nil {
		t.Errorf("BearerKeys() = %v, %v, want the one that is no API key", keys, err)
	}
}

// testReplacedKeys: a key that was replaced is good for a while, and never for
// longer than it would have been.
func testReplacedKeys(t *testing.T, s *Store) {
	minute := func(n int) time.Time { return began.Add(time.Duration(n) * time.Minute) }
	add := func(k BearerKey) {
		t.Helper()
		if err := s.AddBearerKey(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	replace := func(hash string, expires, oldUntil time.Time) {
		t.Helper()
		ok, err := s.ReplaceBearerKey(t.Context(), BearerKey{Name: "ci", Hash: hash, Created: began, Expires: expires}, oldUntil)
		done(t, "ReplaceBearerKey()", ok, err)
	}
	check := func(when string, want BearerKey) {
		t.Helper()
		want.Name, want.Principal, want.Created = "ci", "p", began
		got, err := s.BearerKeys(t.Context())
		if diff := cmp.Diff([]BearerKey{want}, got); diff != "" || err != nil {
			t.Errorf("BearerKeys() %s = %v (-want +got):\n%s", when, err, diff)
		}
	}
	add(BearerKey{Hash: "1", Name: "ci", Principal: "p", Created: began})
	replace("2", minute(90), minute(10))
	check("after one replacement", BearerKey{Hash: "2", Expires: minute(90), Before: "1", BeforeUntil: minute(10)})

	replace("3", minute(200), minute(100))
	third := BearerKey{Hash: "3", Expires: minute(200), Before: "2", BeforeUntil: minute(90)}
	check("after one that would have expired sooner", third)

	ok, err := s.ExpireBearerKey(t.Context(), "ci", minute(5))
	done(t, "ExpireBearerKey()", ok, err)
	third.Expires, third.BeforeUntil = minute(5), minute(5)
	check("after it was made to expire", third)

	replace("4", time.Time{}, time.Time{})
	if keys, _ := s.BearerKeys(t.Context()); keys[0].Before != "3" || keys[0].BeforeUntil.IsZero() || keys[0].BeforeUntil.After(minute(1)) {
		t.Errorf("BearerKeys() replaced for good = %+v, want the one before over now", keys)
	}

	ok, err = s.ReplaceBearerKey(t.Context(), BearerKey{Name: "nobody", Hash: "5"}, minute(1))
	none(t, "ReplaceBearerKey() of none", ok, err)
	for _, hash := range []string{"3", "4"} {
		_, err = s.ReplaceBearerKey(t.Context(), BearerKey{Name: "ci", Hash: hash}, minute(1))
		wantKind(t, "ReplaceBearerKey() by a key that is kept", err, inference.Conflict)
	}
}

// testOneKeyNameAtOnce: of many keys of two kinds that take one name at once, one has
// it; a name is free again with its key.
func testOneKeyNameAtOnce(t *testing.T, s *Store) {
	ctx := t.Context()
	var kept atomic.Int32
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			hash := KeyHash(string(rune('a' + i)))
			add := func() error { return s.AddBearerKey(ctx, BearerKey{Hash: hash, Name: "one"}) }
			if i%2 == 0 {
				add = func() error { return s.AddAPIKey(ctx, APIKey{Hash: hash, Name: "one"}) }
			}
			if err := add(); err == nil {
				kept.Add(1)
			} else {
				wantKind(t, "add a key with a name that is taken", err, inference.Conflict)
			}
		})
	}
	all.Wait()
	bearers, err := s.BearerKeys(ctx)
	apis, errs := s.APIKeys(ctx)
	if n := len(bearers) + len(apis); kept.Load() != 1 || n != 1 || err != nil || errs != nil {
		t.Fatalf("%d keys were kept and %d are there, want 1 (%v, %v)", kept.Load(), n, err, errs)
	}
	_, err = s.DeleteBearerKey(ctx, "one")
	_, errs = s.DeleteAPIKey(ctx, "one")
	if err != nil || errs != nil {
		t.Fatal(err, errs)
	}
	for _, id := range []string{"one", "two"} { // which names a key without a name
		if err := s.AddAccessKey(ctx, AccessKey{ID: id}); err != nil {
			t.Errorf("AddAccessKey(%s) after the name was given up = %v", id, err)
		}
		wantKind(t, "AddAPIKey() named like it", s.AddAPIKey(ctx, APIKey{Hash: id, Name: id}), inference.Conflict)
		ok, err := s.DeleteAccessKey(ctx, id)
		done(t, "DeleteAccessKey()", ok, err)
		if err := s.AddAPIKey(ctx, APIKey{Hash: id, Name: id}); err != nil {
			t.Errorf("AddAPIKey(%s) after the name was given up = %v", id, err)
		}
	}
}

func TestGood(t *testing.T) {
	one, two := sha256.Sum256([]byte("1")), sha256.Sum256([]byte("2"))
	later := began.Add(time.Hour)
	for _, test := range []struct {
		key  BearerKey
		want map[Digest]time.Time
	}{
		{BearerKey{Hash: KeyHash("1")}, map[Digest]time.Time{one: {}}},
		{BearerKey{Hash: KeyHash("1"), Expires: later}, map[Digest]time.Time{one: later}},
		{BearerKey{Hash: KeyHash("1"), Expires: later, Before: KeyHash("2"), BeforeUntil: began}, map[Digest]time.Time{one: later, two: began}},
		{BearerKey{Hash: KeyHash("1"), Disabled: true, Before: KeyHash("2"), BeforeUntil: began}, map[Digest]time.Time{}},
		{BearerKey{Hash: "damaged", Before: "00"}, map[Digest]time.Time{}},
	} {
		if diff := cmp.Diff(test.want, test.key.Good()) + cmp.Diff(test.want, APIKey(test.key).Good()); diff != "" {
			t.Errorf("%+v.Good() (-want +got):\n%s", test.key, diff)
		}
	}
}

func testKeysChanged(t *testing.T, s *Store) {
	ctx := t.Context()
	var last int64
	check := func(what string, want int64) {
		t.Helper()
		got, err := s.KeysChanged(ctx)
		if got != last+want || err != nil {
			t.Errorf("KeysChanged() after %s = %d, %v, want %d", what, got, err, last+want)
		}
		last = got
	}
	check("nothing", 0)
	changes := []struct {
		what string
		do   func() (bool, error)
		want int64
	}{
		{"AddAccessKey", func() (bool, error) { return true, s.AddAccessKey(ctx, AccessKey{ID: "A"}) }, 1},
		{"ExpireAccessKey", func() (bool, error) { return s.ExpireAccessKey(ctx, "A", began) }, 1},
		{"DeleteAccessKey", func() (bool, error) { return s.DeleteAccessKey(ctx, "A") }, 1},
		{"DeleteAccessKey of none", func() (bool, error) { return s.DeleteAccessKey(ctx, "A") }, 0},
		{"AddBearerKey", func() (bool, error) { return true, s.AddBearerKey(ctx, BearerKey{Hash: "1", Name: "a"}) }, 1},
		{"ReplaceBearerKey", func() (bool, error) { return s.ReplaceBearerKey(ctx, BearerKey{Name: "a", Hash: "2"}, began) }, 1},
		{"ExpireBearerKey", func() (bool, error) { return s.ExpireBearerKey(ctx, "a", began) }, 1},
		{"DeleteBearerKey", func() (bool, error) { return s.DeleteBearerKey(ctx, "a") }, 1},
		{"DeleteBearerKey of none", func() (bool, error) { return s.DeleteBearerKey(ctx, "a") }, 0},
		{"AddAPIKey", func() (bool, error) { return true, s.AddAPIKey(ctx, APIKey{Hash: "1", Name: "a"}) }, 1},
		{"ReplaceAPIKey", func() (bool, error) { return s.ReplaceAPIKey(ctx, APIKey{Name: "a", Hash: "2"}, began) }, 1},
		{"DeleteAPIKey", func() (bool, error) { return s.DeleteAPIKey(ctx, "a") }, 1},
	}
	for _, c := range changes {
		if _, err := c.do(); err != nil {
			t.Errorf("%s() = %v", c.what, err)
		}
		check(c.what, c.want)
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			if err := s.AddAPIKey(ctx, APIKey{Hash: KeyHash(string(rune('a' + i))), Name: string(rune('a' + i))}); err != nil {
				t.Errorf("AddAPIKey() = %v", err)
			}
		})
	}
	all.Wait()
	check("many at once", 16)
}
