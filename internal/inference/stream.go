package inference

import "context"

// Event is one piece of an answer. A unary answer is one event that is content,
// final and carries the usage: Raw is its body. Of the streaming operations Raw is
// one whole frame of the operation's AWS event stream.
//
// An event without content says that the region has begun to answer, and each
// further one that it is still at it. The zero Event says nothing else: upstreams
// give it where there is nothing to show yet, and route keeps it to itself.
type Event struct {
	Raw     []byte // frame or body as it goes to the caller, never modified
	Content bool   // carries model output: sending it is the commit point
	Final   bool   // the terminal event; a stream that ends without one was cut
	Usage   *Usage // token counts so far, where the event carries them
}

// IsLifeSign reports whether e is the zero Event.
func (e Event) IsLifeSign() bool {
	return len(e.Raw) == 0 && !e.Content && !e.Final && e.Usage == nil
}

// Stream is an answer being read. Next returns the events in order, then io.EOF
// once the Final event has been returned; any other error is an *Error and ends
// the stream. While the region is at work there is an event every ten seconds or
// sooner, which tells slow from stuck. Next must not be called concurrently.
// Whoever holds the Stream closes it, at any time and more than once without
// harm; Close cancels what the region is still doing.
type Stream interface {
	Next(ctx context.Context) (Event, error)
	Close() error
}
