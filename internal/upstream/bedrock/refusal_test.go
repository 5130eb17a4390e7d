package bedrock

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

func TestRefusal(t *testing.T) {
	const coral = ":http://internal.amazon.com/coral/com.amazon.bedrock/"
	for _, test := range []struct {
		name   string
		status int
		header http.Header
		body   string
		want   inference.Error
	}{
		{"by the header", 429, http.Header{"X-Amzn-Errortype": {"ThrottlingException" + coral}}, `{"message":"Too many tokens, please wait before trying again."}`,
			inference.Error{Kind: inference.Throttling, Message: "Too many tokens, please wait before trying again."}},
		{"a capital message", 403, http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, `{"Message":"User: x is not authorized"}`,
			inference.Error{Kind: inference.AccessDenied, Message: "User: x is not authorized"}},
		{"by the body's type", 400, nil, `{"__type":"com.amazon.bedrock#ServiceQuotaExceededException","message":"m"}`,
			inference.Error{Kind: inference.ServiceQuotaExceeded, Message: "m"}},
		{"by the body's code", 429, nil, `{"code":"ModelNotReadyException","message":"m"}`,
			inference.Error{Kind: inference.ModelNotReady, Message: "m"}},
		{"a model error", 424, http.Header{"X-Amzn-Errortype": {"ModelErrorException"}}, `{"message":"m","originalStatusCode":503,"resourceName":"r"}`,
			inference.Error{Kind: inference.ModelError, Message: "m", OriginalStatus: 503}},
		{"a retired model", 404, http.Header{"X-Amzn-Errortype": {"ResourceNotFoundException"}}, `{"message":"This model version has reached the end of its life. Please refer to the AWS documentation for more details."}`,
			inference.Error{Kind: inference.ResourceNotFound, EndOfLife: true, Message: "This model version has reached the end of its life. Please refer to the AWS documentation for more details."}},
		{"the use-case form", 404, http.Header{"X-Amzn-Errortype": {"FTUFormNotFilled"}}, `{"message":"m"}`,
			inference.Error{Kind: inference.ResourceNotFound, Message: "m"}},
		{"a credential", 403, http.Header{"X-Amzn-Errortype": {"UnrecognizedClientException"}}, `{"message":"The security token included in the request is invalid."}`,
			inference.Error{Kind: inference.UnrecognizedClient, Message: "The security token included in the request is invalid."}},
		{"seconds to wait", 503, http.Header{"Retry-After": {"7"}}, `{"message":"m"}`,
			inference.Error{Kind: inference.ServiceUnavailable, Message: "m", RetryAfter: 7 * time.Second}},
		{"a wait below zero", 503, http.Header{"Retry-After": {"-7"}}, `{"message":"m"}`,
			inference.Error{Kind: inference.ServiceUnavailable, Message: "m"}},
		{"502 without a body", 502, nil, "", inference.Error{Kind: inference.ServiceUnavailable, Message: unavailable}},
		{"504 with a proxy's page", 504, nil, "<html>gateway timeout</html>", inference.Error{Kind: inference.ServiceUnavailable, Message: unavailable}},
		{"500", 500, nil, "{}", inference.Error{Kind: inference.InternalServer, Message: unexpected}},
		{"408", 408, nil, "{}", inference.Error{Kind: inference.ModelTimeout, Message: unexpected}},
		{"413", 413, nil, "", inference.Error{Kind: inference.Validation, Message: unexpected}},
		{"a redirect", 301, http.Header{"Location": {"https://evil.example"}}, "", inference.Error{Kind: inference.InternalServer, Message: unexpected}},
		{"a name that is not known", 418, http.Header{"X-Amzn-Errortype": {"TeapotException"}}, `{"message":"m"}`,
			inference.Error{Kind: inference.Validation, Message: "m"}},
	} {
		header := test.header
		if header == nil {
			header = http.Header{}
		}
		test.want.Foreign = strings.Contains(strings.ToLower(test.body), `"message"`)
		got := refusal(&http.Response{StatusCode: test.status, Header: header}, []byte(test.body))
		if diff := cmp.Diff(test.want, *got); diff != "" {
			t.Errorf("%s: refusal() (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"Sun, 22 Nov 2026 10:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 09:00:00 GMT": 0,
		"Sun, 22 Nov 2026 12:00:00 GMT": time.Hour,
		"Fri, 31 Dec 9999 23:59:59 GMT": time.Hour,
		"-5":                            0,
		"3600":                          time.Hour,
		"31536000":                      time.Hour,
		"9223372037":                    time.Hour, // overflows as nanoseconds
		"12000000000":                   time.Hour, // likewise, to above zero
		"99999999999999999999":          time.Hour,
		"-99999999999999999999":         0,
		"soon":                          0,
		"":                              0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("retryAfter(%q) = %s, want %s", value, got, want)
		}
	}
}

// FuzzRefusal: whatever a region answers, there is a kind that has a status, and a
// message.
func FuzzRefusal(f *testing.F) {
	f.Add(429, "ThrottlingException:http://x/", `{"message":"m"}`, "5")
	f.Add(404, "", `{"__type":"a#ResourceNotFoundException","Message":"reached the end of its life"}`, "")
	f.Add(502, "", "<html>", "Sun, 22 Nov 2026 10:00:30 GMT")
	f.Fuzz(func(t *testing.T, status int, kind, body, wait string) {
		got := refusal(&http.Response{StatusCode: status, Header: http.Header{"X-Amzn-Errortype": {kind}, "Retry-After": {wait}}}, []byte(body))
		if got.Kind == "" || got.Kind.Status() < 400 || got.Message == "" || got.RetryAfter < 0 || got.RetryAfter > longestWait || got.Transport {
			t.Errorf("refusal(%d, %q, %q) = %+v, want a kind with a message", status, kind, body, got)
		}
	})
}
