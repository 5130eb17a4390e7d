package sim

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"fairway/internal/inference"
)

// Fault is what a region does instead of working.
type Fault string

// The faults. A call meets the fault that its region had when the call entered;
// only Down also drops the calls that are running.
const (
	Up          Fault = "up"       // none
	Down        Fault = "down"     // connections are refused
	Hang        Fault = "hang"     // accepts and never answers
	Slow        Fault = "slow"     // takes ten times as long
	Throttle    Fault = "throttle" // answers 429
	ServerError Fault = "5xx"      // answers 503
	Cut         Fault = "cut"      // drops the connection half-way through the reply
)

var faults = []Fault{Up, Down, Hang, Slow, Throttle, ServerError, Cut}

// ParseFault gives the fault of that name; the error is Validation and lists them.
func ParseFault(name string) (Fault, error) {
	if f := Fault(name); slices.Contains(faults, f) {
		return f, nil
	}
	return "", &inference.Error{
		Kind:    inference.Validation,
		Op:      "parse fault",
		Message: "no fault is called " + strconv.Quote(name) + ": use up, down, hang, slow, throttle, 5xx or cut",
	}
}

// What breaks a connection. These are causes; callers read an *inference.Error.
var (
	errRefused  = errors.New("connection refused")
	errWentDown = errors.New("connection reset: the simulated region went down")
	errCut      = errors.New("connection dropped half-way through the reply")
)

// meet is what the region's fault does to an arriving call.
func (v *visit) meet() error {
	switch v.fault {
	case Down:
		return v.transport(errRefused)
	case Hang:
		<-v.ctx.Done()
		return v.ctx.Err()
	case Throttle:
		v.region.countThrottled()
		return &inference.Error{Kind: inference.Throttling, Message: tooManyTokens}
	case ServerError:
		return &inference.Error{Kind: inference.ServiceUnavailable, Message: unableToProcess}
	}
	return nil
}

// failure is err as a caller gets it: whatever ended the call's context wins.
func (v *visit) failure(err error) error {
	switch cause := context.Cause(v.ctx); {
	case errors.Is(cause, errWentDown), errors.Is(cause, context.DeadlineExceeded), errors.Is(v.ctx.Err(), context.DeadlineExceeded):
		return v.transport(cause)
	case cause != nil:
		return &inference.Error{Kind: inference.Canceled, Op: op, Region: v.entry.name, Message: "the caller went away", Err: cause}
	case errors.Is(err, errCut):
		return v.transport(err)
	}
	e := *inference.AsError(err)
	e.Op, e.Region = op, v.entry.name
	return &e
}

// transport is the error of a call that got no HTTP answer.
func (v *visit) transport(cause error) *inference.Error {
	return &inference.Error{
		Kind:      inference.ServiceUnavailable,
		Op:        op,
		Region:    v.entry.name,
		Message:   unableToProcess,
		Transport: true,
		Err:       cause,
	}
}

// op is what a failed call was doing.
const op = "invoke model"
