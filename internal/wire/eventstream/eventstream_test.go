package eventstream

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/google/go-cmp/cmp"
)

// The vectors were made with the encoder of the AWS SDK for Go (bedrock.md 1.9).
var vectors = []struct {
	name, frame string
	got         func() []byte
}{
	{
		"event",
		"000000850000004bfd2a78930b3a6576656e742d747970650700056368756e6b0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e" +
			"0d3a6d6573736167652d747970650700056576656e747b226279746573223a2265794a306558426c496a6f6963476c755a794a39222c2270223a22616263227d730336a1",
		func() []byte {
			return Event("chunk", "application/json", []byte(`{"bytes":"eyJ0eXBlIjoicGluZyJ9","p":"abc"}`))
		},
	},
	{
		"exception",
		"000000b0000000614f5086b30f3a657863657074696f6e2d747970650700137468726f74746c696e67457863657074696f6e0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e" +
			"0d3a6d6573736167652d74797065070009657863657074696f6e7b226d657373616765223a22546f6f206d616e7920746f6b656e732c20706c656173652077616974206265666f726520747279696e6720616761696e2e227df70ae57f",
		func() []byte {
			return Exception("throttlingException", "Too many tokens, please wait before trying again.")
		},
	},
	{"empty", "000000100000000005c248eb7d98c8ff", func() []byte { return Append(nil, nil, nil) }},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		if got := hex.EncodeToString(v.got()); got != v.frame {
			t.Errorf("%s = %s, want %s", v.name, got, v.frame)
		}
		if _, err := Parse(v.got()); err != nil {
			t.Errorf("Parse(%s) error = %v, want none", v.name, err)
		}
	}
}

// every has a header of each type, in the order of their numbers.
func every() Headers {
	return Headers(nil).With("yes", true).With("no", false).With("i8", int8(-1)).With("i16", int16(-2)).
		With("i32", int32(-3)).With("i64", int64(-4)).With("bytes", []byte{5, 0}).With("string", "six").
		With("time", time.UnixMilli(1_700_000_000_123)).With("uuid", UUID{9, 8, 7})
}

func TestHeaders(t *testing.T) {
	want := []any{true, false, int8(-1), int16(-2), int32(-3), int64(-4), []byte{5, 0}, "six",
		time.UnixMilli(1_700_000_000_123).UTC(), UUID{9, 8, 7}}
	var got []any
	for _, value := range every().All() {
		got = append(got, value)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("All() (-want +got):\n%s", diff)
	}
	if got := every().Text("string"); string(got) != "six" {
		t.Errorf(`Text("string") = %q, want "six"`, got)
	}
	for _, name := range []string{"bytes", "none", ""} {
		if got := every().Text(name); got != nil {
			t.Errorf("Text(%q) = %q, want nil", name, got)
		}
	}
}

// TestSDKReads: the SDK's decoder understands what is written here, and the other
// way round.
func TestSDKReads(t *testing.T) {
	frame := Append(nil, every(), []byte("payload"))
	message, err := sdk.NewDecoder().Decode(bytes.NewReader(frame), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range every().All() {
		got := message.Headers.Get(name)
		if uuid, ok := want.(UUID); ok {
			want = sdk.UUIDValue(uuid).String()
			if got.String() != want {
				t.Errorf("the SDK reads %s = %v, want %v", name, got, want)
			}
			continue
		}
		if diff := cmp.Diff(want, got.Get()); diff != "" {
			t.Errorf("the SDK reads %s (-want +got):\n%s", name, diff)
		}
	}
	var again bytes.Buffer
	if err := sdk.NewEncoder().Encode(&again, message); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Bytes(), frame) {
		t.Errorf("the SDK writes %x, want %x", again.Bytes(), frame)
	}
}

func TestWithRefuses(t *testing.T) {
	for name, build := range map[string]func(){
		"no name":        func() { Headers(nil).With("", "v") },
		"a long name":    func() { Headers(nil).With(strings.Repeat("n", 256), "v") },
		"a long value":   func() { Headers(nil).With("n", strings.Repeat("v", 1<<15)) },
		"another type":   func() { Headers(nil).With("n", 1.5) },
		"long bytes":     func() { Headers(nil).With("n", make([]byte, 1<<15)) },
		"an untyped int": func() { Headers(nil).With("n", 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("With(%s) did not panic", name)
				}
			}()
			build()
		}()
	}
}

// with gives a frame in which f has changed something and both checksums are right.
func with(frame []byte, f func([]byte)) []byte {
	changed := bytes.Clone(frame)
	f(changed)
	binary.BigEndian.PutUint32(changed[8:], crc32.ChecksumIEEE(changed[:8]))
	end := len(changed) - 4
	binary.BigEndian.PutUint32(changed[end:], crc32.ChecksumIEEE(changed[:end]))
	return changed
}

var bad = map[string]struct {
	frame []byte
	want  error
}{
	"nothing":             {nil, ErrTruncated},
	"half a prelude":      {Event("a", "b", nil)[:7], ErrTruncated},
	"half a frame":        {Event("a", "b", nil)[:40], ErrTruncated},
	"a changed length":    {append([]byte{0, 0, 1}, Event("a", "b", nil)[3:]...), ErrPreludeChecksum},
	"a changed payload":   {bytes.Replace(Event("a", "b", []byte("payload")), []byte("payload"), []byte("paybacK"), 1), ErrMessageChecksum},
	"something behind it": {append(Event("a", "b", nil), 0), ErrLength},
	"headers longer than the frame": {with(Event("a", "b", nil), func(b []byte) {
		binary.BigEndian.PutUint32(b[4:], uint32(len(b)))
	}), ErrLength},
	"too large a payload":      {with(Event("a", "b", nil), func(b []byte) { binary.BigEndian.PutUint32(b, 1<<30) }), ErrTooLarge},
	"too large headers":        {with(Event("a", "b", nil), func(b []byte) { binary.BigEndian.PutUint32(b[4:], MaxHeaders+1) }), ErrTooLarge},
	"a header without a name":  {Append(nil, Headers{0, typeTrue}, nil), ErrHeaders},
	"a header cut in its name": {Append(nil, Headers{5, 'a'}, nil), ErrHeaders},
	"an unknown type":          {Append(nil, Headers{1, 'a', 10}, nil), ErrHeaders},
	"a value cut short":        {Append(nil, Headers{1, 'a', typeString, 0, 2, 'x'}, nil), ErrHeaders},
	"half a value's length":    {Append(nil, Headers{1, 'a', typeString, 0}, nil), ErrHeaders},
	"half a number":            {Append(nil, Headers{1, 'a', typeInt64, 0}, nil), ErrHeaders},
}

func TestParseRefuses(t *testing.T) {
	for name, test := range bad {
		if m, err := Parse(test.frame); !errors.Is(err, test.want) || m.Headers != nil || m.Payload != nil {
			t.Errorf("Parse(%s) = %v, %v, want %v", name, m, err, test.want)
		}
	}
}

func TestReader(t *testing.T) {
	var stream []byte
	var want [][]byte
	for n := range 60 {
		frame := Event("chunk", "application/json", bytes.Repeat([]byte{byte(n)}, n*n*7))
		want = append(want, frame)
		stream = append(stream, frame...)
	}
	for name, from := range map[string]io.Reader{
		"at once":         bytes.NewReader(stream),
		"byte by byte":    iotest.OneByteReader(bytes.NewReader(stream)),
		"half the buffer": iotest.HalfReader(bytes.NewReader(stream)),
		"data with EOF":   iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		r := NewReader(from, 0)
		var got [][]byte
		for {
			frame, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: Next error = %v", name, err)
			}
			got = append(got, bytes.Clone(frame))
		}
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%s: read %d frames that are not the %d that were sent", name, len(got), len(want))
		}
	}
}

func TestReaderErrors(t *testing.T) {
	broken := errors.New("connection reset")
	good := Event("a", "b", []byte("payload"))
	for name, test := range map[string]struct {
		from io.Reader
		max  int
		want error
	}{
		"cut in the prelude":  {bytes.NewReader(good[:5]), 0, ErrTruncated},
		"cut in the payload":  {bytes.NewReader(good[:len(good)-1]), 0, ErrTruncated},
		"a bad prelude":       {bytes.NewReader(bad["a changed length"].frame), 0, ErrPreludeChecksum},
		"a bad payload":       {bytes.NewReader(bad["a changed payload"].frame), 0, ErrMessageChecksum},
		"a frame above limit": {bytes.NewReader(good), 6, ErrTooLarge},
		"a broken connection": {io.MultiReader(bytes.NewReader(good[:5]), iotest.ErrReader(broken)), 0, broken},
		"no progress":         {stuck{}, 0, io.ErrNoProgress},
	} {
		r := NewReader(test.from, test.max)
		for range 2 { // it stays so
			if frame, err := r.Next(); frame != nil || !errors.Is(err, test.want) {
				t.Errorf("%s: Next() = %x, %v, want %v", name, frame, err, test.want)
			}
		}
	}
	if frame, err := NewReader(bytes.NewReader(good), 7).Next(); err != nil || !bytes.Equal(frame, good) {
		t.Errorf("Next() at the limit = %x, %v, want the frame", frame, err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// TestReaderWaitsForBytes: a frame that says it is large costs no memory before it
// is there.
func TestReaderWaitsForBytes(t *testing.T) {
	head := with(Event("a", "b", nil), func(b []byte) { binary.BigEndian.PutUint32(b, MaxPayload) })[:preludeLength]
	r := NewReader(bytes.NewReader(head), 0)
	if _, err := r.Next(); err != ErrTruncated {
		t.Errorf("Next() error = %v, want %v", err, ErrTruncated)
	}
	if cap(r.block) > blockSize {
		t.Errorf("it holds %d bytes for the %d that came, want at most %d", cap(r.block), len(head), blockSize)
	}
}

// FuzzParse: an error means no message; what parses is what Append would write, and
// Reader and the SDK agree on the payload.
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.got())
	}
	f.Add(Append(nil, every(), []byte("payload")))
	for _, b := range bad {
		f.Add(b.frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := Parse(frame)
		if err != nil {
			if m.Headers != nil || m.Payload != nil {
				t.Fatalf("Parse(%x) = %v with error %v, want the zero Message", frame, m, err)
			}
			return
		}
		if again := Append(nil, m.Headers, m.Payload); !bytes.Equal(again, frame) {
			t.Errorf("Append of Parse(%x) = %x", frame, again)
		}
		if got, err := NewReader(bytes.NewReader(frame), 0).Next(); err != nil || !bytes.Equal(got, frame) {
			t.Errorf("Reader(%x) = %x, %v", frame, got, err)
		}
		theirs, err := sdk.NewDecoder().Decode(bytes.NewReader(frame), nil)
		if err != nil || !bytes.Equal(theirs.Payload, m.Payload) {
			t.Errorf("the SDK reads %x as %x, %v, want payload %x", frame, theirs.Payload, err, m.Payload)
		}
	})
}

// FuzzRoundTrip: what is written is read.
func FuzzRoundTrip(f *testing.F) {
	f.Add("chunk", "application/json", []byte(`{"bytes":""}`))
	f.Fuzz(func(t *testing.T, event, content string, payload []byte) {
		if len(event) >= 1<<15 || len(content) >= 1<<15 {
			return
		}
		m, err := Parse(Event(event, content, payload))
		if err != nil || string(m.Headers.Text(EventType)) != event || !bytes.Equal(m.Payload, payload) {
			t.Errorf("Parse(Event(%q, %q, %x)) = %q, %x, %v", event, content, payload, m.Headers.Text(EventType), m.Payload, err)
		}
	})
}

var sample = Event("chunk", "application/json", []byte(`{"bytes":"`+strings.Repeat("eyJ0", 30)+`","p":"abcdefgh"}`))

func BenchmarkAppend(b *testing.B) {
	m, _ := Parse(sample)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(dst[:0], m.Headers, m.Payload)
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(sample); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	r := NewReader(&endless{text: bytes.Repeat(sample, 50)}, 0)
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
