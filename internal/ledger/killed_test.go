package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"fairway/internal/inference"
	"fairway/internal/store"
)

// victim names the folder and the life of the process that TestKilled kills.
const victim = "LEDGER_TEST_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		if err := liveOn(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// flaky is a database that is away for every other few commits.
type flaky struct {
	*store.Store
	keeps atomic.Int64
}

func (f *flaky) Keep(ctx context.Context, server string, entries []inference.Entry) error {
	if f.keeps.Add(1)/8%2 == 1 {
		return errors.New("away")
	}
	return f.Store.Keep(ctx, server, entries)
}

func openBoth(ctx context.Context, dir string) (*store.Store, *Ledger, error) {
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "store.db"), store.Options{})
	if err != nil {
		return nil, nil, err
	}
	l, err := Open(ctx, Config{Store: &flaky{Store: s}, Dir: filepath.Join(dir, "journal")})
	return s, l, err
}

// liveOn makes calls until the process is killed, and says of each when it is intended.
func liveOn(dir string) error {
	ctx := context.Background()
	_, l, err := openBoth(ctx, dir)
	if err != nil {
		return err
	}
	var number atomic.Int64
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			for {
				id := fmt.Sprintf("%d-%d", os.Getpid(), number.Add(1))
				r := record(id)
				r.Time = time.Now()
				if err := l.Intend(ctx, r); err != nil {
					return err
				}
				fmt.Println(id) // one write
				end := settled(id, 1)
				end.Time = r.Time
				if err := l.Put(ctx, end); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// TestKilled kills a process again and again while its store comes and goes: each call
// that was intended has one record, settled or unknown.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	intended := map[string]int{} // how many records each has
	for _, calls := range []int{1, 40, 400, 90} {
		for _, id := range killedAfter(t, dir, calls) {
			intended[id] = 0
		}
	}
	s, l, err := openBoth(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	shut(t, l)
	outcomes := map[inference.Outcome]int{}
	if err := s.Records(t.Context(), time.Time{}, time.Time{}, nil, func(r *inference.Record) error {
		intended[r.ID]++
		outcomes[r.Outcome]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, n := range intended {
		if n != 1 {
			t.Errorf("call %s has %d records, want one", id, n)
		}
	}
	if outcomes[inference.OK] == 0 || len(outcomes) > 2 {
		t.Errorf("outcomes = %v, want ok and unknown", outcomes)
	}
	t.Logf("outcomes: %v", outcomes)
}

// killedAfter starts a process over dir, kills it when it has intended so many calls,
// and gives all of which it said so.
func killedAfter(t *testing.T, dir string, calls int) (intended []string) {
	t.Helper()
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), victim+"="+dir)
	process.Stderr = os.Stderr
	said, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if intended = append(intended, lines.Text()); len(intended) == calls {
			if err := process.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := process.Wait(); err == nil || len(intended) < calls {
		t.Fatalf("the process ended by itself after %d calls", len(intended))
	}
	return intended
}
