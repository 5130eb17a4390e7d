package usage

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fairway/internal/inference"
)

// someRecords are one call that went well, one that failed and one that is unknown.
func someRecords() []Record {
	profile := "global.anthropic.claude-opus-4-6-v1"
	at := time.Date(2026, 4, 19, 23, 57, 1, 250_000_000, time.UTC)
	return []Record{{
		Record: inference.Record{
			ID: "8f1c3a52-0000-4000-8000-000000000001", Time: at, Operation: inference.ConverseStream,
			Principal: "R", Door: inference.DoorBedrock, Caller: "ana@example.com", UserID: "u-1", Key: "checkout-2026", Team: "x",
			Profile: &profile, Model: "anthropic.claude-opus-4-6-v1", SourceRegion: "us-west-2", DestinationRegion: "us-east-2",
			Attempts: []inference.Attempt{
				{Region: "us-west-2", Model: profile, Outcome: inference.Failed, Kind: inference.Throttling, Status: 429, MS: 12},
				{Region: "us-east-2", Model: profile, Outcome: inference.OK, Status: 200, MS: 700, Cost: 2_840_000},
			},
			Outcome: inference.OK, Usage: inference.Usage{InputTokens: 3, OutputTokens: 113},
			Reserved: 90_000_000, Cost: 2_840_000, Saved: -100, LatencyMS: 2_100,
		},
		PrincipalARN: "arn:aws:sts::123456789012:assumed-role/R/s",
	}, {
		Record: inference.Record{
			ID: "8f1c3a52-0000-4000-8000-000000000002", Time: at.Add(time.Second), Operation: inference.InvokeModel, Principal: "gone",
			Model: "amazon.nova-micro-v1:0", SourceRegion: "eu-west-1", Outcome: inference.Failed,
			Error: &inference.Failure{Status: 429, Type: inference.Throttling, Message: "Too many requests, please wait before trying again."},
		},
	}, {
		Record: inference.Record{
			ID: "8f1c3a52-0000-4000-8000-000000000003", Time: at.Add(time.Minute), Operation: inference.Converse, Principal: "R",
			Model: "amazon.nova-micro-v1:0", Fallback: "eu.amazon.nova-lite-v1:0", SourceRegion: "eu-west-1", Outcome: inference.Unknown,
			Reserved: 1_000_000, Cost: 1_000_000,
		},
	}}
}

// written are records on the wire, with their end.
func written(t *testing.T, records []Record, why error) string {
	t.Helper()
	var b bytes.Buffer
	w := NewRecordWriter(&b)
	for _, r := range records {
		if err := w.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(why); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRecords(t *testing.T) {
	want := someRecords()
	var got []Record
	n, err := ReadRecords(strings.NewReader(written(t, want, nil)), func(_ []byte, r *Record) error {
		got = append(got, *r)
		return nil
	})
	if diff := cmp.Diff(want, got); err != nil || n != len(want) || diff != "" {
		t.Errorf("ReadRecords = %d, %v\n%s", n, err, diff)
	}
}

func count([]byte, *Record) error { return nil }

// TestCut: a transfer that is cut anywhere is never taken for a whole one.
func TestCut(t *testing.T) {
	whole := written(t, someRecords(), nil)
	for end := range len(whole) - 1 { // the last newline says nothing
		if n, err := ReadRecords(strings.NewReader(whole[:end]), count); err == nil {
			t.Fatalf("ReadRecords of %d bytes of %d = %d records without an error", end, len(whole), n)
		}
	}
	first, _, _ := strings.Cut(whole, "\n")
	for text, want := range map[string]string{
		written(t, someRecords(), errors.New("the store is away")): "the server broke off: the store is away",
		first + "\n" + `{"complete":true,"records":2}`:             "1 came of 2",
		`{"complete":true,"records":0}` + "\n" + first:             "the end is not the last line",
		`{"complete":false,"records":0,"message":"m"}`:             "the server broke off: m",
		"":                                      "the transfer broke off",
		first + "\n" + `{"message":"Internal"}`: "the server broke off: Internal",
		strings.Repeat("x", maxLine+1):          "token too long",
	} {
		if _, err := ReadRecords(strings.NewReader(text), count); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadRecords(%.80s) = %v, want %q", text, err, want)
		}
	}
	errAway := errors.New("connection reset")
	if n, err := ReadRecords(io.MultiReader(strings.NewReader(first+"\n"), iotest.ErrReader(errAway)), count); n != 1 || !errors.Is(err, errAway) {
		t.Errorf("ReadRecords of a broken connection = %d, %v, want 1 and %v", n, err, errAway)
	}
	if n, err := ReadRecords(strings.NewReader(whole), func([]byte, *Record) error { return errAway }); n != 0 || !errors.Is(err, errAway) {
		t.Errorf("ReadRecords = %d, %v, want the error of who reads", n, err)
	}
}

// FuzzReadRecords: without an error, so many records came as the end says.
func FuzzReadRecords(f *testing.F) {
	f.Add(`{"request_id":"a","cost_usd":"0.1"}` + "\n" + `{"complete":true,"records":1}`)
	f.Add(`{"complete":false,"records":0,"message":"m"}`)
	f.Add("{}\n[]\n")
	f.Fuzz(func(t *testing.T, text string) {
		seen := 0
		n, err := ReadRecords(strings.NewReader(text), func([]byte, *Record) error { seen++; return nil })
		if n != seen {
			t.Fatalf("ReadRecords = %d, gave %d", n, seen)
		}
		if lines := strings.Count(strings.TrimSuffix(text, "\n"), "\n"); err == nil && lines != n {
			t.Fatalf("ReadRecords = %d of %d lines before the end", n, lines)
		}
	})
}

func BenchmarkReadRecords(b *testing.B) {
	var buf bytes.Buffer
	w := NewRecordWriter(&buf)
	for range 1000 {
		_ = w.Put(someRecords()[0])
	}
	_ = w.Close(nil)
	b.SetBytes(int64(buf.Len()))
	b.ReportAllocs()
	for b.Loop() {
		out, _ := NewExport(CSV, io.Discard)
		if _, err := ReadRecords(bytes.NewReader(buf.Bytes()), out.Put); err != nil {
			b.Fatal(err)
		}
	}
}
