package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fairway/backend"
	"fairway/internal/outputs"
	"fairway/internal/server"
)

// askLimit ends an ask whose server does not answer; AppSync itself gives up
// after 30 seconds.
const askLimit = 2 * time.Minute

func askCommand(s Surroundings) *cobra.Command {
	var run runFlags
	var dir, query, args, url string
	var asJSON, stream bool
	cmd := &cobra.Command{
		Use:   "ask [flags] [WORD...]",
		Short: "Ask a backend a question and see the route it took",
		Long: `Loads a backend (the built-in recipe sample, or --dir), starts simulated regions and its
GraphQL server in process, signs in a local user, runs a query over HTTP, and prints the
answer, the route it took, its tokens and its cost. --model has something else answer.

The words fill the first argument of the query: a list takes one element a word, a string
takes them all. With --url a server that runs already is asked.`,
		Example: "  fairway ask chicken rice carrots\n  fairway ask --down ap-southeast-1 chicken rice carrots\n" +
			"  fairway ask --stream --model openai=http://127.0.0.1:11434/v1 chicken rice carrots\n" +
			"  fairway ask --dir my-app --query askBedrock --args '{\"ingredients\":[\"rice\"]}' --json\n" +
			"  fairway ask --url http://127.0.0.1:20002 chicken rice carrots",
		RunE: func(cmd *cobra.Command, words []string) error {
			if asJSON && stream {
				return errors.New("ask: --json prints one object at the end, --stream the text as it comes: choose one")
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), askLimit)
			defer cancel()
			live := &live{out: s.Stdout}
			if stream {
				run.show = live.show
			}
			var a *answer
			var err error
			if cmd.Flags().Changed("url") {
				a, err = askServer(ctx, s, cmd, url, query, words, args)
			} else {
				a, err = askBackend(ctx, s, run, dir, func(b *backend.Backend) (*question, error) {
					schema, err := parseDeployed(b)
					if err != nil {
						return nil, failed(err)
					}
					return ask(b, schema, query, words, args)
				})
			}
			if err != nil {
				return err
			}
			switch {
			case asJSON:
				if err := a.printJSON(s.Stdout); err != nil {
					return err
				}
			case live.shown:
				fmt.Fprint(s.Stdout, "\n\n")
				a.printRoutes(s.Stdout)
			default:
				a.print(s.Stdout)
			}
			a.warn(s.Stderr, time.Now())
			if err := a.err(); err != nil {
				return failed(err)
			}
			return nil
		},
	}
	run.register(cmd)
	cmd.Flags().StringVar(&url, "url", "", "`URL` of a running server to ask, as the user in the "+outputs.FairwayFile+" here")
	cmd.Flags().StringVar(&dir, "dir", "", "`DIR`, a project root or amplify/ folder to load (default: the built-in sample)")
	cmd.Flags().StringVar(&query, "query", "", "`NAME` of the query or mutation to run (default: the first query of the schema)")
	cmd.Flags().StringVar(&args, "args", "", "arguments as a `JSON` object")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer and its route as JSON")
	cmd.Flags().BoolVar(&stream, "stream", false, "show the model's text as it comes")
	return cmd
}

// askServer asks a running server, as the user in the outputs file here.
func askServer(ctx context.Context, s Surroundings, cmd *cobra.Command, url, query string, words []string, args string) (*answer, error) {
	if err := ofOwnServer(cmd, "url", "query", "args", "json"); err != nil {
		return nil, err
	}
	r, err := openRemote(url)
	if err != nil {
		return nil, err
	}
	finish := progress(s, "asking "+url)
	defer finish()
	return r.ask(ctx, query, words, args)
}

// ofOwnServer refuses, for a command that asks a running server, the flags that were
// given and are not among these: they are about a server of the command's own.
func ofOwnServer(cmd *cobra.Command, others ...string) error {
	var ours []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(others, f.Name) {
			ours = append(ours, "--"+f.Name)
		}
	})
	if len(ours) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s is about a server that %[1]s starts itself: leave it out, or --url", cmd.Name(), strings.Join(ours, ", "))
}

// live shows text as it comes.
type live struct {
	out   io.Writer
	shown bool
}

func (l *live) show(text string) {
	l.shown = true
	fmt.Fprint(l.out, text)
}

// askBackend starts a server for the backend in dir, asks it what question makes
// of the backend, and stops it again.
func askBackend(ctx context.Context, s Surroundings, run runFlags, dir string, question func(*backend.Backend) (*question, error)) (*answer, error) {
	w, err := run.open(s, dir)
	if err != nil {
		return nil, err
	}
	w.log = logger(s, quiet(w.config.Log))
	w.config.Retry.Wait = 0 // a region that is down stays so for as long as ask runs
	b, err := w.load(ctx)
	if err != nil {
		return nil, failed(err)
	}
	q, err := question(b)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, failed(err)
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()
	srv, err := server.New(ctx, server.Options{Config: w.config, Backend: b, BaseURL: base, Version: s.Version, Log: w.log, Development: true, Show: run.show})
	if err != nil {
		return nil, asFailure(err)
	}
	defer srv.Close()
	if err := run.fail(srv); err != nil {
		return nil, err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(serving, listener, server.Listening{}) }()
	defer func() { stop(); <-done }()

	finish := func() {}
	if run.show == nil { // else the text is the progress
		finish = progress(s, "asking "+q.field.Name)
	}
	a, err := q.send(ctx, srv, base)
	finish()
	if a != nil {
		a.model = w.config.Model
	}
	if groups := q.groups(); err == nil && a.err() != nil && len(groups) > 0 {
		fmt.Fprintf(s.Stderr, "note: %s is for members of %s; the test user is in no group\n", q.field.Name, strings.Join(groups, ", "))
	}
	return a, err
}

// send posts the question as the user the field wants and reads the answer.
func (q *question) send(ctx context.Context, srv *server.Server, base string) (*answer, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	answer, err := roundTrip(ctx, http.MethodPost, base+"/graphql", body, func(req *http.Request) error {
		req.Header.Set("X-Fairway-Trace", "1")
		return srv.SignIn(ctx, req, q.mode)
	})
	if err != nil {
		return nil, failed(err)
	}
	a, err := newAnswer(answer.body)
	if err != nil {
		return nil, failed(err)
	}
	return a, nil
}

// progress shows on a terminal that something is under way, until finish.
func progress(s Surroundings, what string) (finish func()) {
	if !s.Terminal {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	began := time.Now()
	go func() {
		defer close(stopped)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			fmt.Fprintf(s.Stderr, "\r\x1b[K%s ... %.1f s", what, time.Since(began).Seconds())
			select {
			case <-stop:
				fmt.Fprint(s.Stderr, "\r\x1b[K")
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
