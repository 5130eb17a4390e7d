package tokens

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fairway/internal/inference"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fakeShelf keeps rows as the store does.
type fakeShelf struct {
	rows map[[2]string]inference.Calibration
	fail error
}

func newFakeShelf() *fakeShelf {
	return &fakeShelf{rows: map[[2]string]inference.Calibration{}}
}

func (s *fakeShelf) Calibrations(context.Context) (all []inference.Calibration, err error) {
	for _, row := range s.rows {
		all = append(all, row)
	}
	return all, s.fail
}

func (s *fakeShelf) AddCalibrations(_ context.Context, deltas []inference.Calibration, decay float64) error {
	if s.fail != nil {
		return s.fail
	}
	for _, d := range deltas {
		old := s.rows[[2]string{d.Model, d.Script}]
		d.Samples += old.Samples * decay
		d.Sum += old.Sum * decay
		d.Squares += old.Squares * decay
		s.rows[[2]string{d.Model, d.Script}] = d
	}
	return nil
}

// lessons has a model answer n calls of 1,000 tokens with factor as many, give or take.
func lessons(e *Estimator, n int, factor float64) {
	random := rand.New(rand.NewPCG(1, 2))
	for range n {
		real := 1_000 * factor * math.Exp(0.05*random.NormFloat64())
		e.Calibrate(sonnet, Reading{Text: 1_000, Script: Latin}, int(real))
	}
}

func TestCalibrate(t *testing.T) {
	e := NewEstimator()
	asked := Reading{Text: 10_000, Script: Latin}
	before := e.Quick(sonnet, asked)
	lessons(e, 4, 1.3)
	few := e.Quick(sonnet, asked)
	lessons(e, 200, 1.3)
	after := e.Quick(sonnet, asked)

	if few.Tokens <= before.Tokens || few.Tokens >= after.Tokens || few.Basis != Estimated {
		t.Errorf("after a few answers Quick = %+v, want between %+v and %+v, still estimated", few, before, after)
	}
	if after.Tokens < 12_700 || after.Tokens > 13_300 || after.Basis != Calibrated {
		t.Errorf("after many answers Quick = %+v, want about 13000, calibrated", after)
	}
	if after.High-after.Low >= before.High-before.Low {
		t.Errorf("the interval of %+v is not narrower than that of %+v", after, before)
	}
	if got := e.Quick(sonnet, Reading{Text: 10_000, Script: Thai}); got.Basis != Estimated {
		t.Errorf("Quick(another script) = %+v, want it as it was", got)
	}
	if got := e.Quick("anthropic.claude-sonnet-4-6", asked); got != before {
		t.Errorf("Quick(another model) = %+v, want %+v", got, before)
	}
}

// TestRecovers: a model that counts otherwise from one day on is followed.
func TestRecovers(t *testing.T) {
	e := NewEstimator()
	lessons(e, 2_000, 1.1)
	lessons(e, 3_000, 1.6)
	if got := e.Quick(sonnet, Reading{Text: 10_000, Script: Latin}).Tokens; got < 15_000 || got > 16_500 {
		t.Errorf("after the change Quick = %d, want about 16000", got)
	}
}

func TestNoLesson(t *testing.T) {
	for name, c := range map[string]struct {
		reading Reading
		real    int
	}{
		"short":               {Reading{Text: shortestLesson - 1}, 300},
		"an image":            {Reading{Text: 1_000, Frame: 1_600}, 2_600},
		"no usage":            {Reading{Text: 1_000}, 0},
		"less than the frame": {Reading{Text: 1_000, Frame: 250}, 200},
	} {
		e := NewEstimator()
		e.Calibrate(sonnet, c.reading, c.real)
		if got := e.Corrections(); len(got) > 0 {
			t.Errorf("%s: Corrections() = %+v, want nothing learned", name, got)
		}
	}
}

// TestFurthest: no answers move an estimate by more than a factor of three, and outliers
// among good ones hardly move it at all.
func TestFurthest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := NewEstimator()
		asked := Reading{Text: 10_000, Script: Latin}
		before := float64(e.Quick(sonnet, asked).Tokens)
		for range rapid.IntRange(1, 300).Draw(t, "answers") {
			e.Calibrate(sonnet, Reading{Text: rapid.IntRange(100, 1<<20).Draw(t, "text"), Script: Latin}, rapid.IntRange(1, 1<<30).Draw(t, "real"))
		}
		if moved := float64(e.Quick(sonnet, asked).Tokens) / before; moved > 3.01 || moved < 1/3.01 {
			t.Fatalf("the estimate moved by a factor of %.2f, want 3 at most", moved)
		}
	})
	e := NewEstimator()
	lessons(e, 200, 1)
	e.Calibrate(sonnet, Reading{Text: 1_000, Script: Latin}, 1_000_000)
	if got := e.Quick(sonnet, Reading{Text: 10_000, Script: Latin}).Tokens; got > 10_100 {
		t.Errorf("after an outlier Quick = %d, want about 10000", got)
	}
}

// TestFurtherThanThat: a model that is further off than estimates may be moved has it in
// its interval.
func TestFurtherThanThat(t *testing.T) {
	e := NewEstimator()
	lessons(e, 300, 4)
	if got := e.Quick(sonnet, Reading{Text: 10_000, Script: Latin}); got.Tokens > 30_500 || got.High < 40_000 {
		t.Errorf("Quick = %+v, want 3 times at most, and 4 times within the interval", got)
	}
}

func TestCorrections(t *testing.T) {
	e := NewEstimator()
	e.Quick(stranger, Reading{Text: 10})
	lessons(e, 300, 1.2)
	got := e.Corrections()
	if len(got) != 1 || got[0].Model != sonnet || got[0].Script != "latin" || got[0].Samples != 300 {
		t.Fatalf("Corrections() = %+v, want 300 samples of %s", got, sonnet)
	}
	if s := got[0]; math.Abs(s.Factor-1.2) > 0.02 || s.Error < 0.05 || s.Error > 0.15 {
		t.Errorf("Corrections() = %+v, want a factor of 1.2, an error of about 0.1", s)
	}
}

func TestShelf(t *testing.T) {
	shelf, first := newFakeShelf(), NewEstimator()
	lessons(first, 100, 1.4)
	if err := first.Flush(t.Context(), shelf, noon); err != nil {
		t.Fatal(err)
	}
	second := NewEstimator()
	if err := second.Load(t.Context(), shelf); err != nil {
		t.Fatal(err)
	}
	asked := Reading{Text: 10_000, Script: Latin}
	if got, want := second.Quick(sonnet, asked), first.Quick(sonnet, asked); got != want {
		t.Errorf("after Load Quick = %+v, want %+v", got, want)
	}
	lessons(second, 100, 1.4)
	if err := errors.Join(second.Flush(t.Context(), shelf, noon), first.Load(t.Context(), shelf)); err != nil {
		t.Fatal(err)
	}
	if got, want := first.Corrections()[0].Samples, 100*decay+100; got != want {
		t.Errorf("both together have %v samples, want %v", got, want)
	}
	if err := first.Flush(t.Context(), &fakeShelf{fail: errors.New("away")}, noon); err != nil {
		t.Errorf("Flush of nothing = %v, want no error", err)
	}
}

// TestShelfAway: what could not be stored is stored the next time.
func TestShelfAway(t *testing.T) {
	shelf, e := newFakeShelf(), NewEstimator()
	shelf.fail = errors.New("away")
	lessons(e, 50, 1.4)
	want := e.Quick(sonnet, Reading{Text: 10_000, Script: Latin})
	if err := e.Flush(t.Context(), shelf, noon); !errors.Is(err, shelf.fail) {
		t.Fatalf("Flush = %v, want %v", err, shelf.fail)
	}
	if err := e.Load(t.Context(), shelf); !errors.Is(err, shelf.fail) {
		t.Fatalf("Load = %v, want %v", err, shelf.fail)
	}
	shelf.fail = nil
	if err := e.Flush(t.Context(), shelf, noon); err != nil {
		t.Fatal(err)
	}
	if got := shelf.rows[[2]string{string(sonnet), "latin"}]; got.Samples != 50 || got.Updated != noon {
		t.Errorf("the row is %+v, want 50 samples", got)
	}
	if got := e.Quick(sonnet, Reading{Text: 10_000, Script: Latin}); got != want {
		t.Errorf("Quick = %+v, want %+v as before", got, want)
	}
}

func TestLoadPassesOver(t *testing.T) {
	shelf := newFakeShelf()
	rows := []inference.Calibration{
		{Model: "a", Script: "runes", Samples: 10},
		{Model: "b", Script: "latin", Samples: math.NaN()},
		{Model: "c", Script: "latin", Samples: -1},
		{Model: "d", Script: "latin", Samples: math.Inf(1)},
		{Model: "e", Script: "latin", Samples: 10, Sum: 1e9, Squares: 1e9},
		{Model: "f", Script: "latin", Samples: 10, Sum: 1, Squares: math.NaN()},
		{Model: "good", Script: "latin", Samples: 10, Sum: 1, Squares: 0.2},
	}
	for _, row := range rows {
		shelf.rows[[2]string{row.Model, row.Script}] = row
	}
	e := NewEstimator()
	if err := e.Load(t.Context(), shelf); err != nil {
		t.Fatal(err)
	}
	var got []inference.ModelID
	for _, s := range e.Corrections() {
		got = append(got, s.Model)
	}
	if !slices.Equal(got, []inference.ModelID{"good"}) {
		t.Errorf("models of Corrections() = %q, want that of the good row alone", got)
	}
}
