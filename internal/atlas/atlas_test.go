package atlas

import (
	"testing"
	"time"

	"fairway/internal/inference"
)

func TestRoundTrip(t *testing.T) {
	const singapore, tokyo = inference.Region("ap-southeast-1"), inference.Region("ap-northeast-1")
	a := Load()
	for _, c := range []struct {
		from, to  inference.Region
		low, high float64 // ms
	}{
		{singapore, singapore, 3, 5},
		{singapore, tokyo, 70, 72},
		{singapore, "ap-southeast-6", 100, 220}, // no row, by the fit
		{"ap-east-2", "ap-east-2", localRTT, localRTT},
		{"xx-nowhere-1", tokyo, unknownRTT, unknownRTT},
	} {
		if got := a.RoundTrip(c.from, c.to).Seconds() * 1000; got < c.low || got > c.high {
			t.Errorf("RoundTrip(%s, %s) = %.1f ms, want %.0f to %.0f", c.from, c.to, got, c.low, c.high)
		}
	}
}

func TestNoon(t *testing.T) {
	if tokyo := Load().Noon("ap-northeast-1"); tokyo < 2*time.Hour || tokyo > 3*time.Hour {
		t.Errorf("Noon(ap-northeast-1) = %s after midnight UTC, want between 2h and 3h", tokyo)
	}
}
