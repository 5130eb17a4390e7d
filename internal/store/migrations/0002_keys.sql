CREATE TABLE access_keys (
    id        TEXT PRIMARY KEY,
    sealed    TEXT NOT NULL,   -- the secret, sealed with the server's master key
    principal TEXT NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL, -- 0 is never
    disabled  BOOLEAN NOT NULL
);

CREATE TABLE bearer_keys (
    hash      TEXT PRIMARY KEY, -- SHA-256 of the key, hexadecimal
    name      TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL,
    created   BIGINT NOT NULL,
    expires   BIGINT NOT NULL
);
