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
	Raw     []byte  // frame or body as it goes to the caller, never modified by who is given it
	Content bool    // carries model output: sending it is the commit point
	Final   bool    // the terminal event; a stream that ends without one was cut
	Usage   *Usage  // token counts so far, where the event carries them
	Served  *Served // on the first event or a unary one, where the region tells
}

// Service is how Bedrock is to serve a call, or served it, in its own words. An
// empty member was not given.
type Service struct {
	Latency string // "standard" or "optimized"
	Tier    string // "default", "priority", "flex" or "reserved"
}

// IsUsual reports whether the service is the one of a call that asks for none.
func (s Service) IsUsual() bool {
	return (s.Latency == "" || s.Latency == "standard") && (s.Tier == "" || s.Tier == "default")
}

// Served is what a region tells of a call beside the answer.
type Served struct {
	Service
	MS        int64 // milliseconds that a unary answer took, 0 where it is not told
	Simulated bool  // no model ran: the region is another Fairway's simulated one
}

// IsLifeSign reports whether e is the zero Event.
func (e Event) IsLifeSign() bool {
	return len(e.Raw) == 0 && !e.Content && !e.Final && e.Usage == nil
}

// Stream is an answer being read. Next returns the events in order, then io.EOF
// once the Final event has been returned; any other error is an *Error and ends
// the stream. The Raw of a frame is good until the next call of Next: whoever keeps
// it copies it. A unary body is the reader's own. While the region is at work there is an event every ten seconds or
// sooner, which tells slow from stuck. Next must not be called concurrently.
// Whoever holds the Stream closes it, at any time and more than once without
// harm; Close cancels what the region is still doing.
type Stream interface {
	Next(ctx context.Context) (Event, error)
	Close() error
}
