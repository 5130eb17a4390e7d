package cli

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"fairway/internal/sample"
)

// erase takes back the line that the cursor is on.
const erase = "\r\x1b[K"

// TestAskProgress shows on a terminal that something is under way, and takes it
// back; elsewhere there is nothing of it.
func TestAskProgress(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for _, terminal := range []bool{true, false} {
		var stdout, stderr bytes.Buffer
		s := surroundings(&stdout, &stderr)
		s.Terminal = terminal
		if code := run(t.Context(), []string{"ask", "--speed", "instant", "rice"}, s); code != exitDone {
			t.Fatalf("ask exits %d:\n%s", code, &stderr)
		}
		shown := strings.Split(stderr.String(), erase)
		if !terminal {
			if len(shown) != 1 {
				t.Errorf("stderr = %q, want no progress where there is no terminal", &stderr)
			}
			continue
		}
		if len(shown) < 3 || shown[0] != "" {
			t.Fatalf("stderr = %q, want progress first, erased", &stderr)
		}
		for _, line := range shown[1 : len(shown)-1] {
			if !strings.HasPrefix(line, "asking askBedrock ... ") || strings.Contains(line, "\n") {
				t.Errorf("progress = %q, want one line that says what is asked", line)
			}
		}
		if rest := shown[len(shown)-1]; !strings.HasPrefix(rest, "note: ") {
			t.Errorf("after the progress stderr has %q, want the notes", rest)
		}
		if strings.Contains(stdout.String(), "\x1b") {
			t.Errorf("stdout = %q, want data alone", &stdout)
		}
	}
	goleak.VerifyNone(t, before)
}

// TestAskFails exits 1 when the backend does not load and 2 when it was asked
// wrongly, and leaves nothing on stdout.
func TestAskFails(t *testing.T) {
	broken := copyProject(t, sample.Files())
	put(t, broken, "amplify/data/resource.ts", "export const = 1;")
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"ask", "--dir", broken, "rice"}, exitFailed, "amplify/data/resource.ts:1"},
		{[]string{"ask", "--args", "[]"}, exitUsage, "--args is not a JSON object"},
		{[]string{"ask", "--responses", "nowhere.yaml", "rice"}, exitUsage, "nowhere.yaml"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), c.args, surroundings(&stdout, &stderr))
		if code != c.code || stdout.Len() > 0 || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v exits %d with stdout %q and stderr %q, want %d, nothing and %q", c.args, code, &stdout, &stderr, c.code, c.want)
		}
	}
}
