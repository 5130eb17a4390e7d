CREATE TABLE application_profiles (
    arn         TEXT PRIMARY KEY,
    id          TEXT NOT NULL,
    account     TEXT NOT NULL,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    copied_from TEXT NOT NULL,
    token       TEXT,            -- the caller's clientRequestToken; NULL when none came
    tags        TEXT NOT NULL,   -- a JSON object with sorted keys
    created     BIGINT NOT NULL, -- times are Unix milliseconds
    updated     BIGINT NOT NULL,
    UNIQUE (account, region, name),
    UNIQUE (account, region, token)
);
