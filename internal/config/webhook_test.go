package config

import (
	"strings"
	"testing"
)

// TestWebhook: an address or a reference, of which neither an error nor what is printed
// shows the path.
func TestWebhook(t *testing.T) {
	env := func(name string) (string, bool) {
		value, ok := map[string]string{"HOOK": "https://hooks.example.com/T0/SECRET", "BAD": "hooks/SECRET"}[name]
		return value, ok
	}
	for text, want := range map[string]struct{ printed, address string }{
		"":                                    {"", ""},
		"https://hooks.example.com/T0/SECRET": {"https://hooks.example.com/...", "https://hooks.example.com/T0/SECRET"},
		"https://hooks.example.com":           {"https://hooks.example.com", "https://hooks.example.com"},
		"env:HOOK":                            {"env:HOOK", "https://hooks.example.com/T0/SECRET"},
		"env:BAD":                             {"env:BAD", ""},
		"env:NONE":                            {"env:NONE", ""},
	} {
		var w Webhook
		if err := w.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("UnmarshalText(%q) = %v", text, err)
			continue
		}
		printed, _ := w.MarshalText()
		address, err := w.Read(env)
		if string(printed) != want.printed || err == nil && address != want.address || (err != nil) != (text != "" && want.address == "") {
			t.Errorf("%q is printed as %s and read as %q, %v, want %+v", text, printed, address, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "SECRET") {
			t.Errorf("Read(%q) = %v, which tells it", text, err)
		}
	}
	for _, text := range []string{"hooks/SECRET", "ftp://hooks.example.com/SECRET", "https://SECRET@hooks.example.com"} {
		if err := new(Webhook).UnmarshalText([]byte(text)); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("UnmarshalText(%q) = %v, want an error that does not tell it", text, err)
		}
	}
}
