package bedrock

import (
	"context"
	"io"

	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// answer is a unary answer. A region shows nothing of it before it is complete, so
// that Invoke waits for all of it (ADR 17).
type answer struct {
	region inference.Region
	event  inference.Event
	alive  bool  // the sign of life was given
	ended  error // what Next gives from here on
}

// unary asks for an answer and waits for all of it.
func (u *Upstream) unary(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	request, err := u.request(ctx, t, r, r.Operation)
	if err != nil {
		return nil, err
	}
	response, err := u.roundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := whole(response, MaxAnswer)
	if err != nil {
		return nil, lost(ctx, err)
	}
	return &answer{region: t.Region, event: invocation.Inspect(r.Operation).Body(response.Header, body)}, nil
}

// Next shows life, then gives the answer.
func (a *answer) Next(ctx context.Context) (inference.Event, error) {
	switch {
	case a.ended != nil:
	case ctx.Err() != nil:
		a.ended = located(lost(ctx, ctx.Err()), a.region)
	case a.alive:
		a.ended = io.EOF
		return a.event, nil
	default:
		a.alive = true
		return inference.Event{}, nil
	}
	return inference.Event{}, a.ended
}

// Close has nothing to give up.
func (*answer) Close() error { return nil }
