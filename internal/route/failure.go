package route

import (
	"cmp"
	"context"
	"errors"

	"fairway/internal/inference"
)

const op = "invoke model"

// abandoned is the failure of a call that nobody waits for any longer: the caller
// left, or its deadline passed before the region had answered. Who ends a call for
// a reason of its own says as the cause what the caller is to be told.
func abandoned(ctx context.Context, region inference.Region) *inference.Error {
	if said, ok := errors.AsType[*inference.Error](context.Cause(ctx)); ok {
		return said
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return unanswered(region, context.Cause(ctx))
	}
	return &inference.Error{
		Kind: inference.Canceled, Op: op, Region: region, Transport: true,
		Message: "the caller went away", Err: context.Cause(ctx),
	}
}

// unanswered is the failure of a region that gave no answer, or half of one.
func unanswered(region inference.Region, cause error) *inference.Error {
	return &inference.Error{
		Kind: inference.ServiceUnavailable, Op: op, Region: region, Transport: true,
		Message: unavailable, Err: cause,
	}
}

// regional is err with the region it came from. An upstream that gave up while
// the caller is still there has not answered.
func regional(err error, region inference.Region) *inference.Error {
	e := *inference.AsError(err)
	if e.Kind == inference.Canceled {
		return unanswered(region, err)
	}
	e.Region = cmp.Or(e.Region, region)
	return &e
}
