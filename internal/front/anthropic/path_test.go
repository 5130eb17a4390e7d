package anthropic

import "testing"

// FuzzParsePath: what has an operation is served, and only the two paths of the
// API have one, behind at most a region and a prefix.
func FuzzParsePath(f *testing.F) {
	for _, path := range []string{
		"/v1/messages", "/anthropic/v1/messages/count_tokens", "/region/ap-southeast-1/v1/messages",
		"/region/ap-southeast-1/region/ap-southeast-1/v1/messages", "/anthropic/anthropic/v1/messages",
		"/v1/../v1/messages", "//v1/messages", "/v1/messages%00", "/region//v1/messages",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		region, operation := parsePath(path)
		if operation == nil {
			return
		}
		if !Serves(path) {
			t.Errorf("Serves(%q) = false, but it has an operation", path)
		}
		want := map[string]bool{}
		for _, base := range []string{"", "/region/" + string(region)} {
			for _, prefix := range []string{"", "/anthropic"} {
				want[base+prefix+"/v1/messages"] = true
				want[base+prefix+"/v1/messages/count_tokens"] = true
			}
		}
		if !want[path] {
			t.Errorf("parsePath(%q) gives an operation", path)
		}
	})
}
