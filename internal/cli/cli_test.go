package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestExitCodes: 0 done, 1 the thing asked for failed, 2 usage or configuration;
// and what is not data goes to stderr.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
	}{
		{"", 0},
		{"--version", 0},
		{"ask --speed instant rice", 0},
		{"ask --speed instant --query askBedrock", 0},
		{"ask --speed instant --strict rice", 0},
		{"schema ../sample", 0},
		{"check ../sample", 0},
		{"ask --speed instant --down ap-southeast-1 --down ap-northeast-1 --down ap-southeast-2 --down ap-northeast-2 --down ap-northeast-3 --down ap-south-1 --down ap-south-2 --down ap-southeast-4 rice", 1},
		{"regions --url http://127.0.0.1:1", 1},
		{"serve", 2},
		{"ask --url http://127.0.0.1:1 rice", 2},
		{"ask --tls rice", 2},
		{"dev --tls ../sample", 2},
		{"dev --listen nope ../sample", 2},
		{"ask --responses nowhere.yaml rice", 2},
		{"ask --speed -1 rice", 2},
		{"ask --down nowhere rice", 2},
		{"ask --query missing", 2},
		{"ask --args nonsense", 2},
		{"check nowhere", 2},
		{"check a b", 2},
		{"schema --deployed --introspection ../sample", 2},
		{"regions sideways us-east-1", 2},
		{"config check nowhere", 2},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(c.args), surroundings(&stdout, &stderr))
		if code != c.code {
			t.Errorf("fairway %s exits %d, want %d: %s", c.args, code, c.code, stderr.String())
		}
		if c.code == 2 && (stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "fairway: ")) {
			t.Errorf("fairway %s prints %q and says %q, want the mistake on stderr alone", c.args, stdout.String(), stderr.String())
		}
	}
}
