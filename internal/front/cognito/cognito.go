// Package cognito is the door of the embedded user pool and identity pool: the JSON
// protocol of Amazon Cognito, as aws-amplify speaks it. Every operation is a POST to
// the root that X-Amz-Target names; the pools do the work.
package cognito

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"fairway/internal/identitypool"
	"fairway/internal/userpool"
	"fairway/internal/wire/uuid"
)

// What X-Amz-Target begins with, before the name of the operation.
const (
	userPoolTarget     = "AWSCognitoIdentityProviderService."
	identityPoolTarget = "AWSCognitoIdentityService."
)

// contentType is of requests and answers.
const contentType = "application/x-amz-json-1.1"

// Config is what the door needs. Users, Log and Now are required.
type Config struct {
	Users      *userpool.Pool
	Identities *identitypool.Pool // nil where there is none
	Log        *slog.Logger
	Now        func() time.Time

	// Address tells whom a request counts against; nil is the network address that it
	// comes from. Behind a proxy that is the proxy's, and all its clients are one.
	Address func(*http.Request) string

	Guesses Rate // of operations that a secret could be guessed with; zero is 60 at once and ten a second
	Others  Rate // of every other operation; zero is 300 at once and a hundred a second
}

// Front is the door. It is an http.Handler, safe for concurrent use.
type Front struct {
	operations map[string]operation // by target
	guesses    *limiter
	others     *limiter
	address    func(*http.Request) string
	log        *slog.Logger
	now        func() time.Time
}

// New makes the door of c.
func New(c Config) *Front {
	f := &Front{
		operations: operationsOf(c.Users),
		guesses:    newLimiter(c.Guesses, guessRate),
		others:     newLimiter(c.Others, otherRate),
		address:    c.Address,
		log:        c.Log,
		now:        c.Now,
	}
	if c.Identities != nil {
		addIdentityOperations(f.operations, c.Identities)
	}
	if f.address == nil {
		f.address = remoteAddress
	}
	return f
}

// Serves reports whether r is for this door.
func Serves(r *http.Request) bool {
	target := r.Header.Get("X-Amz-Target")
	return r.Method == http.MethodPost && r.URL.EscapedPath() == "/" &&
		(strings.HasPrefix(target, userPoolTarget) || strings.HasPrefix(target, identityPoolTarget))
}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, began := uuid.New(), f.now()
	w.Header().Set("X-Amzn-Requestid", id)
	name, output, err := f.serve(w, r)
	f.logged(r.Context(), id, name, began, err)
	if err != nil {
		send(w, failureOf(err))
		return
	}
	send(w, answer{status: http.StatusOK, body: output})
}

// serve runs the operation that r names. The name is empty where there is none such.
func (f *Front) serve(w http.ResponseWriter, r *http.Request) (name string, output any, err error) {
	target := r.Header.Get("X-Amz-Target")
	op, ok := f.operations[target]
	if !ok || len(r.Header.Values("X-Amz-Target")) > 1 {
		return "", nil, refuse(unknownOperation, "there is no such operation here")
	}
	_, name, _ = strings.Cut(target, ".")
	if !isJSON(r.Header.Get("Content-Type")) {
		return name, nil, refuse(serialization, "the content type has to be "+contentType)
	}
	limiter := f.others
	if op.guesses {
		limiter = f.guesses
	}
	if !limiter.allow(f.address(r)+" "+name, f.now()) {
		return name, nil, refuse(tooManyRequests, "Rate exceeded")
	}
	body, err := read(w, r)
	if err != nil {
		return name, nil, err
	}
	output, err = op.run(r.Context(), body)
	return name, output, err
}

// logged writes the one line of a request. It holds nothing that a client sent.
func (f *Front) logged(ctx context.Context, id, name string, began time.Time, err error) {
	level, attributes := slog.LevelInfo, []slog.Attr{
		slog.String("request_id", id), slog.String("operation", name),
		slog.Int64("latency_ms", f.now().Sub(began).Milliseconds()),
	}
	if err != nil {
		failed := failureOf(err)
		attributes = append(attributes, slog.String("kind", failed.kind))
		if failed.status >= http.StatusInternalServerError && ctx.Err() == nil {
			level = slog.LevelError
			attributes = append(attributes, slog.Any("error", err))
		}
	}
	f.log.LogAttrs(ctx, level, "identity asked for", attributes...)
}
