package server

import (
	"context"
	"time"

	"fairway/internal/dialect/invocation"
	"fairway/internal/inference"
	"fairway/internal/tokens"
)

// What is learned from answers: of bodies that are quick to read, a few a second, kept
// for all servers of the store once a minute.
const (
	longestLesson = 256 << 10 // bytes
	lessonEvery   = 20 * time.Millisecond
	lessonsKept   = time.Minute
)

// learn corrects the estimates of a model by what one of its answers reports of the
// prompt.
func (s *Server) learn(r *inference.Request, model inference.ModelID, real int) {
	now := s.now().UnixNano()
	last := s.lesson.Load()
	if len(r.Body) > longestLesson || now-last < int64(lessonEvery) || !s.lesson.CompareAndSwap(last, now) {
		return
	}
	form, err := invocation.Of(r.Operation, model)
	if err != nil {
		return
	}
	if conversation, err := form.Decode(r.Body); err == nil {
		s.estimator.Calibrate(model, tokens.FamilyOf(model).Read(conversation), real)
	}
}

// keepLessons shares what is learned with the other servers of the store.
func (s *Server) keepLessons(ctx context.Context) {
	every := time.NewTicker(lessonsKept)
	defer every.Stop()
	for {
		s.shareLessons(ctx)
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) shareLessons(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	err := s.estimator.Flush(ctx, s.store, s.now())
	if err == nil {
		err = s.estimator.Load(ctx, s.store)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("calibrations not shared", "error", err)
	}
}
