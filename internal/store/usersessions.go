package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"fairway/internal/inference"
)

// UserSession is a sign-in that lasts: refresh tokens and what became of them.
type UserSession struct {
	ID          string // origin_jti of its tokens
	Pool        string
	Sub         string
	Token       string    // SHA-256 of the refresh token, hexadecimal
	Before      string    // of the one that it replaced, empty at first
	BeforeUntil time.Time // until when that may come once more
	Begun       time.Time
	Expires     time.Time
	Revoked     time.Time // zero: it is good
	AuthTime    time.Time
}

// maxUsedTokens is how many refresh tokens of a session are known again. Whoever
// shows an older one is not known at all.
const maxUsedTokens = 1000

// revokeAll revokes every session of a user that is good.
const revokeAll = `UPDATE user_sessions SET revoked = $3 WHERE pool = $1 AND sub = $2 AND revoked = 0`

// AddUserSession keeps a new session. The error is of kind ResourceNotFound when
// the user is gone, and Conflict when the session or its token is kept already.
func (s *Store) AddUserSession(ctx context.Context, u UserSession) error {
	const op = "keep session"
	return s.transact(ctx, op, func(tx *sql.Tx) error {
		// Held until the session is kept: whoever deletes the user waits, and revokes it.
		held, err := affected(ctx, tx, `UPDATE users SET version = version WHERE pool = $1 AND sub = $2`, u.Pool, u.Sub)
		if err == nil && held == 0 {
			err = &inference.Error{Kind: inference.ResourceNotFound, Op: op, Message: op + ": the user is gone"}
		}
		if err != nil {
			return err
		}
		added, err := affected(ctx, tx, `INSERT INTO user_sessions
			(id, pool, sub, token, before, before_until, replaced, begun, expires, revoked, auth_time)
			VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			u.ID, u.Pool, u.Sub, u.Token, u.Before, millis(u.BeforeUntil), millis(u.Begun), millis(u.Expires), millis(u.Revoked), millis(u.AuthTime))
		if err == nil && added == 0 {
			err = conflict(op, "a session with this id is kept already")
		}
		if err != nil {
			return err
		}
		return keepToken(ctx, tx, op, u.ID, u.Token)
	})
}

// keepToken lets a session be found by a token that it got just now.
func keepToken(ctx context.Context, tx *sql.Tx, op, id, token string) error {
	added, err := affected(ctx, tx, `INSERT INTO refresh_tokens (hash, session, place)
		SELECT $1, id, replaced FROM user_sessions WHERE id = $2 ON CONFLICT DO NOTHING`, token, id)
	if err == nil && added == 0 {
		err = conflict(op, "this refresh token was used before")
	}
	return err
}

// UserSessionOf is the session that a token's hash belongs to, be it its Token or an
// earlier one, also when it is revoked or has expired. It reports false when there
// is none.
func (s *Store) UserSessionOf(ctx context.Context, token string) (UserSession, bool, error) {
	u, err := scanUserSession(s.read.QueryRowContext(ctx, `SELECT s.id, s.pool, s.sub, s.token, s.before, s.before_until,
		s.begun, s.expires, s.revoked, s.auth_time
		FROM refresh_tokens t JOIN user_sessions s ON s.id = t.session WHERE t.hash = $1`, token))
	if errors.Is(err, sql.ErrNoRows) {
		return UserSession{}, false, nil
	}
	return u, err == nil, failed("read session", err)
}

// ReplaceRefreshToken makes a session's token new in place of old, which may come
// once more until beforeUntil. Of several who replace one token, one does. It reports
// false when old is not the token any more, or the session is revoked or gone.
func (s *Store) ReplaceRefreshToken(ctx context.Context, id, old, new string, beforeUntil time.Time) (bool, error) {
	const op = "replace refresh token"
	var replaced int
	err := s.transact(ctx, op, func(tx *sql.Tx) (err error) {
		replaced, err = affected(ctx, tx, `UPDATE user_sessions SET token = $3, before = $2, before_until = $4, replaced = replaced + 1
			WHERE id = $1 AND token = $2 AND revoked = 0`, id, old, new, millis(beforeUntil))
		if err != nil || replaced == 0 {
			return err
		}
		if err := keepToken(ctx, tx, op, id, new); err != nil {
			return err
		}
		_, err = affected(ctx, tx, `DELETE FROM refresh_tokens WHERE session = $1
			AND place <= (SELECT replaced FROM user_sessions WHERE id = $1) - $2`, id, maxUsedTokens)
		return err
	})
	return err == nil && replaced > 0, err
}

// RevokeUserSession revokes a session as of now. It reports false when there is
// none, or it was revoked before.
func (s *Store) RevokeUserSession(ctx context.Context, id string) (bool, error) {
	return s.change(ctx, "revoke session", `UPDATE user_sessions SET revoked = $2 WHERE id = $1 AND revoked = 0`, id, millis(s.now()))
}

// RevokeUserSessions revokes every session of a user as of now, and counts them.
func (s *Store) RevokeUserSessions(ctx context.Context, pool, sub string) (int, error) {
	return s.count(ctx, "revoke sessions", revokeAll, pool, sub, millis(s.now()))
}

// RevokedUserSessions is the ids of the sessions that were revoked at since or
// later, by the clock of the server that did it: one that asks again and again asks
// for some time before its last question.
func (s *Store) RevokedUserSessions(ctx context.Context, pool string, since time.Time) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM user_sessions
		WHERE pool = $1 AND revoked >= $2 AND revoked > 0 ORDER BY revoked, id`, pool, millis(since))
	return collect("list revoked sessions", rows, err, func(r row) (id string, err error) { return id, r.Scan(&id) })
}

// DeleteUserSessions forgets the sessions that expired before then, and counts them.
func (s *Store) DeleteUserSessions(ctx context.Context, before time.Time) (int, error) {
	return s.count(ctx, "delete sessions", `DELETE FROM user_sessions WHERE expires < $1`, millis(before))
}

func scanUserSession(r row) (UserSession, error) {
	var u UserSession
	var until, begun, expires, revoked, authTime int64
	err := r.Scan(&u.ID, &u.Pool, &u.Sub, &u.Token, &u.Before, &until, &begun, &expires, &revoked, &authTime)
	u.BeforeUntil, u.Begun, u.Expires = fromMillis(until), fromMillis(begun), fromMillis(expires)
	u.Revoked, u.AuthTime = fromMillis(revoked), fromMillis(authTime)
	return u, err
}
