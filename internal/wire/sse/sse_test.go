package sse

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type event struct{ Type, ID, Data string }

// readAll gives the events of a stream and the error that ended it.
func readAll(r *Reader) ([]event, error) {
	var events []event
	for {
		e, err := r.Next()
		if err != nil {
			return events, err
		}
		events = append(events, event{e.Type, e.ID, string(e.Data)})
	}
}

func TestReader(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []event
		err        error
	}{
		{"nothing", "", nil, io.EOF},
		{"Anthropic's", "event: ping\ndata: {\"type\": \"ping\"}\n\n", []event{{"ping", "", `{"type": "ping"}`}}, io.EOF},
		{"OpenAI's", "data: {}\n\ndata: [DONE]\n\n", []event{{"", "", "{}"}, {"", "", "[DONE]"}}, io.EOF},
		{"several lines", "data: a\ndata:b\ndata:  c\n\n", []event{{"", "", "a\nb\n c"}}, io.EOF},
		{"every line end", "data: a\r\ndata: b\rdata: c\n\r\n", []event{{"", "", "a\nb\nc"}}, io.EOF},
		{"carriage returns", "data: a\r\rdata: b\r\r", []event{{"", "", "a"}, {"", "", "b"}}, io.EOF},
		{"byte order mark", "\uFEFFdata: a\n\n\uFEFFdata: b\n\n", []event{{"", "", "a"}}, io.EOF},
		{"comments and other fields", ": hi\nretry: 3\nfoo\ndata: a\n\n:\n\n", []event{{"", "", "a"}}, io.EOF},
		{"no data", "event: a\n\ndata: b\n\n", []event{{"", "", "b"}}, io.EOF},
		{"data without value", "data\n\ndata:\n\n", []event{{}, {}}, io.EOF},
		{"an id lasts", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", []event{{"", "1", "a"}, {"", "1", "b"}, {"", "", "c"}}, io.EOF},
		{"an id with NUL", "id: 1\x00\ndata: a\n\n", []event{{"", "", "a"}}, io.EOF},
		{"cut in a line", "data: a\n\ndata: b", []event{{"", "", "a"}}, io.ErrUnexpectedEOF},
		{"cut after a line", "data: a\n", nil, io.ErrUnexpectedEOF},
		{"cut after a type", "event: a\n", nil, io.ErrUnexpectedEOF},
	} {
		for how, from := range map[string]io.Reader{
			"at once": strings.NewReader(test.text), "byte by byte": iotest.OneByteReader(strings.NewReader(test.text)),
		} {
			got, err := readAll(NewReader(from, 0))
			if diff := cmp.Diff(test.want, got); diff != "" || err != test.err {
				t.Errorf("%s, %s: error %v, want %v (-want +got):\n%s", test.name, how, err, test.err, diff)
			}
		}
	}
}

// TestReaderDoesNotWait: an event is there with the carriage return that ends it.
func TestReaderDoesNotWait(t *testing.T) {
	asked := errors.New("asked for more")
	r := NewReader(io.MultiReader(strings.NewReader("data: a\r\r"), iotest.ErrReader(asked)), 0)
	if e, err := r.Next(); err != nil || string(e.Data) != "a" {
		t.Errorf("Next() = %q, %v, want a", e.Data, err)
	}
	if _, err := r.Next(); err != asked {
		t.Errorf("Next() error = %v, want %v", err, asked)
	}
}

func TestReaderLimits(t *testing.T) {
	const limit = 100
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"a line at the limit":    {"data:" + strings.Repeat("x", limit-5) + "\n\n", nil},
		"a line above it":        {"data:" + strings.Repeat("x", limit-4) + "\n\n", ErrTooLarge},
		"many lines":             {strings.Repeat("data:x\n", 17) + "\n", ErrTooLarge},
		"a line without an end":  {strings.Repeat("x", 100_000), ErrTooLarge},
		"comments without data":  {strings.Repeat(": keep-alive\n\n", 100) + "data: a\n\n", nil},
		"comments without a gap": {strings.Repeat(": keep-alive\n", 100), ErrTooLarge},
	} {
		r := NewReader(strings.NewReader(test.text), limit)
		_, err := r.Next()
		if !errors.Is(err, test.want) {
			t.Errorf("%s: Next() error = %v, want %v", name, err, test.want)
		}
		if _, again := r.Next(); err != nil && again != err {
			t.Errorf("%s: then Next() error = %v, want it again", name, again)
		}
	}
}

func TestAppend(t *testing.T) {
	got := string(Append([]byte("x"), Event{Type: "a\nb", ID: "1", Data: []byte("c\r\nd\re\n")}))
	if want := "xevent: ab\nid: 1\ndata: c\ndata: d\ndata: e\ndata: \n\n"; got != want {
		t.Errorf("Append() = %q, want %q", got, want)
	}
}

// FuzzRoundTrip: what Append writes, Reader reads, apart from the ends of lines.
func FuzzRoundTrip(f *testing.F) {
	f.Add("message_start", "7", []byte("{}\n\r\n"))
	f.Add("", "", []byte{})
	f.Fuzz(func(t *testing.T, kind, id string, data []byte) {
		if strings.ContainsRune(id, 0) {
			return
		}
		got, err := readAll(NewReader(bytes.NewReader(Append(nil, Event{kind, id, data})), 0))
		want := event{lineEnds.Replace(kind), lineEnds.Replace(id), strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))}
		if len(got) != 1 || got[0] != want || err != io.EOF {
			t.Errorf("read %+v, %v, want %+v", got, err, want)
		}
	})
}

// FuzzReader: however the bytes come, the events are the same, and none is larger
// than the limit.
func FuzzReader(f *testing.F) {
	f.Add([]byte("event: a\r\ndata: b\r\rid: 1\n: c\ndata\n\n"))
	f.Add([]byte("\uFEFFdata: [DONE]\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		const limit = 64
		whole, err := readAll(NewReader(bytes.NewReader(text), limit))
		single, oneErr := readAll(NewReader(iotest.OneByteReader(bytes.NewReader(text)), limit))
		if diff := cmp.Diff(whole, single); diff != "" || err != oneErr {
			t.Errorf("byte by byte: error %v, want %v (-want +got):\n%s", oneErr, err, diff)
		}
		for _, e := range whole {
			if len(e.Data) > limit || len(e.Type) > limit || len(e.ID) > limit {
				t.Errorf("an event of %d bytes passed the limit", len(e.Data))
			}
		}
	})
}

func BenchmarkReader(b *testing.B) {
	one := Append(nil, Event{Type: "content_block_delta", Data: []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}`)})
	r := NewReader(&endless{text: bytes.Repeat(one, 50)}, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

type endless struct {
	text []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}
