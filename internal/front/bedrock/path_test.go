package bedrock

import (
	"net/url"
	"testing"
)

func TestParsePath(t *testing.T) {
	const arn = "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac.x-v1:0"
	for escaped, want := range map[string]path{
		"/model/apac.x-v1:0/invoke":                 {model: "apac.x-v1:0", action: "invoke"},
		"/model/apac.x-v1%3A0/invoke":               {model: "apac.x-v1:0", action: "invoke"},
		"/model/apac.x-v1%253A0/invoke":             {model: "apac.x-v1%3A0", action: "invoke"}, // decoded once
		"/model/" + url.PathEscape(arn) + "/invoke": {model: arn, action: "invoke"},
		"/model/m/converse-stream":                  {model: "m", action: "converse-stream"},
		"/region/eu-west-1/model/m/invoke":          {region: "eu-west-1", model: "m", action: "invoke"},
		"/model/" + arn + "/invoke":                 {}, // its slash splits the path
		"/region/nowhere/model/m/invoke":            {},
		"/region/eu-west-1/x/model/m/invoke":        {},
		"/model//invoke":                            {},
		"/model/%/invoke":                           {},
		"/model/m/invoke/":                          {},
		"model/m/invoke":                            {},
		"/MODEL/m/invoke":                           {},
		"":                                          {},
	} {
		got, ok := parsePath(escaped)
		if got != want || ok != (want != path{}) {
			t.Errorf("parsePath(%q) = %+v, %t, want %+v", escaped, got, ok, want)
		}
	}
}

// FuzzParsePath: a path that is not of an operation is zero; one that is decodes
// to what, encoded as the SDKs do, decodes to the same. No model id is lost.
func FuzzParsePath(f *testing.F) {
	f.Add("/model/apac.x-v1:0/invoke")
	f.Add("/region/eu-west-1/model/a%2Fb%3A0/invoke")
	f.Add("/model/%E1%88%B4/")
	f.Fuzz(func(t *testing.T, escaped string) {
		got, ok := parsePath(escaped)
		if !ok {
			if got != (path{}) {
				t.Fatalf("parsePath(%q) = %+v, false, want zero", escaped, got)
			}
		} else {
			again := "/model/" + url.PathEscape(got.model) + "/" + url.PathEscape(got.action)
			if got.region != "" {
				again = "/region/" + string(got.region) + again
			}
			if second, ok := parsePath(again); !ok || second != got {
				t.Fatalf("parsePath(%q) = %+v, %t, want %+v", again, second, ok, got)
			}
		}
		if escaped != "" {
			if got, ok := parsePath("/model/" + url.PathEscape(escaped) + "/invoke"); !ok || got.model != escaped {
				t.Fatalf("model id %q is decoded as %q, %t", escaped, got.model, ok)
			}
		}
	})
}
