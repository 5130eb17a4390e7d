// Package graphql is the AppSync endpoint: it takes a GraphQL request over HTTP,
// checks it against the backend's schema and the caller's authorization mode,
// runs the resolver pipeline of each operation field and writes the answer in
// AppSync's form. A request passes through the files in this order: request,
// document (parsed, checked and cached), plan, variables, execute, pipeline,
// complete.
package graphql

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"fairway/backend"
	"fairway/internal/front"
	"fairway/internal/inference"
)

// DataSource is where a function's request goes. The error is a
// *backend.DataSourceError when no answer came, which the resolver sees as
// ctx.error, and a *backend.Error when the request could not be sent, which ends
// the field. The record is nil where no model was called. Steering is how the caller
// wants model calls routed.
type DataSource interface {
	Invoke(ctx context.Context, caller inference.Caller, steering inference.Steering, value any) (any, *inference.Record, error)
}

// Config is what a Front serves and with whose help.
type Config struct {
	Backend *backend.Backend // every Function has its Resolver
	Prelude string           // SDL of AppSync's own scalars and directives

	// Authenticate tells who sent a request with that body. Its error's Kind chooses
	// among AppSync's request-level refusals; its Message replaces their text.
	Authenticate func(r *http.Request, body []byte) (inference.Identity, error)

	// Permit decides whether a caller of the mode AWS_IAM, who is in, may ask for a
	// field of an operation: appsync:GraphQL on "types/Query/fields/askBedrock" of the
	// API. An error of kind AccessDenied is that it may not. Nil permits nothing. It
	// may be called concurrently.
	Permit func(who *inference.Identity, typ, field string) error

	DataSource func(name string) DataSource // nil for a name that is not known
	Log        *slog.Logger                 // nil logs nothing
	Limits     Limits
	Timeout    time.Duration // of one request, AppSync's 30 s when zero
	Room       front.Room    // of requests and their bytes; nil has no bound
}

// Limits bound what one request may ask for; a zero field takes its default.
type Limits struct {
	Body     int // bytes of a request, default 1 MiB
	Document int // bytes of a query, default 128 KiB
	Tokens   int // lexical tokens of a query, default 10,000
	Depth    int // nesting of fields and inline fragments with fragments unfolded, default 25
	Fields   int // fields with fragments unfolded, default 1,000
	Roots    int // fields of the operation itself, default 50
	Aliases  int // aliases in a query, default 200
	List     int // items of any list, in or out, default 10,000
	Response int // bytes of a response, default AppSync's 5 MiB
}

// apiID is ctx.stash.awsAppsyncApiId, which AWS makes up for each API.
const apiID = "fairwayfairwayfairwayfairw"

func (l Limits) orDefaults() Limits {
	for _, f := range []struct {
		limit *int
		value int
	}{
		{&l.Body, 1 << 20}, {&l.Document, 128 << 10}, {&l.Tokens, 10_000}, {&l.Depth, 25}, {&l.Fields, 1_000},
		{&l.Roots, 50}, {&l.Aliases, 200}, {&l.List, 10_000}, {&l.Response, 5 << 20},
	} {
		if *f.limit == 0 {
			*f.limit = f.value
		}
	}
	return l
}

// Front serves one backend. It is an http.Handler, safe for concurrent use.
type Front struct {
	schema       *schema
	authenticate func(*http.Request, []byte) (inference.Identity, error)
	permit       func(who *inference.Identity, typ, field string) error
	log          *slog.Logger
	limits       Limits
	timeout      time.Duration
	room         front.Room
	env          map[string]string
	documents    *lru.Cache[string, *document]
}

// Documents up to cachedBytes are kept, cachedDocuments of them: some tens of
// MiB when all are of the largest size.
const (
	cachedDocuments = 512
	cachedBytes     = 8 << 10
)

// New makes the front of c. It fails when the schema does not load, and when an
// operation has no field in it, no resolver or an unknown data source.
func New(c Config) (*Front, error) {
	schema, err := loadSchema(c)
	if err != nil {
		return nil, fmt.Errorf("serve graphql: %w", err)
	}
	documents, err := lru.New[string, *document](cachedDocuments)
	if err != nil {
		return nil, fmt.Errorf("serve graphql: %w", err)
	}
	f := &Front{
		schema:       schema,
		authenticate: c.Authenticate,
		permit:       c.Permit,
		log:          c.Log,
		limits:       c.Limits.orDefaults(),
		timeout:      c.Timeout,
		room:         c.Room,
		env:          c.Backend.Env,
		documents:    documents,
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if f.timeout == 0 {
		f.timeout = 30 * time.Second
	}
	return f, nil
}
