package config

import (
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fairway/internal/inference"
)

// Duration is a time span written with its unit, "250ms".
type Duration time.Duration

// UnmarshalText refuses numbers without a unit.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || string(text) == "0" {
		return fmt.Errorf(`want a duration with its unit such as "250ms", got %q`, text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText writes the shortest form, "30s" and not "0m30s".
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return []byte(text), nil
}

// Speed is how many times faster than real time simulated regions run.
type Speed float64

// Instant is the speed that removes all waiting, written "instant".
var Instant = Speed(math.Inf(1))

// UnmarshalText reads a positive number or "instant".
func (s *Speed) UnmarshalText(text []byte) error {
	if string(text) == "instant" {
		*s = Instant
		return nil
	}
	parsed, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(parsed > 0) || math.IsInf(parsed, 0) {
		return fmt.Errorf(`want a positive number or "instant", got %q`, text)
	}
	*s = Speed(parsed)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Speed) MarshalText() ([]byte, error) {
	if s == Instant {
		return []byte("instant"), nil
	}
	return strconv.AppendFloat(nil, float64(s), 'g', -1, 64), nil
}

// Size is a number of bytes, written "25MB", "1MiB" or as the bare number.
type Size int64

// units are the suffixes of sizes, the larger first.
var units = []struct {
	suffix string
	bytes  Size
}{
	{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"", 1},
}

// UnmarshalText reads a whole number with one of the units.
func (s *Size) UnmarshalText(text []byte) error {
	for _, u := range units {
		digits, ok := strings.CutSuffix(string(text), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
		if err != nil || Size(n) > math.MaxInt64/u.bytes {
			break
		}
		*s = Size(n) * u.bytes
		return nil
	}
	return fmt.Errorf(`want a size such as "25MB" or "1MiB", got %q`, text)
}

// MarshalText writes the size in the largest unit that divides it.
func (s Size) MarshalText() ([]byte, error) {
	for _, u := range units {
		if s != 0 && s%u.bytes == 0 {
			return fmt.Appendf(nil, "%d%s", s/u.bytes, u.suffix), nil
		}
	}
	return []byte("0"), nil
}

// GrantMode is what one denied destination does to a call.
type GrantMode string

// The modes: Narrow runs the call in the others, Strict refuses it as AWS does.
const (
	Narrow GrantMode = "narrow"
	Strict GrantMode = "strict"
)

// UnmarshalText reads one of the modes.
func (m *GrantMode) UnmarshalText(text []byte) error { return oneOf(m, text, Narrow, Strict) }

// Pinning is whether a call may use a target that could run outside of its grant:
// a profile of real regions runs anywhere in its run set.
type Pinning string

// The pinnings: PinStrict leaves such targets out, PinBestEffort tries them last.
const (
	PinStrict     Pinning = "strict"
	PinBestEffort Pinning = "best-effort"
)

// UnmarshalText reads one of the pinnings.
func (p *Pinning) UnmarshalText(text []byte) error { return oneOf(p, text, PinStrict, PinBestEffort) }

// Policy is a routing policy by name, empty for the order that holds without one.
type Policy inference.Policy

// UnmarshalText reads one of the policies.
func (p *Policy) UnmarshalText(text []byte) error {
	if len(text) > 0 && !inference.IsPolicy(inference.Policy(text)) {
		return fmt.Errorf("want one of %s, got %q", list(inference.Policies()), text)
	}
	*p = Policy(text)
	return nil
}

// OnCut is what becomes of a stream whose region dies in the middle of the answer.
type OnCut inference.OnCut

// UnmarshalText reads one of the choices.
func (o *OnCut) UnmarshalText(text []byte) error {
	return oneOf(o, text, OnCut(inference.FailOnCut), OnCut(inference.ContinueOnCut))
}

// Dollars is an amount that is not negative, written as a decimal.
type Dollars inference.Money

// UnmarshalText reads at most nine decimals.
func (d *Dollars) UnmarshalText(text []byte) error {
	parsed, err := inference.ParseMoney(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf(`want an amount in dollars such as "0.01", got %q`, text)
	}
	*d = Dollars(parsed)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Dollars) MarshalText() ([]byte, error) { return inference.Money(d).MarshalText() }

// LogLevel is the least level that is logged. It is a [slog.Leveler].
type LogLevel string

// UnmarshalText reads the name of a level.
func (l *LogLevel) UnmarshalText(text []byte) error {
	return oneOf(l, text, "debug", "info", "warn", "error")
}

// Level is the level by that name.
func (l LogLevel) Level() slog.Level {
	switch l {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// LogFormat is how log lines are written.
type LogFormat string

// The formats.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText reads one of the formats.
func (f *LogFormat) UnmarshalText(text []byte) error { return oneOf(f, text, LogText, LogJSON) }

// Fault is how a simulated region misbehaves, by its name on the command line.
type Fault string

// UnmarshalText reads one of the faults.
func (f *Fault) UnmarshalText(text []byte) error {
	return oneOf(f, text, "up", "down", "hang", "slow", "throttle", "5xx", "cut")
}

func oneOf[T ~string](dst *T, text []byte, names ...T) error {
	if !slices.Contains(names, T(text)) {
		return fmt.Errorf("want one of %s, got %q", list(names), text)
	}
	*dst = T(text)
	return nil
}

// list is names as one writes them.
func list[T ~string](names []T) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = string(name)
	}
	return strings.Join(words, ", ")
}
