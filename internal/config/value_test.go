package config

import (
	"encoding"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fairway/internal/inference"
)

func TestValues(t *testing.T) {
	duration := func(d time.Duration) *Duration { v := Duration(d); return &v }
	size := func(n int64) *Size { v := Size(n); return &v }
	speed := func(f float64) *Speed { v := Speed(f); return &v }
	dollars := func(m inference.Money) *Dollars { v := Dollars(m); return &v }
	for _, test := range []struct {
		text    string
		want    encoding.TextMarshaler
		written string
	}{
		{"250ms", duration(250 * time.Millisecond), "250ms"},
		{"90s", duration(90 * time.Second), "1m30s"},
		{"60s", duration(time.Minute), "1m"},
		{"1h0m", duration(time.Hour), "1h"},
		{"20m", duration(20 * time.Minute), "20m"},
		{"0s", duration(0), "0s"},
		{"25000000", size(25e6), "25MB"},
		{"1 MiB", size(1 << 20), "1MiB"},
		{"1500", size(1500), "1500"},
		{"2kB", size(2000), "2kB"},
		{"9223372036854775807", size(math.MaxInt64), "9223372036854775807"},
		{"0", size(0), "0"},
		{"0.010", dollars(inference.Dollar / 100), "0.01"},
		{"20", dollars(20 * inference.Dollar), "20"},
		{"0", dollars(0), "0"},
		{"instant", speed(math.Inf(1)), "instant"},
		{"2.50", speed(2.5), "2.5"},
	} {
		got := test.want.(encoding.TextUnmarshaler)
		written, _ := test.want.MarshalText()
		if string(written) != test.written {
			t.Errorf("MarshalText(%v) = %s, want %s", test.want, written, test.written)
		}
		if err := got.UnmarshalText([]byte(test.text)); err != nil {
			t.Errorf("UnmarshalText(%q) error = %v", test.text, err)
		}
		if again, _ := test.want.MarshalText(); string(again) != test.written {
			t.Errorf("UnmarshalText(%q) = %s, want %s", test.text, again, test.written)
		}
	}
}

func TestValuesRefuse(t *testing.T) {
	for _, test := range []struct {
		text string
		v    encoding.TextUnmarshaler
	}{
		{"250", new(Duration)}, {"0", new(Duration)}, {"", new(Duration)}, {"soon", new(Duration)},
		{"", new(Size)}, {"MB", new(Size)}, {"-1", new(Size)}, {"1.5MB", new(Size)}, {"1tb", new(Size)},
		{"9223372036854775807kB", new(Size)}, {"99999999999999999999", new(Size)},
		{"0", new(Speed)}, {"-1", new(Speed)}, {"NaN", new(Speed)}, {"Inf", new(Speed)}, {"fast", new(Speed)},
		{"", new(Dollars)}, {"-0.01", new(Dollars)}, {"$1", new(Dollars)}, {"0.0000000001", new(Dollars)},
		{"2", new(Ratio)}, {"-0.1", new(Ratio)}, {"NaN", new(Ratio)},
		{"Adaptive", new(Policy)}, {"stop", new(OnCut)}, {"", new(OnCut)}, {"Narrow", new(GrantMode)}, {"", new(LogFormat)}, {"asleep", new(Fault)}, {"INFO", new(LogLevel)},
	} {
		if err := test.v.UnmarshalText([]byte(test.text)); err == nil {
			t.Errorf("%T.UnmarshalText(%q) = %v, want an error", test.v, test.text, test.v)
		}
	}
}

func TestLogLevel(t *testing.T) {
	for text, want := range map[string]slog.Level{"debug": -4, "info": 0, "warn": 4, "error": 8} {
		var l LogLevel
		if err := l.UnmarshalText([]byte(text)); err != nil || l.Level() != want {
			t.Errorf("LogLevel %s = %d, %v, want %d", text, l.Level(), err, want)
		}
	}
}

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("hush\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := environment(map[string]string{"KEY": "quiet", "EMPTY": ""})
	for _, test := range []struct{ reference, want string }{
		{"env:KEY", "quiet"}, {"file:" + file, "hush"},
		{"env:EMPTY", ""}, {"env:NONE", ""}, {"file:" + file + "s", ""},
	} {
		var s Secret
		if err := s.UnmarshalText([]byte(test.reference)); err != nil {
			t.Fatalf("UnmarshalText(%q) error = %v", test.reference, err)
		}
		got, err := s.Read(env)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("Read(%s) = %q, %v, want %q", test.reference, got, err, test.want)
		}
	}
	for _, text := range []string{"hunter2", "env:", "file", "https://vault/key"} {
		var s Secret
		err := s.UnmarshalText([]byte(text))
		if err == nil || s != "" {
			t.Errorf("UnmarshalText(%q) = %v, %v, want an error", text, s, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("UnmarshalText(%q) error = %v, want the text left out", text, err)
		}
	}
	if got, err := Secret("").Read(env); err == nil {
		t.Errorf("Read() of no reference = %q, want an error", got)
	}
}
