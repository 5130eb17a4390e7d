package bedrock

import (
	"context"
	"strings"
	"time"

	"fairway/internal/dialect"
	"fairway/internal/dialect/anthropic"
	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
)

// assembled is a unary answer made of a streamed one: each frame is a sign of
// life, the last one brings the answer.
type assembled struct {
	inference.Stream
	operation inference.Operation // that is asked for
	reader    *invocation.Reader
	writer    *invocation.Writer
	served    *inference.Served // as the stream's header says
}

// assembly prepares to ask for a unary answer as a stream. It reports false where
// that could give another answer than the call itself: unless the conversation
// holds all that the request says, the pieces may not hold all of the answer.
func assembly(t inference.Target, r *inference.Request) (*assembled, bool) {
	operation, model := streaming(t, r)
	if operation == "" || asksForTrace(r) {
		return nil, false
	}
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return nil, false
	}
	conversation, err := form.Decode(r.Body)
	if err != nil || !conversation.IsPlain() {
		return nil, false
	}
	reader, err := invocation.Read(operation, model)
	if err != nil {
		return nil, false
	}
	return &assembled{operation: operation, reader: reader, writer: form.Begin(head(r, model, conversation))}, true
}

// streaming is the operation that streams what r asks for, and the foundation
// model as far as the target's name tells it. It is empty where there is none, or
// no way to tell.
func streaming(t inference.Target, r *inference.Request) (inference.Operation, inference.ModelID) {
	at := strings.Index(t.Model, "anthropic.") // behind the prefix of a profile or an ARN
	model := inference.ModelID(t.Model[max(at, 0):])
	switch {
	case r.Operation == inference.Converse:
		return inference.ConverseStream, model
	case r.Operation == inference.InvokeModel && at >= 0:
		return inference.InvokeModelWithResponseStream, model
	}
	return "", ""
}

// asksForTrace reports whether the answer has members that frames spread
// differently: a guardrail's work.
func asksForTrace(r *inference.Request) bool {
	return r.Header.Get(guardrailHeader) != "" || r.Header.Get("X-Amzn-Bedrock-Trace") != ""
}

// head is the beginning of the answer, which pieces do not carry.
func head(r *inference.Request, model inference.ModelID, c *dialect.Conversation) dialect.Head {
	return dialect.Head{
		ID:      strings.ReplaceAll(r.ID, "-", ""),
		Model:   anthropic.ModelName(string(model)),
		Created: time.Now().Unix(),
		Fields:  c.Fields,
	}
}

// refusesStream reports whether a region that was asked for a stream may yet give
// the answer in one piece: the credentials may lack the permission to stream, the
// model may not stream what is asked.
func refusesStream(err error) bool {
	switch inference.AsError(err).Kind {
	case inference.AccessDenied, inference.Validation:
		return true
	}
	return false
}

// Next shows life with each frame and gives the answer with the last.
func (a *assembled) Next(ctx context.Context) (inference.Event, error) {
	event, err := a.Stream.Next(ctx)
	if err != nil {
		return inference.Event{}, err
	}
	if event.Served != nil {
		a.served = event.Served
	}
	pieces, err := a.reader.Read(event)
	if err != nil {
		return inference.Event{}, lost(ctx, err)
	}
	for _, p := range pieces {
		events, err := a.writer.Write(p)
		if err != nil {
			return inference.Event{}, lost(ctx, err)
		}
		if len(events) > 0 {
			return a.tell(events[0]), nil
		}
	}
	return inference.Event{}, nil
}

// tell puts on the answer what the stream's header says of how it was served.
func (a *assembled) tell(answer inference.Event) inference.Event {
	if a.served != nil {
		answer.Served.Service, answer.Served.Simulated = a.served.Service, a.served.Simulated
	}
	return answer
}
