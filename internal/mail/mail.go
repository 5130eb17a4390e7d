// Package mail delivers the messages of a user pool: SMTP sends them, Log shows
// them to whoever develops against the pool.
package mail

import (
	"context"
	"log/slog"
)

// Medium is how a message travels, by Cognito's name.
type Medium string

// The media that Cognito knows.
const (
	Email Medium = "EMAIL"
	SMS   Medium = "SMS"
)

// Message is one message to one user.
type Message struct {
	Medium   Medium
	To       string // an e-mail address, or a phone number as "+6512345678"
	Subject  string // of an e-mail
	Body     string // HTML in an e-mail, as Cognito sends it; the code is in it
	Code     string // the code alone
	Username string
}

// Log delivers by writing to a log, codes and all: it is for development only.
type Log struct{ log *slog.Logger }

// NewLog is a courier that writes to log.
func NewLog(log *slog.Logger) *Log { return &Log{log} }

// Deliver writes one line. It never fails.
func (l *Log) Deliver(ctx context.Context, m Message) error {
	l.log.InfoContext(ctx, "verification code", "code", m.Code, "username", m.Username, "medium", string(m.Medium), "to", m.To)
	return nil
}
