-- What a key is called belongs to one key of one kind.
CREATE TABLE key_names (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL -- the table of the key
);
INSERT INTO key_names (name, kind) SELECT name, 'bearer_keys' FROM bearer_keys;
INSERT INTO key_names (name, kind) SELECT name, 'api_keys' FROM api_keys WHERE TRUE ON CONFLICT DO NOTHING;
INSERT INTO key_names (name, kind) SELECT COALESCE(NULLIF(name, ''), id), 'access_keys' FROM access_keys WHERE TRUE ON CONFLICT DO NOTHING;
