// Package admin is the operator's door to identities and to what they used: the users
// of the embedded user pool, the keys of principals, why a call is allowed or denied,
// reports and records of calls, what answers taught, as JSON over HTTP. Who may come in is decided before it.
//
//	admin.go  the routes, answers and errors
//	users.go  /api/users and /api/user-pool
//	keys.go   /api/keys
//	usage.go  /api/usage
//	tokens.go /api/tokens
package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"fairway/internal/explain"
	"fairway/internal/inference"
	"fairway/internal/keyring"
	"fairway/internal/usage"
	"fairway/internal/userpool"
)

// maxBody bounds a request, in bytes.
const maxBody = 64 << 10

// Config is what the door opens to.
type Config struct {
	Keys *keyring.Ring
	Pool *userpool.Pool // nil where there is none
	Log  *slog.Logger   // of failures that are not the operator's

	Usage     Ledger
	Budgets   func(ctx context.Context) ([]usage.BudgetState, error) // what they have left
	Principal func(name string) (inference.Principal, bool)          // the zero one where it reports false
	Now       func() time.Time

	Corrections  func() []inference.Correction // of estimates of tokens, in order
	Calibrations Calibrations

	// Explain decides a call without making it. The empty region is the server's own.
	Explain func(ctx context.Context, principal, action, profile string, source inference.Region) (*explain.Explanation, error)
}

// Door answers the admin API's requests about identities and usage.
type Door struct{ Config }

// Register adds the routes to mux, each behind check.
func (c Config) Register(mux *http.ServeMux, check func(http.HandlerFunc) http.HandlerFunc) {
	d := &Door{c}
	for pattern, answer := range map[string]func(*http.Request) (any, error){
		"GET /api/users":                          d.listUsers,
		"POST /api/users":                         d.addUser,
		"GET /api/users/{name}":                   d.getUser,
		"DELETE /api/users/{name}":                d.removeUser,
		"POST /api/users/{name}/confirm":          d.confirmUser,
		"POST /api/users/{name}/disable":          d.disableUser,
		"POST /api/users/{name}/enable":           d.enableUser,
		"POST /api/users/{name}/password":         d.setPassword,
		"POST /api/users/{name}/groups/{group}":   d.addToGroup,
		"DELETE /api/users/{name}/groups/{group}": d.removeFromGroup,
		"POST /api/user-pool/rotate-key":          d.rotateSigningKey,
		"GET /api/keys":                           d.listKeys,
		"POST /api/keys":                          d.createKey,
		"DELETE /api/keys/{name}":                 d.deleteKey,
		"POST /api/keys/{name}/rotate":            d.rotateKey,
		"POST /api/keys/{name}/expire":            d.expireKey,
		"GET /api/explain":                        d.explain,
		"GET /api/tokens":                         d.estimates,
		"GET /api/usage":                          d.report,
		"GET /api/usage/budgets":                  d.budgets,
	} {
		mux.HandleFunc(pattern, check(d.respond(answer)))
	}
	mux.HandleFunc("GET /api/usage/records", check(d.records))
}

// respond writes what answer gives, or its error as {"message": ...}.
func (d *Door) respond(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		value, err := answer(r)
		status := http.StatusOK
		if err != nil {
			status, value = statusOf(err), map[string]string{"message": messageOf(err)}
		}
		if status >= 500 {
			d.Log.ErrorContext(r.Context(), "admin request failed", "request", r.Pattern, "status", status, "error", err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(value) // the client may be gone
	}
}

func refuse(kind inference.Kind, op, message string) error {
	return &inference.Error{Kind: kind, Op: op, Message: op + ": " + message}
}

func statusOf(err error) int {
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
	kind := inference.AsError(err).Kind
	if kind == inference.Conflict {
		return http.StatusConflict
	}
	return kind.Status()
}

// messageOf is what the operator can mend in a sentence, else all that is known: the
// callers' texts, which say nothing of a cause, are not for the operator.
func messageOf(err error) string {
	if statusOf(err) >= 500 {
		return err.Error()
	}
	if e, ok := errors.AsType[*userpool.Error](err); ok {
		return e.Message
	}
	return inference.AsError(err).Message
}

// read decodes a body that is one JSON object.
func read(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return refuse(inference.Validation, "read request", "the body is not the JSON object that this path takes")
	}
	return nil
}

// defaultAction is what is asked about unless the question says otherwise.
const defaultAction = "bedrock:InvokeModel"

// explain answers GET /api/explain?principal=P&action=A&profile=ID&region=R.
func (d *Door) explain(r *http.Request) (any, error) {
	q := r.URL.Query()
	if q.Get("principal") == "" || q.Get("profile") == "" {
		return nil, refuse(inference.Validation, "explain", "name a principal and a profile")
	}
	return d.Explain(r.Context(), q.Get("principal"), cmp.Or(q.Get("action"), defaultAction), q.Get("profile"), inference.Region(q.Get("region")))
}
