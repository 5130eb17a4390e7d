package eventstream

import "encoding/json"

// The headers that say what a frame is.
const (
	MessageType   = ":message-type"   // "event", "exception" or "error"
	EventType     = ":event-type"     // of an event: the member of the stream's union
	ExceptionType = ":exception-type" // of an exception: that member
	ErrorCode     = ":error-code"     // of an error, which the service does not model
	ErrorMessage  = ":error-message"
	contentType   = ":content-type"
)

// EventHeaders are the headers of an event, in the order in which the services
// send them.
func EventHeaders(event, content string) Headers {
	return Headers(nil).With(EventType, event).With(contentType, content).With(MessageType, "event")
}

// ExceptionHeaders are the headers of an exception with a JSON payload. The kind
// is a member of the stream's union, "throttlingException".
func ExceptionHeaders(kind string) Headers {
	return Headers(nil).With(ExceptionType, kind).With(contentType, "application/json").With(MessageType, "exception")
}

// Event is the frame of an event.
func Event(event, content string, payload []byte) []byte {
	h := EventHeaders(event, content)
	return Append(make([]byte, 0, Size(h, payload)), h, payload)
}

// Exception is the frame of an exception that has a message and nothing else.
func Exception(kind, message string) []byte {
	text, _ := json.Marshal(map[string]string{"message": message}) // strings always encode
	return Append(nil, ExceptionHeaders(kind), text)
}
