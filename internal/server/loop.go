package server

import (
	"context"
	"sync"
)

// loop runs beside the server until it is ended. The zero loop runs nothing.
type loop struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
}

// begin runs what run does, in place of what ran before.
func (l *loop) begin(run func(context.Context)) {
	l.end()
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.ended.Go(func() { run(ctx) })
}

// end ends the loop, and waits for that.
func (l *loop) end() {
	if l.stop != nil {
		l.stop()
	}
	l.ended.Wait()
}
