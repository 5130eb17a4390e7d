package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"sync"
)

// many is a statement that takes several rows at once: its head, the rows as SQL with
// a question mark for each value, divided by commas, and its tail.
type many struct {
	head, row, tail string
}

// manySizes are how many rows one statement takes, so that few statements are prepared
// and a batch of any size needs few of them.
var manySizes = []int{128, 32, 8, 1}

// width is how many values a row has.
func (m *many) width() int { return strings.Count(m.row, "?") }

// text is the statement for so many rows. SQLite finds numbered parameters by a search,
// which costs more than all else where there are thousands.
func (m *many) text(rows int, numbered bool) string {
	var b strings.Builder
	b.WriteString(m.head)
	at := 0
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		for _, c := range m.row {
			if c != '?' || !numbered {
				b.WriteRune(c)
				continue
			}
			at++
			b.WriteString("$" + strconv.Itoa(at))
		}
	}
	b.WriteString(m.tail)
	return b.String()
}

// sized is one of the texts of a statement.
type sized struct {
	of   *many
	rows int
}

// prepared are statements that were prepared once, for all connections. They end with
// the database.
type prepared struct {
	mutex sync.Mutex
	all   map[sized]*sql.Stmt
}

// of is the statements in all their sizes. It must not be asked for in a transaction:
// SQLite's one connection is taken then.
func (p *prepared) of(ctx context.Context, db *sql.DB, d dialect, statements []*many) (map[sized]*sql.Stmt, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.all != nil {
		return p.all, nil
	}
	all := map[sized]*sql.Stmt{}
	for _, m := range statements {
		for _, rows := range manySizes {
			stmt, err := db.PrepareContext(ctx, m.text(rows, d.numbered))
			if err != nil {
				for _, done := range all {
					done.Close()
				}
				return nil, err
			}
			all[sized{m, rows}] = stmt
		}
	}
	p.all = all
	return all, nil
}

// batch is a transaction that puts many rows.
type batch struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[sized]*sql.Stmt
}

// put runs a statement for all rows, whose values follow one another, and counts the
// rows that it changed.
func (b *batch) put(m *many, values []any) (int, error) {
	changed, width := 0, m.width()
	for _, rows := range manySizes {
		if len(values) < rows*width {
			continue
		}
		stmt := b.tx.StmtContext(b.ctx, b.prepared[sized{m, rows}])
		for ; len(values) >= rows*width; values = values[rows*width:] {
			result, err := stmt.ExecContext(b.ctx, values[:rows*width]...)
			if err != nil {
				return changed, err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return changed, err
			}
			changed += int(n)
		}
	}
	return changed, nil
}
