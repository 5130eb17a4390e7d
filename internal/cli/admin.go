package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairway/internal/outputs"
)

// adminToken is the setting admin.token in the environment.
const adminToken = "FAIRWAY_ADMIN_TOKEN"

// adminFlags say which server a command asks.
type adminFlags struct {
	url   string
	token string // a reference
}

func (f *adminFlags) register(cmd *cobra.Command) { f.registerIn(cmd.Flags()) }

// registerAll registers them for all commands below cmd.
func (f *adminFlags) registerAll(cmd *cobra.Command) { f.registerIn(cmd.PersistentFlags()) }

func (f *adminFlags) registerIn(flags *pflag.FlagSet) {
	flags.StringVar(&f.url, "url", "", "`URL` of the server to ask, of its admin listener where it has one (default: the endpoint in "+outputs.FairwayFile+" here)")
	flags.StringVar(&f.token, "token", "", "`REFERENCE` to the server's admin token, env:NAME or file:/path (default: $"+adminToken+")")
}

// find is the server to ask: the given URL, else the one whose outputs are here.
func (f *adminFlags) find(s Surroundings) (*admin, error) {
	base := f.url
	if base == "" {
		out, err := outputs.Read(".")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no %s here: start fairway dev in this folder, or name a server with --url", outputs.FairwayFile)
		}
		if err != nil {
			return nil, err
		}
		base = out.Endpoint
	}
	base, err := serverURL(base)
	if err != nil {
		return nil, err
	}
	token, err := f.readToken(s)
	return &admin{base: base, token: token}, err
}

// readToken is the token that the flag, else the environment, refers to; empty for
// none.
func (f *adminFlags) readToken(s Surroundings) (string, error) {
	if f.token != "" {
		return readReference(s, "--token", f.token)
	}
	if reference, ok := s.lookup(adminToken); ok {
		return readReference(s, adminToken, reference)
	}
	return "", nil
}

// admin asks a running server's admin API.
type admin struct {
	base  string // without a slash at the end
	token string // empty for none
}

func (a *admin) get(ctx context.Context, path string) ([]byte, error) {
	return a.do(ctx, http.MethodGet, path, nil)
}

func (a *admin) put(ctx context.Context, path string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = a.do(ctx, http.MethodPut, path, body)
	return err
}

func (a *admin) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer, err := roundTrip(ctx, method, a.base+path, body, func(req *http.Request) error {
		if a.token != "" {
			req.Header.Set("Authorization", "Bearer "+a.token)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case answer.status < 300:
		return answer.body, nil
	}
	return nil, a.refusal(method, path, answer)
}

// refusal is the error that an answer is which is no success.
func (a *admin) refusal(method, path string, answer *reply) error {
	if answer.status == http.StatusUnauthorized {
		return fmt.Errorf("the server at %s does not take the admin token: name the one it was given with --token env:NAME", a.base)
	}
	var e struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(answer.body, &e) != nil || e.Message == "" || answer.header.Get("X-Amzn-Errortype") != "" {
		return fmt.Errorf("%s %s: HTTP %d: the server has no admin API at %s: name its admin listener with --url (admin.listen, by default http://127.0.0.1:20003)",
			strings.ToLower(method), withoutQuery(path), answer.status, a.base)
	}
	return fmt.Errorf("%s %s: HTTP %d: %s", strings.ToLower(method), withoutQuery(path), answer.status, e.Message)
}

func withoutQuery(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}
