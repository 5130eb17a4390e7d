// Package cognito is the door of the embedded user pool and identity pool: the JSON
// protocol of Amazon Cognito, as aws-amplify speaks it. Every operation is a POST to
// the root that X-Amz-Target names; the pools do the work.
package cognito

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"fairway/internal/front"
	"fairway/internal/identitypool"
	"fairway/internal/userpool"
	"fairway/internal/wire/address"
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

	// Client tells whom a request counts against; nil is the network address that it
	// comes from. Behind a proxy that is the proxy's, and all its clients are one.
	Client func(*http.Request) string

	Guesses front.Rate // of operations that a secret could be guessed with; zero is front.GuessRate
	Others  front.Rate // of every other operation; zero is 300 at once and a hundred a second
}

var otherRate = front.Rate{Burst: 300, Every: 10 * time.Millisecond}

// Front is the door. It is an http.Handler, safe for concurrent use.
type Front struct {
	operations map[string]operation // by target
	guesses    *front.Limiter
	others     *front.Limiter
	client     func(*http.Request) string
	log        *slog.Logger
	now        func() time.Time
}

// New makes the door of c.
func New(c Config) *Front {
	f := &Front{
		operations: operationsOf(c.Users),
		guesses:    front.NewLimiter(cmp.Or(c.Guesses, front.GuessRate)),
		others:     front.NewLimiter(cmp.Or(c.Others, otherRate)),
		client:     c.Client,
		log:        c.Log,
		now:        c.Now,
	}
	if c.Identities != nil {
		addIdentityOperations(f.operations, c.Identities)
	}
	if f.client == nil {
		f.client = func(r *http.Request) string { return address.Client(r.RemoteAddr) }
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
	asked := front.Asked{ID: uuid.New(), Began: f.now()}
	w.Header().Set("X-Amzn-Requestid", asked.ID)
	name, output, err := f.serve(w, r)
	answer := answer{status: http.StatusOK, body: output}
	if err != nil {
		answer = failureOf(err)
	}
	asked.Operation, asked.Err, asked.Kind, asked.Status = name, err, answer.kind, answer.status
	asked.Log(r.Context(), f.log, "identity asked for", f.now())
	send(w, answer)
}

// serve runs the operation that r names. The name is empty where there is none such.
func (f *Front) serve(w http.ResponseWriter, r *http.Request) (name string, output any, err error) {
	target := r.Header.Get("X-Amz-Target")
	op, ok := f.operations[target]
	if !ok || len(r.Header.Values("X-Amz-Target")) > 1 {
		return "", nil, front.Refuse(unknownOperation, "there is no such operation here")
	}
	_, name, _ = strings.Cut(target, ".")
	if !isJSON(r.Header.Get("Content-Type")) {
		return name, nil, front.Refuse(serialization, "the content type has to be "+contentType)
	}
	limiter := f.others
	if op.guesses {
		limiter = f.guesses
	}
	if !limiter.Allow(f.client(r)+" "+name, f.now()) {
		return name, nil, front.Refuse(tooManyRequests, "Rate exceeded")
	}
	body, err := front.ReadShort(w, r, tooLarge, serialization)
	if err != nil {
		return name, nil, err
	}
	output, err = op.run(r.Context(), body)
	return name, output, err
}
