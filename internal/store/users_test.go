package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// atOnce is how many callers a test has at one time.
const atOnce = 64

func ann() User {
	return User{
		Pool: "pool", Sub: "sub-ann", Username: "Ann", Aliases: []string{"ann@example.com", "+61400000000"},
		Groups: []string{"Admins", "cooks"}, Profile: []byte(`{"a":"naïve"}`),
	}
}

func addUser(t *testing.T, s *Store, u User) User {
	t.Helper()
	if err := s.AddUser(t.Context(), u); err != nil {
		t.Fatalf("AddUser(%s) = %v", u.Username, err)
	}
	kept, ok, err := s.User(t.Context(), u.Pool, u.Sub)
	if !ok || err != nil {
		t.Fatalf("User(%s) = %v, %v", u.Sub, ok, err)
	}
	return kept
}

func testPool(t *testing.T, s *Store) {
	var invented atomic.Int64
	invent := func() Pool {
		n := invented.Add(1)
		return Pool{ID: fmt.Sprintf("ap-southeast-1_%d", n), ClientID: "client", IdentityPool: fmt.Sprintf("ap-southeast-1:%d", n)}
	}
	pools := make([]Pool, 8)
	var all sync.WaitGroup
	for i := range pools {
		all.Go(func() {
			var err error
			if pools[i], err = s.Pool(t.Context(), "ap-southeast-1", invent); err != nil {
				t.Errorf("Pool() = %v", err)
			}
		})
	}
	all.Wait()
	for _, p := range pools {
		if p != pools[0] || p.ID == "" || p.Region != "ap-southeast-1" || p.ClientID != "client" || p.Created.IsZero() {
			t.Errorf("Pool() of servers that start at once = %+v, want one pool", pools)
			break
		}
	}
	other, err := s.Pool(t.Context(), "us-east-1", func() Pool { return Pool{ID: "us-east-1_1"} })
	if other.ID != "us-east-1_1" || err != nil {
		t.Errorf("Pool() of another region = %+v, %v, want its own", other, err)
	}
}

func testUsers(t *testing.T, s *Store) {
	got := addUser(t, s, ann())
	want := ann()
	want.Aliases = []string{"+61400000000", "ann@example.com"} // sorted
	want.Version, want.Created, want.Updated = 1, began.Add(2*time.Second), began.Add(2*time.Second)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("User() (-want +got):\n%s", diff)
	}
	for _, name := range []string{"Ann", "ann", "ANN@example.com", "+61400000000"} {
		if u, ok, err := s.UserNamed(t.Context(), "pool", name); u.Sub != want.Sub || !ok || err != nil {
			t.Errorf("UserNamed(%s) = %+v, %v, %v, want Ann", name, u, ok, err)
		}
		_, ok, err := s.UserNamed(t.Context(), "other pool", name)
		none(t, "UserNamed() in another pool", ok, err)
	}
	_, ok, err := s.UserNamed(t.Context(), "pool", "bob")
	none(t, "UserNamed(bob)", ok, err)
	_, ok, err = s.User(t.Context(), "pool", "sub-bob")
	none(t, "User(sub-bob)", ok, err)

	for what, u := range map[string]User{
		"the name in another case":     {Pool: "pool", Sub: "1", Username: "aNN"},
		"the sub":                      {Pool: "pool", Sub: "sub-ann", Username: "bob"},
		"an alias":                     {Pool: "pool", Sub: "1", Username: "bob", Aliases: []string{"Ann@Example.com"}},
		"an alias as user name":        {Pool: "pool", Sub: "1", Username: "ann@example.com"},
		"a user name as alias":         {Pool: "pool", Sub: "1", Username: "bob", Aliases: []string{"ann"}},
		"one alias of two that is new": {Pool: "pool", Sub: "1", Username: "bob", Aliases: []string{"a", "ann@example.com"}},
	} {
		wantKind(t, "AddUser() with "+what, s.AddUser(t.Context(), u), inference.Conflict)
	}
	// Nothing of those stayed behind.
	bob := addUser(t, s, User{Pool: "pool", Sub: "1", Username: "bob", Aliases: []string{"bob", "a"}})
	addUser(t, s, User{Pool: "pool", Sub: "2", Username: "Carl"})
	addUser(t, s, User{Pool: "other pool", Sub: "sub-ann", Username: "ann"})

	if !slices.Equal(bob.Aliases, []string{"a", "bob"}) || bob.Groups == nil || len(bob.Groups) != 0 {
		t.Errorf("User(bob) = %+v, want it without groups and with two aliases", bob)
	}
	for after, want := range map[string]string{"": "Ann bob", "ann": "bob Carl", "BOB": "Carl", "carl": ""} {
		users, err := s.Users(t.Context(), "pool", after, 2)
		var names []string
		for _, u := range users {
			names = append(names, u.Username)
		}
		if strings.Join(names, " ") != want || err != nil {
			t.Errorf("Users(after %q) = %q, %v, want %q", after, names, err, want)
		}
	}
}

// testOneNameAtOnce: of many who take one name, one gets it.
func testOneNameAtOnce(t *testing.T, s *Store) {
	wantOne(t, s, func(i int) User {
		return User{Pool: "pool", Sub: fmt.Sprint(i), Username: []string{"ann", "Ann", "ANN"}[i%3]}
	})
}

// testOneAliasAtOnce: no two users get one alias, also where they take several in
// another order.
func testOneAliasAtOnce(t *testing.T, s *Store) {
	wantOne(t, s, func(i int) User {
		aliases := []string{"a@example.com", "+61400000000"}
		if i%2 == 0 {
			slices.Reverse(aliases)
		}
		return User{Pool: "pool", Sub: fmt.Sprint(i), Username: fmt.Sprint("user ", i), Aliases: aliases}
	})
}

// wantOne has many users added at once, of whom all but one are a Conflict that
// leaves nothing behind.
func wantOne(t *testing.T, s *Store, user func(i int) User) {
	t.Helper()
	var added atomic.Int64
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			err := s.AddUser(t.Context(), user(i))
			if err == nil {
				added.Add(1)
			} else if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Conflict {
				t.Errorf("AddUser() = %v, want %s", err, inference.Conflict)
			}
		})
	}
	all.Wait()
	users, err := s.Users(t.Context(), "pool", "", atOnce)
	if added.Load() != 1 || len(users) != 1 || err != nil {
		t.Errorf("%d of %d were added and %d are there, %v, want one", added.Load(), atOnce, len(users), err)
	}
}

func testUpdateUser(t *testing.T, s *Store) {
	u := addUser(t, s, ann())
	bob := addUser(t, s, User{Pool: "pool", Sub: "sub-bob", Username: "bob", Aliases: []string{"bob@example.com"}})
	u.Aliases, u.Groups, u.Profile = []string{"New@example.com"}, []string{"a"}, []byte(`{}`)
	ok, err := s.UpdateUser(t.Context(), u)
	done(t, "UpdateUser()", ok, err)
	ok, err = s.UpdateUser(t.Context(), u)
	none(t, "UpdateUser() of an old version", ok, err)

	got, _, err := s.User(t.Context(), "pool", u.Sub)
	want := u
	want.Aliases, want.Version, want.Updated = []string{"new@example.com"}, 2, got.Updated
	if diff := cmp.Diff(want, got); diff != "" || err != nil || !got.Updated.After(u.Updated) {
		t.Errorf("User() after an update = %v (-want +got):\n%s", err, diff)
	}
	for name, want := range map[string]bool{"ann": true, "new@example.com": true, "ann@example.com": false} {
		if _, ok, err := s.UserNamed(t.Context(), "pool", name); ok != want || err != nil {
			t.Errorf("UserNamed(%s) after an update = %v, %v, want %v", name, ok, err, want)
		}
	}

	bob.Aliases = []string{"b", "new@example.com"}
	_, err = s.UpdateUser(t.Context(), bob)
	wantKind(t, "UpdateUser() with an alias that is taken", err, inference.Conflict)
	if got, _, err := s.UserNamed(t.Context(), "pool", "bob@example.com"); got.Version != 1 || got.Sub != bob.Sub || err != nil {
		t.Errorf("UserNamed() after a refused update = %+v, %v, want nothing changed", got, err)
	}
	_, ok, err = s.UserNamed(t.Context(), "pool", "b")
	none(t, "UserNamed() of an alias of a refused update", ok, err)
	bob.Sub = "sub-carl"
	ok, err = s.UpdateUser(t.Context(), bob)
	none(t, "UpdateUser() of none", ok, err)
}

// testUpdatesAtOnce: of many who change one version, one does, and whoever reads
// again and tries again loses nothing.
func testUpdatesAtOnce(t *testing.T, s *Store) {
	u := addUser(t, s, ann())
	var first atomic.Int64
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			ok, err := s.UpdateUser(t.Context(), u)
			if err != nil {
				t.Errorf("UpdateUser() = %v", err)
			}
			if ok {
				first.Add(1)
			}
		})
	}
	all.Wait()
	if first.Load() != 1 {
		t.Errorf("%d of %d changed one version, want one", first.Load(), atOnce)
	}
	const writers = 8
	for i := range writers {
		all.Go(func() {
			for {
				u, _, err := s.User(t.Context(), u.Pool, u.Sub)
				u.Groups = append(u.Groups, fmt.Sprint(i))
				ok, bad := s.UpdateUser(t.Context(), u)
				if err := errors.Join(err, bad); err != nil {
					t.Errorf("User(), UpdateUser() = %v", err)
				}
				if ok || t.Failed() {
					return
				}
			}
		})
	}
	all.Wait()
	if got, _, err := s.User(t.Context(), u.Pool, u.Sub); len(got.Groups) != 2+writers || got.Version != 2+writers || err != nil {
		t.Errorf("User() = %+v, %v, want the changes of all writers", got, err)
	}
}

// testSwappedAliases: users who take each other's alias at one time meet neither a
// deadlock nor an alias that both have.
func testSwappedAliases(t *testing.T, s *Store) {
	users := make([]User, 2)
	for i := range users {
		users[i] = addUser(t, s, User{Pool: "pool", Sub: fmt.Sprint(i), Username: fmt.Sprint("user ", i), Aliases: []string{fmt.Sprint(i)}})
	}
	for range 20 {
		var all sync.WaitGroup
		for i := range users {
			all.Go(func() {
				u, _, err := s.User(t.Context(), "pool", users[i].Sub)
				if err != nil {
					t.Errorf("User() = %v", err)
				}
				u.Aliases = []string{map[string]string{"0": "1", "1": "0"}[u.Aliases[0]]}
				if _, err := s.UpdateUser(t.Context(), u); err != nil {
					if e, ok := errors.AsType[*inference.Error](err); !ok || e.Kind != inference.Conflict {
						t.Errorf("UpdateUser() = %v, want %s or none", err, inference.Conflict)
					}
				}
			})
		}
		all.Wait()
		a, _, errA := s.User(t.Context(), "pool", "0")
		b, _, errB := s.User(t.Context(), "pool", "1")
		if err := errors.Join(errA, errB); err != nil || slices.Equal(a.Aliases, b.Aliases) {
			t.Fatalf("aliases = %q and %q, %v, want no two the same", a.Aliases, b.Aliases, err)
		}
	}
}

func testDeleteUser(t *testing.T, s *Store) {
	u := addUser(t, s, ann())
	addSession(t, s, session("1"))
	addSession(t, s, session("2"))
	ok, err := s.DeleteUser(t.Context(), "pool", u.Sub)
	done(t, "DeleteUser()", ok, err)
	ok, err = s.DeleteUser(t.Context(), "pool", u.Sub)
	none(t, "DeleteUser() again", ok, err)
	_, ok, err = s.UserNamed(t.Context(), "pool", "ann@example.com")
	none(t, "UserNamed() of a deleted user", ok, err)
	ids, err := s.RevokedUserSessions(t.Context(), "pool", time.Time{})
	if !slices.Equal(ids, []string{"1", "2"}) || err != nil {
		t.Errorf("RevokedUserSessions() after a deletion = %q, %v, want those of the user", ids, err)
	}
	wantKind(t, "AddUserSession() of a deleted user", s.AddUserSession(t.Context(), session("3")), inference.ResourceNotFound)
	addUser(t, s, ann()) // the names are free again
}

// testUnstorable: what one database would refuse none takes, and nobody has it as
// a name.
func testUnstorable(t *testing.T, s *Store) {
	for _, text := range []string{"a\x00b", "a\xffb"} {
		_, ok, err := s.UserNamed(t.Context(), "pool", text)
		none(t, "UserNamed() of "+fmt.Sprintf("%q", text), ok, err)
		_, ok, err = s.User(t.Context(), "pool", text)
		none(t, "User() of "+fmt.Sprintf("%q", text), ok, err)
		wantKind(t, "AddUser()", s.AddUser(t.Context(), User{Pool: "pool", Sub: "1", Username: text}), inference.Validation)
		wantKind(t, "AddUser()", s.AddUser(t.Context(), User{Pool: "pool", Sub: "1", Username: "a", Aliases: []string{text}}), inference.Validation)
		_, err = s.UpdateUser(t.Context(), User{Pool: "pool", Sub: "1", Username: "a", Groups: []string{text}})
		wantKind(t, "UpdateUser()", err, inference.Validation)
	}
}

// BenchmarkUser: what a sign-in reads and writes.
func BenchmarkUser(b *testing.B) {
	s, err := Open(b.Context(), memory, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if err := s.AddUser(b.Context(), ann()); err != nil {
		b.Fatal(err)
	}
	b.Run("named", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := s.UserNamed(b.Context(), "pool", "ann@example.com"); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("update", func(b *testing.B) {
		b.ReportAllocs()
		u, _, err := s.User(b.Context(), "pool", "sub-ann")
		for b.Loop() {
			if ok, err := s.UpdateUser(b.Context(), u); !ok || err != nil {
				b.Fatal(ok, err)
			}
			u.Version++
		}
		if err != nil {
			b.Fatal(err)
		}
	})
}
