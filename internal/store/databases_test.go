package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// cluster is the private PostgreSQL of this test run, started when it is first
// asked for.
var cluster postgresCluster

func TestMain(m *testing.M) {
	code := m.Run()
	cluster.stop()
	os.Exit(code)
}

// A database is one that the conformance kit runs on; fresh makes the dsn of an
// empty one.
type database struct {
	name  string
	fresh func(t testing.TB) string
}

var databases = []database{
	{"sqlite", func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "a store?#%.db") }},
	{"memory", func(testing.TB) string { return memory }},
	{"postgres", freshPostgres},
}

var schemas atomic.Int64

// freshPostgres skips the test where no PostgreSQL can be started, and says why.
func freshPostgres(t testing.TB) string {
	dsn, err := cluster.start()
	if err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatalf("no PostgreSQL: %v", err)
		}
		t.Skipf("no PostgreSQL: %v", err)
	}
	_, db, err := openPostgres(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	schema := fmt.Sprintf("test_%d", schemas.Add(1))
	if _, err := db.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	return dsn + "&search_path=" + schema
}

// clock goes on by one second at each reading.
type clock struct{ seconds atomic.Int64 }

var began = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func (c *clock) now() time.Time { return began.Add(time.Duration(c.seconds.Add(1)) * time.Second) }

var master = []byte("0123456789abcdef0123456789abcdef")

func open(t *testing.T, dsn string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dsn, Options{MasterKey: master, Now: new(clock).now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return s
}

// canceled is a context of a caller who went away.
func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
