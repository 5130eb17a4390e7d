package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Secret says where a secret is kept: "env:NAME" or "file:/path". It never holds
// the secret itself, so it may be printed. The zero Secret is unset.
type Secret string

// UnmarshalText refuses anything but a reference, without repeating it: it may
// be the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	kind, name, _ := strings.Cut(string(text), ":")
	if name == "" || kind != "env" && kind != "file" {
		return errors.New(`want a reference to a secret, "env:NAME" or "file:/path"`)
	}
	*s = Secret(text)
	return nil
}

// MarshalText writes the reference.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s), nil }

// Read fetches the secret, without the line end of a file. An unset or empty
// secret is an error.
func (s Secret) Read(env func(name string) (value string, ok bool)) (string, error) {
	value := ""
	switch kind, name, _ := strings.Cut(string(s), ":"); kind {
	case "env":
		value, _ = env(name)
	case "file":
		data, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		value = strings.TrimRight(string(data), "\r\n")
	}
	if value == "" {
		return "", fmt.Errorf("read secret: nothing at %q, set it or name another place", string(s))
	}
	return value, nil
}
