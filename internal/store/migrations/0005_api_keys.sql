ALTER TABLE access_keys ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE access_keys ADD COLUMN budget TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX access_keys_name ON access_keys (name) WHERE name <> '';

ALTER TABLE bearer_keys ADD COLUMN budget TEXT NOT NULL DEFAULT '';
ALTER TABLE bearer_keys ADD COLUMN disabled BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE bearer_keys ADD COLUMN before TEXT NOT NULL DEFAULT '';        -- hash of the key that this one replaced
ALTER TABLE bearer_keys ADD COLUMN before_until BIGINT NOT NULL DEFAULT 0; -- until when that one is good

CREATE TABLE api_keys (
    hash         TEXT PRIMARY KEY, -- SHA-256 of the key, hexadecimal
    name         TEXT NOT NULL UNIQUE,
    principal    TEXT NOT NULL,
    budget       TEXT NOT NULL,
    created      BIGINT NOT NULL,
    expires      BIGINT NOT NULL,  -- 0 is never
    disabled     BOOLEAN NOT NULL,
    before       TEXT NOT NULL,
    before_until BIGINT NOT NULL
);

CREATE TABLE changes (
    topic TEXT PRIMARY KEY,
    count BIGINT NOT NULL
);
INSERT INTO changes (topic, count) VALUES ('keys', 0);
