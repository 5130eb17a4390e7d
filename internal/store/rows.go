package store

import "database/sql"

// row is a row to read: of one that was asked for, or of several.
type row interface{ Scan(into ...any) error }

// collect reads all rows of a query and closes them.
func collect[T any](op string, rows *sql.Rows, err error, scan func(row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, failed(op, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, failed(op, err)
		}
		all = append(all, one)
	}
	return all, failed(op, rows.Err())
}
