CREATE TABLE signing_keys (
    id      TEXT PRIMARY KEY,
    pool    TEXT NOT NULL,
    sealed  TEXT NOT NULL,   -- PKCS #8, as Protect gives it
    created BIGINT NOT NULL,
    retired BIGINT NOT NULL  -- 0 is never
);
CREATE INDEX signing_keys_of ON signing_keys (pool, created);

CREATE TABLE secrets (
    name   TEXT PRIMARY KEY,
    sealed TEXT NOT NULL
);
