package cognito

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"fairway/backend"
	"fairway/internal/identitypool"
	"fairway/internal/inference"
	"fairway/internal/mail"
	"fairway/internal/store"
	"fairway/internal/userpool"
)

// world is a door with its pools behind it.
type world struct {
	*Front
	users      *userpool.Pool
	identities *identitypool.Pool
	mail       chan mail.Message
	sessions   []inference.TemporarySession
	log        *strings.Builder
}

// Deliver takes the mail.
func (w *world) Deliver(_ context.Context, m mail.Message) error {
	w.mail <- m
	return nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{mail: make(chan mail.Message, 16), log: &strings.Builder{}}
	kept, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/fairway.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	log := slog.New(slog.NewTextHandler(w.log, nil))
	w.users, err = userpool.New(t.Context(), userpool.Options{
		Region: "ap-southeast-1", BaseURL: "http://127.0.0.1:20002", Store: kept, Courier: w, Now: time.Now, Log: log,
		Settings: userpool.Settings{SignInBy: []string{"email"}, AutoVerify: []string{"email"}, Required: []string{"email"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.users.Close() })
	w.identities = identitypool.New(identitypool.Options{
		ID: w.users.IdentityPoolID(), Account: "123456789012", Secret: []byte("a secret of the test"), Now: time.Now,
		Settings: identitypool.Settings{Issuers: []string{w.users.Issuer()}, Authenticated: "member", Guest: "visitor", AllowGuests: true},
		Verify:   w.verify,
		Issue: func(s inference.TemporarySession) (inference.TemporaryCredentials, error) {
			w.sessions = append(w.sessions, s)
			return inference.TemporaryCredentials{AccessKeyID: "FWASX", SecretAccessKey: "hunter2", SessionToken: "hunter2", Expires: s.Expires}, nil
		},
	})
	w.Front = New(Config{Users: w.users, Identities: w.identities, Log: log, Now: time.Now})
	return w
}

// verify checks a token of the pool.
func (w *world) verify(ctx context.Context, token string) (inference.Identity, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		return w.users.PublicKey(ctx, kid), nil
	}, jwt.WithValidMethods([]string{"RS256"}))
	if err != nil {
		return inference.Identity{}, &inference.Error{Kind: inference.UnrecognizedClient, Err: err}
	}
	text := func(name string) string { s, _ := claims[name].(string); return s }
	return inference.Identity{
		Mode: string(backend.UserPool), Issuer: text("iss"), Claims: claims,
		Caller: inference.Caller{ID: text("sub"), Name: text("cognito:username")},
	}, nil
}

// post sends a body to a target. Of header every name is set.
func post(h http.Handler, target, body string, header map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Amz-Target", target)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// targetsOf are all operations of a door, in order.
func targetsOf(f *Front) []string { return slices.Sorted(maps.Keys(f.operations)) }

// brokenBody is a body that ends before it should.
func brokenBody() io.Reader { return io.MultiReader(strings.NewReader(`{"ClientId"`), broken{}) }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
