// Package admin is the operator's door to identities: the users of the embedded user
// pool, the keys in the store, and why a call is allowed or denied, as JSON over HTTP.
// Who may come in is decided before it.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"fairway/internal/explain"
	"fairway/internal/inference"
	"fairway/internal/store"
	"fairway/internal/userpool"
)

// maxBody bounds a request, in bytes.
const maxBody = 64 << 10

// Config is what the door opens to.
type Config struct {
	Store   *store.Store
	Pool    *userpool.Pool        // nil where there is none
	Changed func(context.Context) // is told that keys have changed
	Now     func() time.Time

	// Principal reports whether a principal of that name may be given a key.
	Principal func(name string) bool

	// Explain decides a call without making it. The empty region is the server's own.
	Explain func(ctx context.Context, principal, action, profile string, source inference.Region) (*explain.Explanation, error)
}

// Door answers the admin API's requests about identities.
type Door struct{ Config }

// Register adds the routes to mux, each behind check.
func (c Config) Register(mux *http.ServeMux, check func(http.HandlerFunc) http.HandlerFunc) {
	d := &Door{c}
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET /api/users":                 d.listUsers,
		"POST /api/users":                d.addUser,
		"GET /api/users/{name}":          d.getUser,
		"DELETE /api/users/{name}":       d.removeUser,
		"POST /api/users/{name}/confirm": d.confirmUser,
		"POST /api/users/{name}/disable": d.disableUser,
		"POST /api/users/{name}/enable":  d.enableUser,
		"PUT /api/users/{name}/groups":   d.setGroups,
		"POST /api/user-pool/rotate-key": d.rotateSigningKey,
		"GET /api/keys":                  d.listKeys,
		"POST /api/keys":                 d.createKey,
		"DELETE /api/keys/{name}":        d.deleteKey,
		"POST /api/keys/{name}/rotate":   d.rotateKey,
		"POST /api/keys/{name}/expire":   d.expireKey,
		"GET /api/explain":               d.explain,
	} {
		mux.HandleFunc(pattern, check(respond(answer)))
	}
}

// respond writes what answer gives, or its error as {"message": ...}.
func respond(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		value, err := answer(r)
		status := http.StatusOK
		if err != nil {
			status, value = statusOf(err), map[string]string{"message": messageOf(err)}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(value) // the client may be gone
	}
}

// problem is a request that asks for what is not there or cannot be done.
type problem struct {
	status  int
	message string
}

func (p *problem) Error() string { return p.message }

func bad(message string) error { return &problem{http.StatusBadRequest, message} }

func missing(message string) error { return &problem{http.StatusNotFound, message} }

func statusOf(err error) int {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.status
	}
	if e, ok := errors.AsType[*userpool.Error](err); ok {
		switch e.Kind {
		case userpool.UserNotFound, userpool.ResourceNotFound:
			return http.StatusNotFound
		case userpool.UsernameExists, userpool.AliasExists:
			return http.StatusConflict
		case userpool.InternalError:
			return http.StatusInternalServerError
		}
		return http.StatusBadRequest
	}
	switch e := inference.AsError(err); e.Kind {
	case inference.Conflict:
		return http.StatusConflict
	default:
		return e.Status()
	}
}

func messageOf(err error) string {
	if e, ok := errors.AsType[*userpool.Error](err); ok {
		return e.Message
	}
	if p, ok := errors.AsType[*problem](err); ok {
		return p.message
	}
	return inference.AsError(err).Message
}

// read decodes a body that is one JSON object.
func read(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return bad("read request: the body is not the JSON object that this path takes")
	}
	return nil
}

// explain answers GET /api/explain?principal=P&action=A&profile=ID&region=R.
func (d *Door) explain(r *http.Request) (any, error) {
	q := r.URL.Query()
	if q.Get("principal") == "" || q.Get("action") == "" || q.Get("profile") == "" {
		return nil, bad("explain: name a principal, an action and a profile")
	}
	return d.Explain(r.Context(), q.Get("principal"), q.Get("action"), q.Get("profile"), inference.Region(q.Get("region")))
}
