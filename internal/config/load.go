package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// FileName is the configuration file's name in a project's root.
const FileName = "fairway.yaml"

// Source is where settings come from beside the defaults. All of it is optional.
type Source struct {
	File  string                                    // a YAML file that must exist
	Env   func(name string) (value string, ok bool) // as os.LookupEnv; empty values count as not set
	Flags map[string]string                         // text by path, "simulate.speed": "instant"
}

// Origins says where the value of each path comes from: "default",
// "fairway.yaml:3", "FAIRWAY_LISTEN" or "flag".
type Origins map[string]string

// Find gives the configuration file in the project root dir, empty when there
// is none.
func Find(dir string) string {
	path := filepath.Join(dir, FileName)
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return ""
	}
	return path
}

// maxShown is how many problems are told, and how many more there are.
const maxShown = 20

// Load puts the sources over the defaults. The error joins what is wrong, up to
// twenty problems, each with its origin, one a line; the other results are nil then.
func Load(s Source) (*Config, Origins, error) {
	l := newLoader()
	if s.File != "" {
		data, err := readFile(s.File)
		if err != nil {
			return nil, nil, fmt.Errorf("read configuration: %w", err)
		}
		l.file(s.File, data)
	}
	if s.Env != nil {
		l.env(s.Env)
	}
	l.flags(s.Flags)
	return l.finish()
}

// loader puts one source after the other over a Config.
type loader struct {
	config   *Config
	settings []setting
	origins  Origins
	problems []error
}

func newLoader() *loader {
	l := &loader{config: Default(), origins: Origins{}}
	l.settings = settings(l.config)
	for _, s := range l.settings {
		l.origins[s.path] = "default"
	}
	for _, s := range listings(l.config) {
		l.origins[s.path] = "default"
	}
	return l
}

func (l *loader) set(s setting, g given, origin string) {
	if err := s.set(g); err != nil {
		l.problems = append(l.problems, problem{origin, fmt.Errorf("%s: %w", s.path, err)})
		return
	}
	l.origins[s.path] = origin
}

func (l *loader) file(name string, data []byte) {
	r := &reader{name: name, listings: listings(l.config), origins: l.origins}
	for _, s := range fields(l.config) {
		r.paths = append(r.paths, s.path)
	}
	r.read(data)
	l.problems = append(l.problems, r.problems...)
	l.drop(r.broken)
	for _, e := range r.entries {
		i := slices.IndexFunc(l.settings, func(s setting) bool { return s.path == e.path })
		l.set(l.settings[i], e.given, fmt.Sprintf("%s:%d", name, e.line))
		l.settings[i].within(filepath.Dir(name))
	}
}

// drop empties the listings in which something could not be read, which is not to be
// missed as well, and with them those that name their elements.
func (l *loader) drop(broken []string) {
	if slices.Contains(broken, "accounts") {
		broken = append(broken, "quotas")
	}
	if slices.Contains(broken, "issuers") {
		broken = append(broken, "principals")
	}
	for _, s := range listings(l.config) {
		if slices.Contains(broken, s.path) {
			s.value.SetZero()
		}
	}
}

func (l *loader) env(lookup func(string) (string, bool)) {
	for _, s := range l.settings {
		if text, ok := lookup(s.variable()); ok && text != "" {
			l.set(s, given{scalar: &text}, s.variable())
		}
	}
}

func (l *loader) flags(flags map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(flags)) {
		text := flags[path]
		i := slices.IndexFunc(l.settings, func(s setting) bool { return s.path == path })
		if i < 0 {
			l.problems = append(l.problems, problem{"flag", fmt.Errorf("unknown setting %q", path)})
			continue
		}
		l.set(l.settings[i], given{scalar: &text}, "flag")
	}
}

func (l *loader) finish() (*Config, Origins, error) {
	l.complete()
	for _, f := range l.config.validate() {
		l.problems = append(l.problems, f.at(l.origins))
	}
	l.inherit()
	if more := len(l.problems) - maxShown; more > 0 {
		l.problems = append(l.problems[:maxShown], fmt.Errorf("and %d more", more))
	}
	if len(l.problems) > 0 {
		return nil, nil, errors.Join(l.problems...)
	}
	return l.config, l.origins, nil
}
