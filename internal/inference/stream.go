package inference

import "context"

// Event is one piece of an answer. A unary answer is a stream of one event that
// is content, final and carries the usage.
type Event struct {
	Raw     []byte // the frame or body as the region sent it, never modified
	Content bool   // carries model output: sending it is the commit point
	Final   bool   // the terminal event; a stream that ends without one was cut
	Usage   *Usage // token counts so far, where the event carries them
}

// Stream is an answer being read. Next returns the events in order, then io.EOF
// once the Final event has been returned; any other error is an *Error and ends
// the stream. Next must not be called concurrently. Whoever holds the Stream
// closes it, at any time and more than once without harm; Close cancels what the
// region is still doing.
type Stream interface {
	Next(ctx context.Context) (Event, error)
	Close() error
}
