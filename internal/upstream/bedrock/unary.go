package bedrock

import (
	"context"
	"io"
	"time"

	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// A region shows nothing of a unary answer before it is complete. For as long as
// there is only that to wait for, the stream says every pulse that it is waited
// for, and the call is given up at the answer timeout.
const (
	pulse = 5 * time.Second
	// soon is how long Invoke itself waits, so that what is refused at once is
	// refused by Invoke.
	soon = time.Second
)

// answer is a unary answer on its way.
type answer struct {
	region  inference.Region
	cancel  context.CancelFunc // of the request
	arrived chan arrival       // has room for the one
	alive   bool               // the first sign of life was given
	ended   error              // what Next gives from here on
}

// arrival is the answer, or what came of it.
type arrival struct {
	event inference.Event
	err   error
}

// unary asks for an answer and waits for all of it.
func (u *Upstream) unary(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	event, err := u.ask(ctx, t, r)
	if err != nil {
		return nil, err
	}
	a := &answer{region: t.Region, cancel: func() {}, arrived: make(chan arrival, 1)}
	a.arrived <- arrival{event, nil}
	return a, nil
}

// patient asks for an answer and shows life while it is awaited.
func (u *Upstream) patient(ctx context.Context, t inference.Target, r *inference.Request) (inference.Stream, error) {
	call, cancel := context.WithTimeout(ctx, u.answerTimeout)
	a := &answer{region: t.Region, cancel: cancel, arrived: make(chan arrival, 1)}
	go func() {
		event, err := u.ask(call, t, r)
		a.arrived <- arrival{event, err}
	}()
	wait := time.NewTimer(soon)
	defer wait.Stop()
	select {
	case got := <-a.arrived:
		if got.err != nil {
			cancel()
			return nil, got.err
		}
		a.arrived <- got
	case <-ctx.Done():
		cancel()
		return nil, lost(ctx, ctx.Err())
	case <-wait.C:
	}
	return a, nil
}

// ask is a unary call from its request to the last byte of its answer.
func (u *Upstream) ask(ctx context.Context, t inference.Target, r *inference.Request) (inference.Event, error) {
	response, err := u.send(ctx, t, r, r.Operation)
	if err != nil {
		return inference.Event{}, err
	}
	defer response.Body.Close()
	body, err := whole(response, MaxAnswer)
	if err != nil {
		return inference.Event{}, lost(ctx, err)
	}
	return invocation.Inspect(r.Operation).Body(response.Header, body), nil
}

// Next shows life at once, then with each pulse until the answer is there.
func (a *answer) Next(ctx context.Context) (inference.Event, error) {
	if a.ended != nil {
		return inference.Event{}, a.ended
	}
	if ctx.Err() == nil && !a.alive {
		a.alive = true
		return inference.Event{}, nil
	}
	event, err := a.wait(ctx)
	switch {
	case err != nil:
		a.ended = located(err, a.region)
		a.cancel()
		return inference.Event{}, a.ended
	case event.Final:
		a.ended = io.EOF
	}
	return event, nil
}

func (a *answer) wait(ctx context.Context) (inference.Event, error) {
	if ctx.Err() != nil {
		return inference.Event{}, lost(ctx, ctx.Err())
	}
	silence := time.NewTimer(pulse)
	defer silence.Stop()
	select {
	case got := <-a.arrived:
		return got.event, got.err
	case <-silence.C:
		return inference.Event{}, nil
	case <-ctx.Done():
		return inference.Event{}, lost(ctx, ctx.Err())
	}
}

// Close gives the request up, if it still runs.
func (a *answer) Close() error {
	a.cancel()
	return nil
}
