package route

import (
	"context"
	"testing"

	"fairway/internal/inference"
)

// endless gives content without end.
type endless struct{}

func (endless) Next(context.Context) (inference.Event, error) { return content, nil }
func (endless) Close() error                                  { return nil }

// BenchmarkRelay: what a chunk costs on its way through, behind the commit point.
func BenchmarkRelay(b *testing.B) {
	w := &world{regions: map[inference.Region]behaviour{"a": func(context.Context) (inference.Stream, error) { return endless{}, nil }}}
	got, err := run(b.Context(), New(Config{Upstream: w}), streamed, targets("a"))
	if err != nil {
		b.Fatal(err)
	}
	defer got.Stream.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := got.Stream.Next(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
