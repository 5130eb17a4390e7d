package store

// IsShared reports whether several servers are expected to use the database: PostgreSQL
// is one between them, SQLite a file of one.
func (s *Store) IsShared() bool { return s.dialect.name == postgres.name }
