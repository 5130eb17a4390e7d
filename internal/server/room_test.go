package server

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fairway/internal/inference"
)

func TestRoom(t *testing.T) {
	refused := 0
	r := newRoom(2, 100, func() { refused++ })
	first, err := r.Enter()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Enter(); err != nil {
		t.Fatal(err)
	}
	_, err = r.Enter()
	if e := inference.AsError(err); e.Kind != inference.Throttling || e.RetryAfter <= 0 || refused != 1 {
		t.Errorf("third Enter() error = %v, refused %d, want throttling with a time to wait", err, refused)
	}
	first()
	first() // gives back once
	if _, err := r.Enter(); err != nil {
		t.Errorf("Enter() after one left = %v", err)
	}
	if _, err := r.Enter(); err == nil {
		t.Error("leaving twice made room for two")
	}
	release, err := r.Hold(100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Hold(1); err == nil {
		t.Error("Hold(1) of a full room succeeded")
	}
	release()
	if _, err := r.Hold(101); err == nil {
		t.Error("Hold() of more than there is succeeded")
	}
}

// TestRoomIsNeverExceeded is also for the race detector.
func TestRoomIsNeverExceeded(t *testing.T) {
	r := newRoom(3, 0, func() {})
	var inside, most atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 200 {
				leave, err := r.Enter()
				if err != nil {
					continue
				}
				n := inside.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				inside.Add(-1)
				leave()
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 || r.calls.Load() != 0 {
		t.Errorf("most inside = %d, left over = %d, want at most 3 and none", most.Load(), r.calls.Load())
	}
}

// drained waits until nothing is held: a handler gives its room back after it has
// logged its call.
func drained(t *testing.T, r *room) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); r.calls.Load() != 0 || r.held.Load() != 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d calls and %d bytes are held after all have ended, want none", r.calls.Load(), r.held.Load())
		}
	}
}
