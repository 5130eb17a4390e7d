package inference

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		err  Error
		want int
	}{
		{Error{Kind: Validation}, 400},
		{Error{Kind: AccessDenied}, 403},
		{Error{Kind: Throttling}, 429},
		{Error{Kind: ServiceUnavailable}, 503},
		{Error{Kind: ServiceUnavailable, Transport: true}, 0},
		{Error{Kind: Canceled}, 499},
		{Error{Kind: "BadGatewayException"}, 500},
	} {
		if got := test.err.Status(); got != test.want {
			t.Errorf("(%+v).Status() = %d, want %d", test.err, got, test.want)
		}
	}
}

func TestAsError(t *testing.T) {
	throttled := &Error{Kind: Throttling}
	if got := AsError(fmt.Errorf("call: %w", throttled)); got != throttled {
		t.Errorf("AsError(a wrapped *Error) = %v, want that *Error", got)
	}
	got := AsError(io.ErrUnexpectedEOF)
	if got.Kind != InternalServer || !errors.Is(got, io.ErrUnexpectedEOF) || strings.Contains(got.Message, "EOF") {
		t.Errorf("AsError(unexpected EOF) = %v, want InternalServerException that keeps the cause to itself", got)
	}
}

// quoted is a message that has words of the request in it.
var quoted = &Error{
	Kind: Validation, Op: "invoke model", Region: "ap-southeast-1",
	Message: "#/messages/0/role: MYSECRET is not a valid enum value", Err: io.ErrUnexpectedEOF,
}

func TestErrorLines(t *testing.T) {
	for _, test := range []struct {
		name        string
		err         *Error
		text, inLog string
	}{
		{"kind alone", &Error{Kind: Conflict}, "ConflictException", "ConflictException"},
		{
			"all parts", &Error{Kind: Throttling, Op: "invoke model", Region: "eu-west-1", Message: "Too many tokens.", Err: io.EOF},
			"invoke model: eu-west-1: ThrottlingException: Too many tokens.: EOF",
			"invoke model: eu-west-1: ThrottlingException: Too many tokens.: EOF",
		},
		{
			"a message that may quote the request", quoted,
			"invoke model: ap-southeast-1: ValidationException: #/messages/0/role: MYSECRET is not a valid enum value: unexpected EOF",
			"invoke model: ap-southeast-1: ValidationException: unexpected EOF",
		},
		{
			"a message of somebody else", &Error{Kind: InternalServer, Op: "invoke model", Message: "MYSECRET", Foreign: true, Err: io.EOF},
			"invoke model: InternalServerException: MYSECRET: EOF", "invoke model: InternalServerException: EOF",
		},
		{
			"one down the chain", &Error{Kind: ServiceUnavailable, Message: "m", Err: fmt.Errorf("wrapped: %w", quoted)},
			"ServiceUnavailableException: m: wrapped: " + quoted.Error(),
			"ServiceUnavailableException: m: invoke model: ap-southeast-1: ValidationException: unexpected EOF",
		},
	} {
		if got := test.err.Error(); got != test.text {
			t.Errorf("%s: Error() = %q, want %q", test.name, got, test.text)
		}
		if got := test.err.LogValue().String(); got != test.inLog {
			t.Errorf("%s: LogValue() = %q, want %q", test.name, got, test.inLog)
		}
	}
}

// TestLogsLeaveOutTheRequest: what handlers write of an error that was handed to
// them as any error is.
func TestLogsLeaveOutTheRequest(t *testing.T) {
	var err error = quoted
	var text bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("call refused", "error", err)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("call refused", slog.Any("error", err))
	if got := text.String(); strings.Contains(got, "MYSECRET") || strings.Count(got, "unexpected EOF") != 2 {
		t.Errorf("log = %s, want the cause and not the message", got)
	}
}
