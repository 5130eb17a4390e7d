package admin

import (
	"testing"
	"time"

	"fairway/internal/inference"
)

func TestEstimates(t *testing.T) {
	d := newDoor(t, false)
	var got struct {
		Calibrations []inference.Correction
		Rows         []inference.Calibration
	}
	if status := d.ask(t, "GET", "/api/tokens", "", &got); status != 200 || got.Calibrations == nil || got.Rows == nil || len(got.Calibrations)+len(got.Rows) != 0 {
		t.Errorf("GET /api/tokens = %d %+v, want two empty lists", status, got)
	}
	correction := inference.Correction{Model: "m1", Script: "latin", Samples: 9, Factor: 1.25, Error: 0.125}
	row := inference.Calibration{Model: "m1", Script: "latin", Samples: 8, Sum: 2, Squares: 0.5, Updated: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)}
	d.corrections = []inference.Correction{correction}
	if err := d.store.AddCalibrations(t.Context(), []inference.Calibration{row}, 0.98); err != nil {
		t.Fatal(err)
	}
	d.ask(t, "GET", "/api/tokens", "", &got)
	if len(got.Calibrations) != 1 || got.Calibrations[0] != correction || len(got.Rows) != 1 || got.Rows[0] != row {
		t.Errorf("GET /api/tokens = %+v, want %+v and %+v", got, correction, row)
	}
	d.store.Close()
	var refused struct{ Message string }
	if status := d.ask(t, "GET", "/api/tokens", "", &refused); status < 500 || refused.Message == "" {
		t.Errorf("GET /api/tokens without a store = %d %q, want the failure", status, refused.Message)
	}
}
