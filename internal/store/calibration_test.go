package store

import (
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func testCalibrations(t *testing.T, s *Store) {
	add := func(decay float64, learned ...inference.Calibration) error {
		return s.AddCalibrations(t.Context(), learned, decay)
	}
	want := func(rows ...inference.Calibration) {
		t.Helper()
		got, err := s.Calibrations(t.Context())
		if diff := cmp.Diff(rows, got); diff != "" || err != nil {
			t.Errorf("Calibrations() = %v (-want +got):\n%s", err, diff)
		}
	}
	want()
	thai := inference.Calibration{Model: "m", Script: "thai", Samples: 2, Sum: -0.5, Squares: 0.25, Updated: began}
	latin := inference.Calibration{Model: "m", Script: "latin", Samples: 8, Sum: 4, Squares: 2, Updated: began}
	if err := add(0.5, thai, latin); err != nil {
		t.Fatal(err)
	}
	want(latin, thai) // what is new does not fade
	more := inference.Calibration{Model: "m", Script: "latin", Samples: 1, Sum: 0.5, Squares: 0.25, Updated: began.AddDate(0, 0, 1)}
	if err := add(0.5, more); err != nil {
		t.Fatal(err)
	}
	latin = inference.Calibration{Model: "m", Script: "latin", Samples: 5, Sum: 2.5, Squares: 1.25, Updated: more.Updated}
	want(latin, thai)

	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		wrong := more
		wrong.Sum = bad
		wantKind(t, "AddCalibrations() of no number", add(0.5, thai, wrong), inference.Validation)
		wantKind(t, "AddCalibrations() with no decay", add(bad, thai), inference.Validation)
	}
	want(latin, thai)
}

// testCalibrationsAtOnce: servers that add the same rows at once, in any order, lose
// nothing.
func testCalibrationsAtOnce(t *testing.T, s *Store) {
	one := inference.Calibration{Model: "a", Script: "x", Samples: 1, Sum: 2, Squares: 4, Updated: began}
	other := one
	other.Model = "b"
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			rows := []inference.Calibration{one, other}
			if i%2 == 0 {
				rows = []inference.Calibration{other, one}
			}
			if err := s.AddCalibrations(t.Context(), rows, 1); err != nil {
				t.Errorf("AddCalibrations() = %v", err)
			}
		})
	}
	all.Wait()
	got, err := s.Calibrations(t.Context())
	if err != nil || len(got) != 2 || got[0].Samples != atOnce || got[1].Squares != 4*atOnce {
		t.Errorf("Calibrations() after %d = %+v, %v", atOnce, got, err)
	}
}
