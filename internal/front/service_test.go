package front

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"fairway/internal/inference"
)

func TestServiceError(t *testing.T) {
	for _, tt := range []struct {
		err    inference.Error
		status int
		name   string
		body   string
		retry  string
	}{
		{inference.Error{Kind: inference.Validation, Message: "a <b> & \u2019"}, 400, "ValidationException", "{\"message\":\"a <b> & \u2019\"}", ""},
		{inference.Error{Kind: inference.Throttling, Message: "m", RetryAfter: 1500 * time.Millisecond}, 429, "ThrottlingException", `{"message":"m"}`, "2"},
		{inference.Error{Kind: inference.MissingAuth, Message: "m"}, 403, "MissingAuthenticationTokenException", `{"Message":"m"}`, ""},
		{inference.Error{Kind: inference.AccessDenied, Message: "User: x is not"}, 403, "AccessDeniedException", `{"Message":"User: x is not"}`, ""},
		{inference.Error{Kind: inference.AccessDenied, Message: "You don't"}, 403, "AccessDeniedException", `{"message":"You don't"}`, ""},
		{inference.Error{Kind: inference.ModelError, Message: "m", OriginalStatus: 500}, 424, "ModelErrorException", `{"message":"m","originalStatusCode":500}`, ""},
		{inference.Error{Kind: inference.InternalServer, Message: "cable", Transport: true}, 503, "ServiceUnavailableException", `{"message":"Bedrock is unable to process your request."}`, ""},
	} {
		got := ServiceError(&tt.err)
		name := tt.name + ":http://internal.amazon.com/coral/com.amazon.bedrock/"
		if got.Status != tt.status || string(got.Body) != tt.body || got.Header.Get("X-Amzn-Errortype") != name || got.Header.Get("Retry-After") != tt.retry {
			t.Errorf("ServiceError(%v) = %d %v %s, want %d %s %s", &tt.err, got.Status, got.Header, got.Body, tt.status, name, tt.body)
		}
		if !json.Valid(got.Body) {
			t.Errorf("ServiceError(%v) = %s, want JSON", &tt.err, got.Body)
		}
	}
}

// TestServiceWriter: two names go out in the service's own case.
func TestServiceWriter(t *testing.T) {
	recorder := httptest.NewRecorder()
	response := UnknownOperation(http.StatusNotFound)
	response.Header.Set("X-Amzn-Requestid", "id")
	Respond(ServiceWriter(recorder), response)
	var header map[string][]string = recorder.Header()
	for _, name := range []string{"x-amzn-RequestId", "x-amzn-ErrorType", "Content-Length"} {
		if len(header[name]) != 1 {
			t.Errorf("%s = %q in %v, want one value", name, header[name], header)
		}
	}
	if len(header["X-Amzn-Requestid"]) != 0 || recorder.Code != 404 || recorder.Body.Len() == 0 {
		t.Errorf("the answer is %d %v %s, want 404 without Go's name", recorder.Code, header, recorder.Body)
	}
}
