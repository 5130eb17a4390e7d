package keyring

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/inference"
	"fairway/internal/store"
)

var began = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// ring is a Ring whose clock stands still and which counts changes.
type ring struct {
	*Ring
	now     time.Time
	changes atomic.Int32
}

func newRing(t *testing.T, master []byte) *ring {
	t.Helper()
	kept, err := store.Open(t.Context(), "", store.Options{MasterKey: master})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	r := &ring{now: began}
	r.Ring = &Ring{
		Store: kept, Now: func() time.Time { return r.now },
		Principal: func(name string) bool { return name == "checkout" },
		Budgets:   func() []string { return []string{"team", "trial"} },
		Changed:   func(context.Context) { r.changes.Add(1) },
	}
	return r
}

func (r *ring) create(t *testing.T, o Order) Key {
	t.Helper()
	k, err := r.Create(t.Context(), o)
	if err != nil {
		t.Fatalf("Create(%+v) = %v", o, err)
	}
	return k
}

// listed is the one key of a name as the list has it.
func (r *ring) listed(t *testing.T, name string) Key {
	t.Helper()
	k, err := r.named(t.Context(), "test", name)
	if err != nil {
		t.Fatal(err)
	}
	if k.Key+k.Secret != "" {
		t.Errorf("List() has what %q is made of", name)
	}
	return k
}

func wantKind(t *testing.T, what string, err error, want inference.Kind) {
	t.Helper()
	if err == nil || inference.AsError(err).Kind != want {
		t.Errorf("%s = %v, want %s", what, err, want)
	}
}

func until(k *time.Time) time.Duration {
	if k == nil {
		return 0
	}
	return k.Sub(began)
}

const day = 24 * time.Hour

func TestLives(t *testing.T) {
	r := newRing(t, make([]byte, 32))
	for _, kind := range Kinds() {
		for _, c := range []struct {
			name string
			life *time.Duration
			want time.Duration
		}{{"default", nil, 30 * day}, {"never", new(time.Duration), 0}, {"hour", new(time.Hour), time.Hour}} {
			name := string(kind) + "-" + c.name
			made := r.create(t, Order{Kind: kind, Name: name, Principal: "checkout", Budget: "team", Life: c.life})
			kept := r.listed(t, name)
			if made.Key+made.Secret == "" || until(made.Expires) != c.want || until(kept.Expires) != c.want || kept.Budget != "team" {
				t.Errorf("Create(%s) = %+v, kept %+v, want it over after %v", name, made, kept, c.want)
			}
		}
	}
	if got := r.changes.Load(); got != 9 {
		t.Errorf("told of %d changes, want 9", got)
	}
}

func TestRotate(t *testing.T) {
	for _, kind := range []Kind{Bearer, API} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRing(t, nil)
			for _, c := range []struct {
				name                string
				old, life, overlap  *time.Duration
				after               time.Duration // rotated that long after it was made
				wantLife, wantUntil time.Duration
			}{
				{"as-before", new(90 * day), nil, nil, 10 * day, 90 * day, day},
				{"never", new(time.Duration), nil, nil, day, 0, day},
				{"told", new(90 * day), new(day), new(time.Hour), 10 * day, day, time.Hour},
				{"at-once", nil, nil, new(time.Duration), day, 30 * day, 0},
				{"soon-over", new(2 * day), nil, nil, 36 * time.Hour, 2 * day, 12 * time.Hour},
				{"to-never", new(day), new(time.Duration), nil, time.Hour, 0, 23 * time.Hour},
			} {
				r.now = began
				first := r.create(t, Order{Kind: kind, Name: c.name, Principal: "checkout", Life: c.old})
				r.now = began.Add(c.after)
				second, err := r.Rotate(t.Context(), c.name, c.life, c.overlap)
				if err != nil || second.Key == "" || second.Key == first.Key {
					t.Fatalf("Rotate(%s) = %+v, %v, want another key", c.name, second, err)
				}
				want := c.wantLife
				if want > 0 {
					want += c.after
				}
				for _, k := range []Key{second, r.listed(t, c.name)} {
					if until(k.Expires) != want || until(k.BeforeUntil) != c.after+c.wantUntil {
						t.Errorf("Rotate(%s) = %+v, want it over after %v and the one before after %v", c.name, k, want, c.after+c.wantUntil)
					}
				}
			}
			// Each goes on with the life of the one before it.
			r.now = began
			r.create(t, Order{Kind: kind, Name: "often", Principal: "checkout", Life: new(3 * day)})
			for range 3 {
				r.now = r.now.Add(day)
				if k, err := r.Rotate(t.Context(), "often", nil, nil); err != nil || k.Expires.Sub(r.now) != 3*day {
					t.Errorf("Rotate() again = %+v, %v, want three days", k, err)
				}
			}
		})
	}
}

func TestRotateRefuses(t *testing.T) {
	r := newRing(t, make([]byte, 32))
	r.create(t, Order{Kind: Access, Name: "a", Principal: "checkout"})
	r.create(t, Order{Kind: Bearer, Name: "b", Principal: "checkout"})
	if err := r.Expire(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	rotate := func(name string, life, overlap *time.Duration) error {
		_, err := r.Rotate(t.Context(), name, life, overlap)
		return err
	}
	wantKind(t, "Rotate() of an access key", rotate("a", nil, nil), inference.Validation)
	wantKind(t, "Rotate() of none", rotate("c", nil, nil), inference.ResourceNotFound)
	wantKind(t, "Rotate() for too long", rotate("b", new(maxLife+1), nil), inference.Validation)
	wantKind(t, "Rotate() with a negative overlap", rotate("b", nil, new(-time.Second)), inference.Validation)
	wantKind(t, "Rotate() of one that is over, for as long as it was made for", rotate("b", nil, nil), inference.Validation)
	if err := rotate("b", new(day), nil); err != nil {
		t.Errorf("Rotate() of one that is over, for a day = %v", err)
	}
}

func TestExpireAndDelete(t *testing.T) {
	r := newRing(t, make([]byte, 32))
	for _, kind := range Kinds() {
		name := string(kind)
		r.create(t, Order{Kind: kind, Name: name, Principal: "checkout"})
		r.now = r.now.Add(time.Minute)
		if err := r.Expire(t.Context(), name); err != nil {
			t.Errorf("Expire(%s) = %v", name, err)
		}
		if k := r.listed(t, name); k.Expires == nil || !k.Expires.Equal(r.now) {
			t.Errorf("Expire(%s) leaves %+v, want it over now", name, k)
		}
		if err := r.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%s) = %v", name, err)
		}
		wantKind(t, "Delete() again", r.Delete(t.Context(), name), inference.ResourceNotFound)
		wantKind(t, "Expire() of none", r.Expire(t.Context(), name), inference.ResourceNotFound)
		r.create(t, Order{Kind: Bearer, Name: name, Principal: "checkout"}) // the name is free
	}
	if got := r.changes.Load(); got != 12 {
		t.Errorf("told of %d changes, want 12", got)
	}
}

func TestCreateRefuses(t *testing.T) {
	r := newRing(t, nil)
	for _, c := range []struct {
		want string
		o    Order
	}{
		{"no principal \"nobody\"", Order{Kind: Bearer, Name: "k", Principal: "nobody"}},
		{"no principal \"nobody\"", Order{Kind: API, Name: "k", Principal: "nobody"}},
		{"name the principal", Order{Kind: Bearer, Name: "k"}},
		{"want the kind", Order{Kind: "cookie", Name: "k", Principal: "checkout"}},
		{"want a name", Order{Kind: Bearer, Name: "a b", Principal: "checkout"}},
		{"want a name", Order{Kind: Bearer, Name: strings.Repeat("k", 65), Principal: "checkout"}},
		{`no budget is called "nosuch": the configuration has team, trial`, Order{Kind: Bearer, Name: "k", Principal: "checkout", Budget: "nosuch"}},
		{"hundred years", Order{Kind: Bearer, Name: "k", Principal: "checkout", Life: new(-time.Second)}},
		{"hundred years", Order{Kind: Bearer, Name: "k", Principal: "checkout", Life: new(maxLife + 1)}},
		{"there is no master key: set master_key", Order{Kind: Access, Name: "k", Principal: "checkout"}},
	} {
		_, err := r.Create(t.Context(), c.o)
		wantKind(t, "Create()", err, inference.Validation)
		if err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("Create(%+v) = %v, want %q in it", c.o, err, c.want)
		}
	}
	if got := r.changes.Load(); got != 0 {
		t.Errorf("told of %d changes, want none", got)
	}
	r.create(t, Order{Kind: API, Name: "k"})
	r.Budgets = func() []string { return nil }
	if _, err := r.Create(t.Context(), Order{Kind: API, Name: "l", Budget: "team"}); err == nil || !strings.Contains(err.Error(), "has none") {
		t.Errorf("Create() with a budget where there are none = %v, want that said", err)
	}
}

// TestOneNameAtOnce: many that take one name for keys of every kind get one key.
func TestOneNameAtOnce(t *testing.T) {
	r := newRing(t, make([]byte, 32))
	var made atomic.Int32
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			_, err := r.Create(t.Context(), Order{Kind: Kinds()[i%3], Name: "one", Principal: "checkout"})
			if err == nil {
				made.Add(1)
			} else {
				wantKind(t, "Create() with a name that is taken", err, inference.Conflict)
			}
		})
	}
	all.Wait()
	if keys, err := r.List(t.Context()); made.Load() != 1 || len(keys) != 1 || err != nil {
		t.Errorf("%d were made and List() = %v, %v, want one", made.Load(), keys, err)
	}
}
