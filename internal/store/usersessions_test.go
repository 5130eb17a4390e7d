package store

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// session is one of Ann's, whose token has the hash "token ID".
func session(id string) UserSession {
	return UserSession{
		ID: id, Pool: "pool", Sub: "sub-ann", Token: "token " + id,
		Begun: began, Expires: began.Add(time.Hour), AuthTime: began.Add(time.Second),
	}
}

func addSession(t *testing.T, s *Store, u UserSession) {
	t.Helper()
	if err := s.AddUserSession(t.Context(), u); err != nil {
		t.Fatalf("AddUserSession(%s) = %v", u.ID, err)
	}
}

func wantSession(t *testing.T, s *Store, token string, want UserSession) {
	t.Helper()
	got, ok, err := s.UserSessionOf(t.Context(), token)
	if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
		t.Errorf("UserSessionOf(%s) = %v, %v (-want +got):\n%s", token, ok, err, diff)
	}
}

func testSessions(t *testing.T, s *Store) {
	wantKind(t, "AddUserSession() of nobody", s.AddUserSession(t.Context(), session("1")), inference.ResourceNotFound)
	addUser(t, s, ann())
	addSession(t, s, session("1"))
	wantKind(t, "AddUserSession() again", s.AddUserSession(t.Context(), session("1")), inference.Conflict)
	same := session("2")
	same.Token = "token 1"
	wantKind(t, "AddUserSession() with a token that is kept", s.AddUserSession(t.Context(), same), inference.Conflict)
	wantSession(t, s, "token 1", session("1"))
	_, ok, err := s.UserSessionOf(t.Context(), "token 2")
	none(t, "UserSessionOf() of none", ok, err)
	if u, _, err := s.User(t.Context(), "pool", "sub-ann"); u.Version != 1 || err != nil {
		t.Errorf("User() after a sign-in = version %d, %v, want it unchanged", u.Version, err)
	}

	late := session("late")
	late.Expires = began.Add(2 * time.Hour)
	addSession(t, s, late)
	if n, err := s.DeleteUserSessions(t.Context(), began.Add(2*time.Hour)); n != 1 || err != nil {
		t.Errorf("DeleteUserSessions() = %d, %v, want the one that expired before", n, err)
	}
	_, ok, err = s.UserSessionOf(t.Context(), "token 1")
	none(t, "UserSessionOf() of a deleted one", ok, err)
	wantSession(t, s, "token late", late)
}

// testRefreshTokens: every token that a session had finds it.
func testRefreshTokens(t *testing.T, s *Store) {
	addUser(t, s, ann())
	addSession(t, s, session("1"))
	until := began.Add(time.Minute)
	ok, err := s.ReplaceRefreshToken(t.Context(), "1", "token 1", "b", until)
	done(t, "ReplaceRefreshToken()", ok, err)
	ok, err = s.ReplaceRefreshToken(t.Context(), "1", "b", "c", until.Add(1))
	done(t, "ReplaceRefreshToken()", ok, err)
	want := session("1")
	want.Token, want.Before, want.BeforeUntil = "c", "b", until
	for _, token := range []string{"token 1", "b", "c"} {
		wantSession(t, s, token, want)
	}
	for _, old := range []string{"token 1", "b", "unknown"} {
		ok, err := s.ReplaceRefreshToken(t.Context(), "1", old, "d", until)
		none(t, "ReplaceRefreshToken() of "+old, ok, err)
	}
	_, err = s.ReplaceRefreshToken(t.Context(), "1", "c", "b", until)
	wantKind(t, "ReplaceRefreshToken() by one that was used", err, inference.Conflict)
	wantSession(t, s, "b", want)

	ok, err = s.RevokeUserSession(t.Context(), "1")
	done(t, "RevokeUserSession()", ok, err)
	ok, err = s.ReplaceRefreshToken(t.Context(), "1", "c", "d", until)
	none(t, "ReplaceRefreshToken() of a revoked session", ok, err)
	ok, err = s.ReplaceRefreshToken(t.Context(), "2", "c", "d", until)
	none(t, "ReplaceRefreshToken() of no session", ok, err)
}

// testOneRefreshTokenAtOnce: of many who replace one token, one does.
func testOneRefreshTokenAtOnce(t *testing.T, s *Store) {
	addUser(t, s, ann())
	addSession(t, s, session("1"))
	var replaced atomic.Int64
	var by atomic.Value
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			token := fmt.Sprint("new ", i)
			ok, err := s.ReplaceRefreshToken(t.Context(), "1", "token 1", token, began)
			if err != nil {
				t.Errorf("ReplaceRefreshToken() = %v", err)
			}
			if ok {
				replaced.Add(1)
				by.Store(token)
			}
		})
	}
	all.Wait()
	got, _, err := s.UserSessionOf(t.Context(), "token 1")
	if replaced.Load() != 1 || got.Token != by.Load() || got.Before != "token 1" || err != nil {
		t.Errorf("%d of %d replaced one token, by %v, and it is %+v, %v, want one", replaced.Load(), atOnce, by.Load(), got, err)
	}
}

func testRevokedSessions(t *testing.T, s *Store) {
	addUser(t, s, ann())
	addUser(t, s, User{Pool: "pool", Sub: "sub-bob", Username: "bob"})
	at := began
	s.now = func() time.Time { return at }
	for _, id := range []string{"1", "2", "3"} {
		addSession(t, s, session(id))
	}
	bobs := session("4")
	bobs.Sub = "sub-bob"
	addSession(t, s, bobs)

	ok, err := s.RevokeUserSession(t.Context(), "2")
	done(t, "RevokeUserSession()", ok, err)
	at = began.Add(time.Minute)
	ok, err = s.RevokeUserSession(t.Context(), "2")
	none(t, "RevokeUserSession() again", ok, err)
	ok, err = s.RevokeUserSession(t.Context(), "9")
	none(t, "RevokeUserSession() of none", ok, err)
	if n, err := s.RevokeUserSessions(t.Context(), "pool", "sub-ann"); n != 2 || err != nil {
		t.Errorf("RevokeUserSessions() = %d, %v, want the two that were good", n, err)
	}
	revoked := session("2")
	revoked.Revoked = began
	wantSession(t, s, "token 2", revoked)
	wantSession(t, s, "token 4", bobs)
	for _, test := range []struct {
		pool  string
		since time.Time
		want  []string
	}{
		{"pool", time.Time{}, []string{"2", "1", "3"}},
		{"pool", began, []string{"2", "1", "3"}},
		{"pool", began.Add(time.Millisecond), []string{"1", "3"}},
		{"pool", at, []string{"1", "3"}},
		{"pool", at.Add(time.Millisecond), nil},
		{"other", began, nil},
	} {
		if got, err := s.RevokedUserSessions(t.Context(), test.pool, test.since); !slices.Equal(got, test.want) || err != nil {
			t.Errorf("RevokedUserSessions(%s, %s) = %q, %v, want %q", test.pool, test.since, got, err, test.want)
		}
	}
}

// testManyRefreshTokens: what is known of a session's old tokens has a bound.
func testManyRefreshTokens(t *testing.T, s *Store) {
	addUser(t, s, ann())
	addSession(t, s, session("1"))
	addSession(t, s, session("2"))
	if _, err := s.write.ExecContext(t.Context(), `UPDATE user_sessions SET replaced = $1 WHERE id = '1'`, maxUsedTokens-1); err != nil {
		t.Fatal(err)
	}
	ok, err := s.ReplaceRefreshToken(t.Context(), "1", "token 1", "b", began)
	done(t, "ReplaceRefreshToken()", ok, err)
	_, ok, err = s.UserSessionOf(t.Context(), "token 1")
	none(t, "UserSessionOf() of a token too long ago", ok, err)
	ok, err = s.ReplaceRefreshToken(t.Context(), "1", "b", "c", began)
	done(t, "ReplaceRefreshToken()", ok, err)
	for token, id := range map[string]string{"b": "1", "c": "1", "token 2": "2"} {
		if got, ok, err := s.UserSessionOf(t.Context(), token); got.ID != id || !ok || err != nil {
			t.Errorf("UserSessionOf(%s) = %+v, %v, %v, want session %s", token, got, ok, err, id)
		}
	}
}
