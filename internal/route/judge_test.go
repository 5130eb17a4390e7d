package route

import (
	"testing"

	"fairway/internal/inference"
)

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		name string
		err  inference.Error
		want verdict
	}{
		{"validation", inference.Error{Kind: inference.Validation}, stop},
		{"not on demand there", inference.Error{Kind: inference.Validation, Message: "Invocation of model ID x with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that contains this model."}, nextWithoutBlame},
		{"conflict", inference.Error{Kind: inference.Conflict}, stop},
		{"canceled", inference.Error{Kind: inference.Canceled, Transport: true}, stop},
		{"use-case form", inference.Error{Kind: inference.ResourceNotFound, Message: "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model."}, stop},
		{"retired", inference.Error{Kind: inference.ResourceNotFound, EndOfLife: true}, stop},
		{"not in region", inference.Error{Kind: inference.ResourceNotFound}, nextWithoutBlame},
		{"not entitled", inference.Error{Kind: inference.AccessDenied, Message: "You don't have access to the model with the specified model ID."}, nextWithoutBlame},
		{"region not opted into", inference.Error{Kind: inference.UnrecognizedClient}, nextWithoutBlame},
		{"quota", inference.Error{Kind: inference.ServiceQuotaExceeded}, nextWithoutBlame},
		{"throttling", inference.Error{Kind: inference.Throttling}, nextWithoutBlame},
		{"model error 500", inference.Error{Kind: inference.ModelError, OriginalStatus: 500}, nextOnce},
		{"model error 400", inference.Error{Kind: inference.ModelError, OriginalStatus: 400}, stop},
		{"model error", inference.Error{Kind: inference.ModelError}, stop},
		{"stream error", inference.Error{Kind: inference.ModelStreamError}, next},
		{"not ready", inference.Error{Kind: inference.ModelNotReady}, next},
		{"model timeout", inference.Error{Kind: inference.ModelTimeout}, next},
		{"internal", inference.Error{Kind: inference.InternalServer}, next},
		{"unavailable", inference.Error{Kind: inference.ServiceUnavailable}, next},
		{"transport", inference.Error{Kind: inference.ServiceUnavailable, Transport: true}, next},
		{"unheard of", inference.Error{Kind: "BadGatewayException"}, next},
	} {
		if got := judge(&test.err); got != test.want {
			t.Errorf("judge(%s) = %d, want %d", test.name, got, test.want)
		}
	}
}
