// Package cli is the command line: one file a subcommand. Data goes to stdout,
// everything else to stderr; exit codes are 0 done, 1 the thing asked for
// failed, 2 usage or configuration.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"fairway/internal/server"
)

// Surroundings are the effects a command may have, handed in by main.
type Surroundings struct {
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Getenv   func(string) string
	Terminal bool // stderr is a terminal: progress may be shown
	Version  string
}

// lookup looks a variable of the environment up; an empty one is not set.
func (s Surroundings) lookup(name string) (value string, ok bool) {
	value = s.Getenv(name)
	return value, value != ""
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// failure is an error of the thing asked for, which exits 1; every other error
// is about usage or configuration and exits 2. A failure without a message has
// already been shown.
type failure struct{ err error }

func (f failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f failure) Unwrap() error { return f.err }

// failed marks err as a failure of the thing asked for.
func failed(err error) error { return failure{err} }

// asFailure is the failure to start a server, but for what is wrong with its
// configuration.
func asFailure(err error) error {
	if errors.Is(err, server.ErrConfig) {
		return err
	}
	return failed(err)
}

// errShown is a failure whose explanation is on the screen already.
var errShown = failure{}

// Main runs the command line in args, without the program's name, and returns
// the exit code.
func Main(args []string, s Surroundings) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, args, s)
}

func run(ctx context.Context, args []string, s Surroundings) int {
	root := root(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(s.Stderr, "fairway:", text)
	}
	if _, ok := errors.AsType[failure](err); ok {
		return exitFailed
	}
	return exitUsage
}

func root(s Surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fairway",
		Short: "Answers an application's model calls across regions",
		Long: `Fairway runs an AWS Amplify Gen 2 amplify/ folder as it is and serves clients of Amazon
Bedrock, Anthropic and OpenAI, and behind both it checks IAM policy, routes each call over
the destination regions of its inference profile, and accounts for every token.

Start here: fairway ask chicken rice carrots`,
		Version:           s.Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetIn(s.Stdin)
	cmd.SetOut(s.Stdout)
	cmd.SetErr(s.Stderr)
	cmd.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	cmd.AddCommand(askCommand(s), devCommand(s), serveCommand(s), checkCommand(s), explainCommand(s), schemaCommand(s),
		regionsCommand(s), usersCommand(s), keysCommand(s), usageCommand(s), pricesCommand(s), tokensCommand(s), simulateCommand(s), configCommand(s))
	return cmd
}
