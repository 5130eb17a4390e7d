package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"fairway/backend"
	"fairway/internal/config"
	"fairway/internal/outputs"
	"fairway/internal/server"
)

func serveCommand(s Surroundings) *cobra.Command {
	var run runFlags
	var outputsDir string
	var force bool
	cmd := &cobra.Command{
		Use:   "serve --config FILE",
		Short: "Serve model clients, and a folder's GraphQL API, in production",
		Long: `Serves Bedrock, Anthropic and OpenAI clients by a configuration file, and with "backend: DIR"
in it a folder's GraphQL API. The admin API and the metrics have a listener of their own. The
file and the folder are read again when they change and on SIGHUP; what is wrong with them
then is said, and the last good configuration goes on. SIGTERM lets running calls finish.`,
		Example: "  fairway serve --config fairway.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if run.file == "" {
				return errors.New("serve: name a configuration with --config FILE")
			}
			c, origins, err := run.read(s, "")
			if err != nil {
				return err
			}
			if err := config.ServeProblems(c, origins); err != nil {
				return err
			}
			sv := &serve{Surroundings: s, flags: run, outputsDir: outputsDir, force: force, log: logger(s, c.Log)}
			return sv.run(cmd.Context(), c)
		},
	}
	cmd.Flags().StringVar(&run.file, "config", "", "configuration `FILE`")
	cmd.Flags().StringVar(&run.listen, "listen", "", "`ADDR`ess to listen on; port 0 picks one")
	cmd.Flags().StringVar(&run.model, "model", "", "what answers: sim, bedrock, anthropic or openai=`URL`")
	cmd.Flags().StringVar(&outputsDir, "outputs-dir", "", "write "+outputs.AmplifyFile+" and "+outputs.FairwayFile+" to `DIR`, for a backend")
	cmd.Flags().BoolVar(&force, "force", false, "replace outputs files that fairway did not write")
	return cmd
}

// serve is one run of the serve command.
type serve struct {
	Surroundings
	flags      runFlags
	outputsDir string
	force      bool
	log        *slog.Logger

	server *server.Server
	opened *config.Config // that the server was started with
	cert   atomic.Pointer[tls.Certificate]
	files  atomic.Pointer[files]
}

// files are what the server was last made of, beside its configuration file.
type files struct{ config, backend []string }

// run serves until ctx ends.
func (sv *serve) run(ctx context.Context, c *config.Config) error {
	folder := outputs.Folder{Dir: filepath.Dir(sv.flags.file)}
	state, err := folder.State()
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	b, err := sv.load(ctx, c)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return failed(fmt.Errorf("serve: %w", err))
	}
	defer listener.Close()
	how := server.Listening{Drain: time.Duration(c.DrainTimeout)}
	if how.TLS, err = sv.tls(c); err != nil {
		return err
	}
	base := cmp.Or(string(c.BaseURL), baseURL(listener, how.TLS != nil))
	sv.server, err = server.New(server.Options{
		Config: c, Backend: b, State: state, BaseURL: base, Version: sv.Version, Log: sv.log,
		Env: func(name string) (string, bool) { value := sv.Getenv(name); return value, value != "" },
	})
	if err != nil {
		return asFailure(err)
	}
	defer sv.server.Close()
	sv.opened = c
	if err := sv.write(b); err != nil {
		return failed(err)
	}
	return sv.serve(ctx, c, listener, how)
}

// load loads the backend that c names.
func (sv *serve) load(ctx context.Context, c *config.Config) (*backend.Backend, error) {
	seen := &files{config: append(c.PolicyFiles(), string(c.Simulate.Responses), string(c.TLS.Cert), string(c.TLS.Key))}
	defer sv.files.Store(seen)
	if c.Backend == "" {
		return nil, nil
	}
	p, err := openProject(string(c.Backend))
	if err != nil {
		return nil, fmt.Errorf("serve: backend: %w", err)
	}
	w := &workspace{project: p, config: c, log: sv.log}
	b, err := w.load(ctx)
	if b != nil {
		seen.backend = b.Files
		printFindings(sv.Stderr, w.check(ctx, b))
	}
	if err != nil {
		return nil, failed(fmt.Errorf("serve: the backend does not load: %w", err))
	}
	return b, nil
}

// tls is the certificate that c names, read again at each reload; nil is none.
func (sv *serve) tls(c *config.Config) (*tls.Config, error) {
	if c.TLS.Cert == "" {
		return nil, nil
	}
	if err := sv.readCertificate(c); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return sv.cert.Load(), nil },
	}, nil
}

func (sv *serve) readCertificate(c *config.Config) error {
	if c.TLS.Cert == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(string(c.TLS.Cert), string(c.TLS.Key))
	if err != nil {
		return fmt.Errorf("serve: tls: %w", err)
	}
	sv.cert.Store(&cert)
	return nil
}

// write writes the outputs files of a backend where they are wanted.
func (sv *serve) write(b *backend.Backend) error {
	if sv.outputsDir == "" || b == nil {
		return nil
	}
	local := sv.server.Outputs()
	amplifyOutputs, err := outputs.Amplify(b, local)
	if err != nil {
		return err
	}
	return outputs.Folder{Dir: sv.outputsDir, Force: sv.force}.Write(amplifyOutputs, local)
}

// serve serves both listeners until ctx ends.
func (sv *serve) serve(ctx context.Context, c *config.Config, listener net.Listener, how server.Listening) error {
	changes, err := sv.watch(ctx, c)
	if err != nil {
		return failed(err)
	}
	group, ctx := errgroup.WithContext(ctx)
	if c.Admin.Listen != "" {
		admin, err := net.Listen("tcp", c.Admin.Listen)
		if err != nil {
			return failed(fmt.Errorf("serve: admin: %w", err))
		}
		defer admin.Close()
		fmt.Fprintf(sv.Stderr, "admin %s\n", baseURL(admin, false))
		group.Go(func() error {
			return sv.server.Serve(ctx, admin, server.Listening{Handler: sv.server.Admin(), Drain: how.Drain})
		})
	}
	group.Go(func() error { return sv.server.Serve(ctx, listener, how) })
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changes:
				sv.reload(ctx)
			}
		}
	}()
	if c.Simulates() {
		fmt.Fprintln(sv.Stderr, "simulated regions: latency, quotas and faults are modelled, no real region is called")
	}
	fmt.Fprintf(sv.Stderr, "ready %s\n", baseURL(listener, how.TLS != nil))
	sv.notify(daemon.SdNotifyReady)
	context.AfterFunc(ctx, func() { sv.notify(daemon.SdNotifyStopping) })
	sv.server.Warm(ctx)
	err = group.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return failed(fmt.Errorf("serve: %w", err))
	}
	return nil
}

// watch reports that something changed that the server is made of: its file, its
// policies, its backend, or that SIGHUP came.
func (sv *serve) watch(ctx context.Context, c *config.Config) (<-chan struct{}, error) {
	changes := make(chan struct{}, 1)
	changed := func() {
		select {
		case changes <- struct{}{}:
		default: // one is waiting, which will see this change too
		}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				changed()
			}
		}
	}()
	file, err := filepath.Abs(sv.flags.file)
	if err != nil {
		return nil, err
	}
	if err := watch(ctx, filepath.Dir(file), "", func() []string { return append([]string{file}, sv.files.Load().config...) }, changed); err != nil {
		return nil, fmt.Errorf("serve: watch the configuration: %w", err)
	}
	if c.Backend == "" {
		return changes, nil
	}
	dir, err := projectRoot(string(c.Backend))
	if err != nil {
		return nil, err
	}
	if err := watch(ctx, dir, "amplify", func() []string { return sv.files.Load().backend }, changed); err != nil {
		return nil, fmt.Errorf("serve: watch the backend: %w", err)
	}
	return changes, nil
}

// reload takes up what changed, or keeps what was.
func (sv *serve) reload(ctx context.Context) {
	c, err := sv.reread(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		fmt.Fprintln(sv.Stderr, "fairway:", err)
		fmt.Fprintln(sv.Stderr, "reload failed; the last good configuration goes on")
		return
	}
	if changed := server.NeedsRestart(sv.opened, c); len(changed) > 0 {
		fmt.Fprintln(sv.Stderr, "reload: these settings change with the next start only:", strings.Join(changed, ", "))
	}
	fmt.Fprintln(sv.Stderr, "reloaded")
}

// reread reads the configuration and the backend again and puts them in place.
func (sv *serve) reread(ctx context.Context) (*config.Config, error) {
	c, origins, err := sv.flags.read(sv.Surroundings, "")
	if err != nil {
		return nil, err
	}
	if err := config.ServeProblems(c, origins); err != nil {
		return nil, err
	}
	b, err := sv.load(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := sv.readCertificate(c); err != nil {
		return nil, err
	}
	if err := sv.server.Reconfigure(ctx, c, b); err != nil {
		return nil, err
	}
	return c, sv.write(b)
}

// notify tells systemd, where it started us, how we are.
func (sv *serve) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		sv.log.Warn("systemd could not be notified", "error", err)
	}
}
