package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"fairway/internal/inference"
)

// maxTurns bounds how often a transaction is begun.
const maxTurns = 5

// transact runs do in a transaction, which its error undoes. One that PostgreSQL
// ended because another stood in its way, and it in the other's, runs again.
func (s *Store) transact(ctx context.Context, op string, do func(*sql.Tx) error) error {
	var err error
	for range maxTurns {
		if err = s.once(ctx, do); !deadlocked(err) {
			break
		}
	}
	return failed(op, err)
}

func (s *Store) once(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// deadlocked reports PostgreSQL's deadlock_detected (PostgreSQL documentation,
// Appendix A).
func deadlocked(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "40P01"
}

// affected runs a statement of a transaction and counts the rows that it changed.
func affected(ctx context.Context, tx *sql.Tx, statement string, args ...any) (int, error) {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// conflict is the error of what is there already.
func conflict(op, message string) error {
	return &inference.Error{Kind: inference.Conflict, Op: op, Message: op + ": " + message}
}
