package budget

import (
	"context"
	"errors"
	"sync"

	"fairway/internal/inference"
)

// fakeBank is a Bank in memory that can go away.
type fakeBank struct {
	mu    sync.Mutex
	held  map[inference.Slot]map[string]int64
	takes int
	away  bool
	hangs chan struct{} // that Take waits for first, nil for nothing
}

var errGone = errors.New("the bank is away")

func newFakeBank() *fakeBank { return &fakeBank{held: map[inference.Slot]map[string]int64{}} }

func (f *fakeBank) Take(ctx context.Context, server string, slot inference.Slot, limit, want int64) (granted, taken int64, err error) {
	f.mu.Lock()
	hangs := f.hangs
	f.mu.Unlock()
	if hangs != nil {
		select {
		case <-hangs:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.takes++
	if f.away {
		return 0, 0, errGone
	}
	if f.held[slot] == nil {
		f.held[slot] = map[string]int64{}
	}
	taken = f.taken(slot)
	granted = max(0, min(want, limit-taken))
	f.held[slot][server] += granted
	return granted, taken + granted, nil
}

func (f *fakeBank) Give(_ context.Context, server string, back []inference.Charge) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return errGone
	}
	for _, c := range back {
		if held := f.held[c.Slot]; held != nil {
			held[server] = max(0, held[server]-c.Amount)
		}
	}
	return nil
}

func (f *fakeBank) taken(slot inference.Slot) int64 {
	var sum int64
	for _, held := range f.held[slot] {
		sum += held
	}
	return sum
}

// total is what is held of all slots of a measure.
func (f *fakeBank) total(m inference.Measure) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	var sum int64
	for slot := range f.held {
		if slot.Measure == m {
			sum += f.taken(slot)
		}
	}
	return sum
}

func (f *fakeBank) goes(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = away
}
