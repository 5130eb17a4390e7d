// Package sts is the door of AWS Security Token Service's query API, for the STS
// clients of the AWS SDKs: AssumeRole, AssumeRoleWithWebIdentity, GetSessionToken and
// GetCallerIdentity. It decodes the form, finds the role, checks who may assume it and
// writes XML; credentials are made elsewhere.
package sts

import (
	"cmp"
	"context"
	"encoding/xml"
	"log/slog"
	"mime"
	"net/http"
	"time"

	"fairway/internal/front"
	"fairway/internal/inference"
	"fairway/internal/wire/uuid"
)

// version is the API's, and namespace that of its XML.
const (
	version   = "2011-06-15"
	namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
)

// Role is what can be assumed.
type Role struct {
	Name        string            // of the principal that its sessions are
	ARN         inference.ARN     // "arn:aws:iam::ACCOUNT:role/NAME"
	AssumedBy   []string          // principals by name
	WebIdentity []string          // issuers whose users assume it with their tokens
	MaxSession  time.Duration     // 0 is an hour
	Tags        map[string]string // of its sessions
	SessionTags []string          // keys of the tags that who assumes it may set; none may be set beside these
}

// Config is what the door needs. All but Verify and Unsigned are required.
type Config struct {
	// Authenticate checks the signature of a request. Errors are *inference.Error.
	Authenticate func(r *http.Request, body func() ([]byte, error)) (inference.Credential, error)

	Roles func(inference.ARN) (Role, bool)

	// Verify tells whom a web identity token speaks for; nil takes none. Errors are
	// *inference.Error: Validation, ExpiredToken and UnrecognizedClient are the token's
	// fault.
	Verify func(ctx context.Context, token string) (inference.Identity, error)

	// Issue makes the credentials of a session.
	Issue func(inference.TemporarySession) (inference.TemporaryCredentials, error)

	Unsigned front.Rate // of operations that need no signature; zero is front.GuessRate

	Log *slog.Logger
	Now func() time.Time
}

// Front is the door. It is an http.Handler, safe for concurrent use.
type Front struct {
	Config
	unsigned *front.Limiter
}

// New makes the door of c.
func New(c Config) *Front { return &Front{c, front.NewLimiter(cmp.Or(c.Unsigned, front.GuessRate))} }

// Serves reports whether r is for this door: a form sent to the root.
func Serves(r *http.Request) bool {
	if r.Method != http.MethodPost || r.URL.EscapedPath() != "/" || r.Header.Get("X-Amz-Target") != "" {
		return false
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == "application/x-www-form-urlencoded"
}

// call is one request that has been read.
type call struct {
	*Front
	request *http.Request
	body    []byte
	form    form // of the body
}

// operation makes the result of a call. What it gives encodes as the operation's
// Result element.
type operation func(*call) (any, error)

var operations = map[string]operation{
	"AssumeRole":                (*call).assumeRole,
	"AssumeRoleWithWebIdentity": (*call).assumeRoleWithWebIdentity,
	"GetCallerIdentity":         (*call).getCallerIdentity,
	"GetSessionToken":           (*call).getSessionToken,
}

// ServeHTTP answers one request.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.New()
	asked := front.Asked{ID: id, Began: f.Now()}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Amzn-Requestid", id)
	action, result, err := f.serve(w, r)
	status, document := http.StatusOK, any(response{
		XMLName: xml.Name{Space: namespace, Local: action + "Response"},
		Result:  result,
		ID:      id,
	})
	if err != nil {
		failed := asFailure(err)
		asked.Kind, status, document = failed.code, failed.status, failed.document(id)
	}
	asked.Operation, asked.Err, asked.Status = action, err, status
	asked.Log(r.Context(), f.Log, "session asked for", f.Now())
	writeXML(w, status, document)
}

// serve runs the operation that the form names. The action is empty where there is no
// such operation.
func (f *Front) serve(w http.ResponseWriter, r *http.Request) (action string, result any, err error) {
	body, err := front.ReadShort(w, r, tooLarge, malformedQuery)
	if err != nil {
		return "", nil, err
	}
	parameters, err := parse(body)
	if err != nil {
		return "", nil, err
	}
	action = parameters.get("Action")
	run, ok := operations[action]
	switch {
	case action == "":
		return "", nil, front.Refuse(missingAction, "no Action is named: send Action and Version in the form")
	case !ok || parameters.get("Version") != version:
		return "", nil, front.Refuse(invalidAction, "Could not find operation "+front.Clip(action)+" for version "+front.Clip(parameters.get("Version")))
	}
	result, err = run(&call{Front: f, request: r, body: body, form: parameters})
	return action, result, err
}

// credential is whose signature the request has, for this service and over its whole
// body.
func (c *call) credential() (inference.Credential, error) {
	credential, err := c.Authenticate(c.request, func() ([]byte, error) { return c.body, nil })
	switch {
	case err != nil:
		return inference.Credential{}, err
	case credential.Service != "sts":
		return inference.Credential{}, front.Refuse(signatureDoesNotMatch, "Credential should be scoped to correct service: 'sts'.")
	case credential.Region != "" && !front.IsRegion(credential.Region):
		return inference.Credential{}, front.Refuse(signatureDoesNotMatch, "Credential should be scoped to a valid region.")
	}
	return credential, nil
}
