// Package front is what the doors have in common: who calls, from which region,
// how much may be held, and what an answer tells of its route. The doors
// themselves are the packages below, one a dialect.
package front

import (
	"cmp"
	"context"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"time"

	"fairway/internal/inference"
	"fairway/internal/wire/address"
	"fairway/internal/wire/uuid"
)

// MaxBody is the service's limit on a request body, in bytes.
const MaxBody = 25_000_000

// Gateway runs a call along the straight line. Exactly one of the Stream and the
// error is non-nil. The Record is complete when the error is returned or the
// Stream is closed.
type Gateway interface {
	Invoke(ctx context.Context, r *inference.Request) (inference.Stream, *inference.Record, error)
}

// Authenticator finds who sent an HTTP request. It asks for the body only where a
// signature is over it, and when the head of the request has nothing against the
// caller; an error of body is returned as it is. The credential has the scope that
// was signed for; its Region is empty when the caller proved itself without one,
// as with a bearer key. Errors are *inference.Error.
type Authenticator interface {
	Authenticate(r *http.Request, body func() ([]byte, error)) (inference.Credential, error)
}

// Room bounds what is held at once. Errors are *inference.Error of kind
// Throttling, at once: nobody waits for room.
type Room interface {
	// Enter takes the place of one call; leave gives it back and may be called
	// more than once.
	Enter() (leave func(), err error)

	// Hold takes room for n bytes of a request that is kept for failover.
	Hold(n int64) (release func(), err error)
}

// Config is what a door needs. Gateway, Authenticator and Log are required.
type Config struct {
	Door          string // its name in records
	Gateway       Gateway
	Authenticator Authenticator
	DefaultRegion inference.Region // source region of requests that name none
	MaxBody       int64            // bytes; 0 is MaxBody
	WriteTimeout  time.Duration    // of one frame to a client; 0 is WriteTimeout
	Room          Room             // nil has no bound
	Log           *slog.Logger

	// PermitBearer decides whether a principal may come with a bearer key; nil lets it.
	// The error is the service's AccessDenied.
	PermitBearer func(p inference.Principal, source inference.Region, c inference.Circumstances) error
}

// Visit is one request that was let in.
type Visit struct {
	ID            string // request id, a UUID
	Door          string // that it came by
	Principal     inference.Principal
	Caller        inference.Caller        // who stands behind the principal
	Circumstances inference.Circumstances // under which it came
	Region        inference.Region        // source region
	Steering      inference.Steering
	Deadline      time.Time // when the caller stops waiting, zero where it does not say
	Body          []byte

	PayloadHash string // lower-case hex SHA-256 of the Body, where that was signed

	leave []func()
}

// Leave gives back the room that the visit takes: when its answer has been sent.
// It may be called more than once.
func (v *Visit) Leave() {
	for _, leave := range v.leave {
		leave()
	}
	v.leave = nil
}

// Admit authenticates r and reads its body. base is the region of a base path,
// empty without one. What the head of a request is enough to refuse is refused
// before its body is read. The visit is never nil, so that errors have its ID;
// the caller leaves it in any case. A client that sends slowly is cut off through w.
func (c *Config) Admit(w http.ResponseWriter, r *http.Request, base inference.Region) (*Visit, error) {
	v, err := c.enter()
	if err != nil {
		return v, err
	}
	body := sync.OnceValues(func() ([]byte, error) { return c.read(v, w, r) })
	credential, err := c.Authenticator.Authenticate(r, body)
	if err != nil {
		return v, err
	}
	if err := c.place(v, credential, r.Host, base); err != nil {
		return v, err
	}
	came(&v.Circumstances, r)
	if err := c.permitBearer(r.Context(), v, credential); err != nil {
		return v, err
	}
	if v.Steering, err = Steer(inference.Steering{}, r.Header); err != nil {
		return v, err
	}
	v.Deadline = Deadline(r.Header, time.Now())
	v.Body, err = body()
	return v, err
}

// AdmitInside is Admit for a caller inside the process, who has the whole body.
// The credential stands in for a signature and passes the same checks, without
// the HMAC: the zero Service is an unsigned request. How the call is steered is the
// caller's to say.
func (c *Config) AdmitInside(credential inference.Credential, host string, body []byte, base inference.Region) (*Visit, error) {
	v, err := c.enter()
	if err != nil {
		return v, err
	}
	v.Door = inference.DoorGraphQL // nobody else calls from inside
	if credential.Service == "" {
		return v, &inference.Error{Kind: inference.MissingAuth, Op: "authenticate", Message: "Missing Authentication Token"}
	}
	if err := c.place(v, credential, host, base); err != nil {
		return v, err
	}
	if err := CheckLength(int64(len(body)), c.maxBody()); err != nil {
		return v, err
	}
	v.Body = body
	return v, c.hold(v, int64(len(body)))
}

// enter takes the place of one call.
func (c *Config) enter() (*Visit, error) {
	v := &Visit{ID: uuid.New(), Door: c.Door}
	if c.Room == nil {
		return v, nil
	}
	leave, err := c.Room.Enter()
	if err == nil {
		v.leave = append(v.leave, leave)
	}
	return v, err
}

// place says who calls and from where.
func (c *Config) place(v *Visit, credential inference.Credential, host string, base inference.Region) (err error) {
	v.Principal, v.PayloadHash = credential.Principal, credential.PayloadHash
	v.Caller = credential.Caller
	v.Circumstances = inference.Circumstances{BearerType: credential.BearerType, Session: credential.Session}
	v.Region, err = SourceRegion(credential, host, base, c.DefaultRegion)
	return err
}

// came adds what the connection of a request tells. What proxies say of whom they
// speak for is not believed.
func came(c *inference.Circumstances, r *http.Request) {
	c.SourceIP = address.Host(r.RemoteAddr)
	c.Secure = r.TLS != nil
	c.UserAgent = r.UserAgent()
}

// permitBearer asks whether a caller with a bearer key may have one.
func (c *Config) permitBearer(ctx context.Context, v *Visit, credential inference.Credential) error {
	if !credential.Bearer || c.PermitBearer == nil {
		return nil
	}
	err := c.PermitBearer(v.Principal, v.Region, v.Circumstances)
	if err != nil {
		c.Log.LogAttrs(ctx, slog.LevelInfo, "call denied", slog.String("request_id", v.ID), slog.Any("error", err))
	}
	return err
}

// hold takes room for n bytes of a body.
func (c *Config) hold(v *Visit, n int64) error {
	if c.Room == nil {
		return nil
	}
	release, err := c.Room.Hold(n)
	if err == nil {
		v.leave = append(v.leave, release)
	}
	return err
}

func (c *Config) maxBody() int64 { return cmp.Or(c.MaxBody, MaxBody) }

// CheckLength refuses a body of more bytes than the limit, as the service does.
func CheckLength(n, limit int64) error {
	if n <= limit {
		return nil
	}
	return &inference.Error{
		Kind: inference.Validation, Op: "read request",
		Message: "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to " +
			strconv.FormatInt(limit, 10),
	}
}

// IsJSON reports whether a body is JSON by its content type: application/json, and
// what clients send that do not say: nothing, or the Go SDK's
// application/octet-stream.
func IsJSON(contentType string) bool {
	if contentType == "" || contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || media == "application/octet-stream")
}
