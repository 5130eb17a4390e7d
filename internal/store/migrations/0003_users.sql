CREATE TABLE pools (
    id            TEXT PRIMARY KEY,
    region        TEXT NOT NULL UNIQUE,
    client_id     TEXT NOT NULL,
    identity_pool TEXT NOT NULL,
    created       BIGINT NOT NULL
);

CREATE TABLE users (
    pool      TEXT NOT NULL,
    sub       TEXT NOT NULL,
    username  TEXT NOT NULL,   -- as it was written
    name      TEXT NOT NULL,   -- in lower case
    aliases   TEXT NOT NULL,   -- a JSON array, sorted
    in_groups TEXT NOT NULL,   -- a JSON array
    profile   TEXT NOT NULL,   -- the user pool's own JSON
    version   BIGINT NOT NULL, -- counts changes
    created   BIGINT NOT NULL,
    updated   BIGINT NOT NULL,
    PRIMARY KEY (pool, sub),
    UNIQUE (pool, name)
);

-- Every name that finds a user: the user name and the aliases, in lower case.
CREATE TABLE user_names (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    sub  TEXT NOT NULL,
    PRIMARY KEY (pool, name),
    FOREIGN KEY (pool, sub) REFERENCES users (pool, sub) ON DELETE CASCADE
);
CREATE INDEX user_names_of ON user_names (pool, sub);

CREATE TABLE user_sessions (
    id           TEXT PRIMARY KEY,
    pool         TEXT NOT NULL,
    sub          TEXT NOT NULL,
    token        TEXT NOT NULL,   -- SHA-256 of the refresh token, hexadecimal
    before       TEXT NOT NULL,   -- of the one that it replaced
    before_until BIGINT NOT NULL, -- until when that may come once more
    replaced     BIGINT NOT NULL, -- how often the token was
    begun        BIGINT NOT NULL,
    expires      BIGINT NOT NULL,
    revoked      BIGINT NOT NULL, -- 0 is never
    auth_time    BIGINT NOT NULL
);
CREATE INDEX user_sessions_of ON user_sessions (pool, sub);
CREATE INDEX user_sessions_revoked ON user_sessions (pool, revoked);
CREATE INDEX user_sessions_expire ON user_sessions (expires);

-- The refresh tokens that a session has had, so that an old one is known when it
-- comes again.
CREATE TABLE refresh_tokens (
    hash    TEXT PRIMARY KEY,
    session TEXT NOT NULL REFERENCES user_sessions (id) ON DELETE CASCADE,
    place   BIGINT NOT NULL -- 0 is the session's first
);
CREATE INDEX refresh_tokens_of ON refresh_tokens (session, place);
