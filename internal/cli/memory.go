package cli

import (
	"runtime/debug"

	"fairway/internal/config"
)

// What memory is for, in bytes: beside the requests that are held, a call in flight
// takes up to callMemory, and the program itself ownMemory.
const (
	callMemory = 64 << 10
	ownMemory  = 128 << 20
)

// limitMemory has the collector run often where memory would grow past what the
// limits of c let be in use: twice the requests that are held, since one that was
// answered takes its memory until it is collected. GOMEMLIMIT has precedence.
func (s Surroundings) limitMemory(c *config.Config) {
	if s.Getenv("GOMEMLIMIT") != "" || c.Limits.Held == 0 || c.Limits.Calls == 0 {
		return
	}
	debug.SetMemoryLimit(2*int64(c.Limits.Held) + callMemory*int64(c.Limits.Calls) + ownMemory)
}
