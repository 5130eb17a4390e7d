package resolver

import (
	"errors"
	"time"
	_ "time/tzdata" // util.time takes zone names also where the machine has no zone files

	"github.com/dop251/goja"
)

// iso8601 is how util.time writes instants, "2018-02-06T19:01:35.749Z".
const iso8601 = "2006-01-02T15:04:05.000Z07:00"

func (m *machine) timeFunctions() functions {
	millis := func(call goja.FunctionCall) time.Time {
		return time.UnixMilli(call.Argument(0).ToInteger()).UTC()
	}
	// Formats instant at the pattern and zone in arguments i and i+1.
	format := func(call goja.FunctionCall, instant time.Time, i int) goja.Value {
		pattern, zone := m.pattern(call.Argument(i)), m.zone(call.Argument(i+1))
		return m.vm.ToValue(pattern.format(instant.In(zone)))
	}
	return functions{
		"nowISO8601":           func(goja.FunctionCall) goja.Value { return m.vm.ToValue(m.now().UTC().Format(iso8601)) },
		"nowEpochSeconds":      func(goja.FunctionCall) goja.Value { return m.vm.ToValue(m.now().Unix()) },
		"nowEpochMilliSeconds": func(goja.FunctionCall) goja.Value { return m.vm.ToValue(m.now().UnixMilli()) },
		"nowFormatted":         func(call goja.FunctionCall) goja.Value { return format(call, m.now(), 0) },
		"parseFormattedToEpochMilliSeconds": func(call goja.FunctionCall) goja.Value {
			t, err := m.pattern(call.Argument(1)).parse(call.Argument(0).String(), m.zone(call.Argument(2)))
			m.check(err)
			return m.vm.ToValue(t.UnixMilli())
		},
		"parseISO8601ToEpochMilliSeconds": func(call goja.FunctionCall) goja.Value {
			t, err := time.Parse(time.RFC3339Nano, call.Argument(0).String())
			if err != nil { // which quotes the text
				m.check(errors.New("util.time: the text is not a time in ISO 8601"))
			}
			return m.vm.ToValue(t.UnixMilli())
		},
		"epochMilliSecondsToSeconds":   func(call goja.FunctionCall) goja.Value { return m.vm.ToValue(millis(call).Unix()) },
		"epochMilliSecondsToISO8601":   func(call goja.FunctionCall) goja.Value { return m.vm.ToValue(millis(call).Format(iso8601)) },
		"epochMilliSecondsToFormatted": func(call goja.FunctionCall) goja.Value { return format(call, millis(call), 1) },
	}
}

func (m *machine) pattern(v goja.Value) datePattern {
	p, err := parseDatePattern(v.String())
	m.check(err)
	return p
}

// zone is a time zone by name or offset, UTC when it is not given.
func (m *machine) zone(v goja.Value) *time.Location {
	if goja.IsUndefined(v) || goja.IsNull(v) {
		return time.UTC
	}
	name := v.String()
	if t, err := time.Parse("-07:00", name); err == nil {
		return t.Location()
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		m.check(errors.New("util.time: the time zone is not known"))
	}
	return zone
}
