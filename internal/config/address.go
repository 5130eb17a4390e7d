package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// URL is the address of an HTTP server, empty for none. It holds no credentials,
// so it may be printed.
type URL string

// UnmarshalText reads an absolute http or https URL, in which {region} may stand
// for a region. It does not repeat one that may have a password in it.
func (u *URL) UnmarshalText(text []byte) error {
	parsed, err := url.Parse(strings.ReplaceAll(string(text), "{region}", "region"))
	switch {
	case len(text) == 0:
	case err != nil || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "",
		parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Hostname() == "":
		return errors.New(`want a URL such as "https://host:8443/path", without user, query and fragment`)
	}
	*u = URL(text)
	return nil
}

// Model is what answers calls: "sim", "bedrock", "anthropic" or "openai=URL".
type Model string

// The models. That of an OpenAI-compatible server has its URL behind it, which
// [Model.OpenAI] tells.
const (
	Simulated    Model = "sim"       // simulated regions
	BedrockModel Model = "bedrock"   // real regions
	AnthropicAPI Model = "anthropic" // Anthropic's own API
	openAIPrefix       = "openai="
)

// UnmarshalText reads one of the models.
func (m *Model) UnmarshalText(text []byte) error {
	address, ok := strings.CutPrefix(string(text), openAIPrefix)
	if !ok {
		if oneOf(m, text, Simulated, BedrockModel, AnthropicAPI) != nil {
			return fmt.Errorf("want sim, bedrock, anthropic or openai=URL, got %q", text)
		}
		return nil
	}
	var u URL
	if err := u.UnmarshalText([]byte(address)); err != nil || u == "" {
		return errors.New(`want a URL behind "openai=" such as "http://127.0.0.1:11434/v1", without user, query and fragment`)
	}
	*m = Model(text)
	return nil
}

// OpenAI is the URL of the OpenAI-compatible server that answers, false when
// something else does.
func (m Model) OpenAI() (server string, ok bool) { return strings.CutPrefix(string(m), openAIPrefix) }

// Regions is whether the regions of calls are simulated.
type Regions string

// The kinds of regions. By default those of real Bedrock and of Anthropic's API
// are real, and all others simulated. Real regions of an OpenAI-compatible server
// are that server alone.
const (
	AutoRegions      Regions = "auto"
	SimulatedRegions Regions = "simulated"
	RealRegions      Regions = "real"
)

// UnmarshalText reads one of the kinds.
func (r *Regions) UnmarshalText(text []byte) error {
	return oneOf(r, text, AutoRegions, SimulatedRegions, RealRegions)
}

// Simulates reports whether regions are simulated.
func (c *Config) Simulates() bool {
	if _, ok := c.Model.OpenAI(); ok {
		return c.Regions != RealRegions
	}
	return c.Model == Simulated
}

// Webhook is the address that notices are posted to, or a reference to one that may be
// a secret, "env:NAME" or "file:/path". It may be printed: of an address no path is.
type Webhook string

// UnmarshalText does not repeat what it refuses.
func (w *Webhook) UnmarshalText(text []byte) error {
	if new(Secret).UnmarshalText(text) != nil && new(URL).UnmarshalText(text) != nil {
		return errors.New(`want an address such as "https://hooks.example.com/fairway", or a reference to one, "env:NAME" or "file:/path"`)
	}
	*w = Webhook(text)
	return nil
}

// MarshalText leaves the path of an address out, in which services put a secret.
func (w Webhook) MarshalText() ([]byte, error) {
	u, err := url.Parse(string(w))
	if err != nil || u.Host == "" || u.Path == "" {
		return []byte(w), nil
	}
	return []byte(u.Scheme + "://" + u.Host + "/..."), nil
}

// Read is the address: what w says, or what it refers to; empty for none.
func (w Webhook) Read(env func(name string) (value string, ok bool)) (string, error) {
	if w == "" || new(Secret).UnmarshalText([]byte(w)) != nil {
		return string(w), nil
	}
	address, err := Secret(w).Read(env)
	if err == nil && new(URL).UnmarshalText([]byte(address)) != nil {
		err = errors.New("what it refers to is no address such as https://hooks.example.com/fairway")
	}
	return address, err
}

// Store is where things are kept that are made at run time: "" for in memory,
// "sqlite:PATH", a "postgres://" URL without a password in it, or a reference to
// one that may have it, "env:NAME" or "file:/path". It may be printed.
type Store string

// UnmarshalText does not repeat what it refuses: it may have a password in it.
func (s *Store) UnmarshalText(text []byte) error {
	kind, rest, _ := strings.Cut(string(text), ":")
	switch {
	case len(text) == 0, kind == "sqlite" && rest != "":
	case kind == "postgres", kind == "postgresql":
		if err := passwordless(string(text)); err != nil {
			return err
		}
	case new(Secret).UnmarshalText(text) != nil:
		return errors.New(`want "sqlite:PATH", "postgres://user@host/database", or a reference to such a URL, "env:NAME" or "file:/path"`)
	}
	*s = Store(text)
	return nil
}

// passwordless refuses a PostgreSQL URL that has a password, in either place.
func passwordless(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" && u.Query().Get("host") == "" {
		return errors.New(`want a PostgreSQL URL such as "postgres://user@host/database"`)
	}
	secret := func(key string) bool { return strings.Contains(strings.ToLower(key), "password") }
	if _, has := u.User.Password(); has || slices.ContainsFunc(slices.Collect(maps.Keys(u.Query())), secret) {
		return errors.New(`want no password in the file: name where the whole URL is, "env:NAME" or "file:/path"`)
	}
	return nil
}

// Read is the address of the store: what s says, or what it refers to.
func (s Store) Read(env func(name string) (value string, ok bool)) (string, error) {
	if new(Secret).UnmarshalText([]byte(s)) != nil {
		return string(s), nil
	}
	return Secret(s).Read(env)
}

func (s *Store) within(dir string) {
	if path, ok := strings.CutPrefix(string(*s), "sqlite:"); ok && path != ":memory:" {
		*s = Store("sqlite:" + Path(path).in(dir))
	}
}

// Path is a file name. In a configuration file it is relative to that file, else
// to the working directory.
type Path string

func (p Path) in(dir string) Path {
	if p == "" || filepath.IsAbs(string(p)) {
		return p
	}
	return Path(filepath.Join(dir, string(p)))
}

func (p *Path) within(dir string) { *p = p.in(dir) }

// Ratio is a part of the whole, from 0 to 1.
type Ratio float64

// UnmarshalText reads a decimal number.
func (r *Ratio) UnmarshalText(text []byte) error {
	parsed, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(parsed >= 0 && parsed <= 1) {
		return fmt.Errorf("want a number from 0 to 1, got %q", text)
	}
	*r = Ratio(parsed)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (r Ratio) MarshalText() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(r), 'g', -1, 64), nil
}
