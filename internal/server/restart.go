package server

import (
	"slices"
	"strings"

	"fairway/internal/config"
)

// openedOnce are the settings that a server reads when it opens; those below them
// too.
var openedOnce = []string{
	"listen", "tls", "admin.listen", "backend", "account", "region", "regions", "model", "store", "master_key", "accounts",
	"answer_timeout", "base_url", "breaker", "bedrock", "openai", "anthropic", "simulate", "aws", "log", "telemetry",
}

// NeedsRestart lists the settings that differ between two configurations and that
// a running server does not take up.
func NeedsRestart(running, next *config.Config) []string {
	was := map[string]string{}
	for _, s := range config.List(running, nil) {
		was[s.Path] = s.Value
	}
	var changed []string
	for _, s := range config.List(next, nil) {
		value, known := was[s.Path]
		if (!known || value != s.Value) && isOpenedOnce(s.Path) {
			changed = append(changed, s.Path)
		}
	}
	return changed
}

func isOpenedOnce(path string) bool {
	return slices.ContainsFunc(openedOnce, func(p string) bool {
		rest, ok := strings.CutPrefix(path, p)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}
