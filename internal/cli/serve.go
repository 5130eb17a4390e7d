package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
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
	cmd.Flags().StringVar(&run.listen, "listen", "", "`ADDR` to listen on; port 0 picks one")
	cmd.Flags().StringVar(&run.model, "model", "", "`WHAT` answers: sim, bedrock, anthropic or openai=URL")
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

	reloading sync.Mutex
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
	l, err := sv.listen(c)
	if err != nil {
		return err
	}
	defer l.close()
	sv.server, err = server.New(ctx, server.Options{
		Config: c, Backend: b, State: state, BaseURL: cmp.Or(string(c.BaseURL), baseURL(l.doors, l.tls != nil)),
		Version: sv.Version, Log: sv.log, Env: sv.lookup,
	})
	if err != nil {
		return asFailure(err)
	}
	defer sv.server.Close()
	sv.opened = c
	sv.limitMemory(c)
	if err := sv.write(b); err != nil {
		return failed(err)
	}
	return sv.serve(ctx, l)
}

// listeners are where the server is reached.
type listeners struct {
	doors net.Listener
	tls   *tls.Config  // of the doors; nil is plain HTTP
	admin net.Listener // nil is none
}

func (l *listeners) close() {
	l.doors.Close()
	if l.admin != nil {
		l.admin.Close()
	}
}

// listen opens what c names.
func (sv *serve) listen(c *config.Config) (*listeners, error) {
	l := &listeners{}
	var err error
	if l.tls, err = sv.tls(c); err != nil {
		return nil, err
	}
	if l.doors, err = net.Listen("tcp", c.Listen); err != nil {
		return nil, failed(fmt.Errorf("serve: %w", err))
	}
	if c.Admin.Listen == "" {
		return l, nil
	}
	if l.admin, err = net.Listen("tcp", c.Admin.Listen); err != nil {
		l.close()
		return nil, failed(fmt.Errorf("serve: admin: %w", err))
	}
	return l, nil
}

// load loads the backend that c names.
func (sv *serve) load(ctx context.Context, c *config.Config) (*backend.Backend, error) {
	seen := &files{}
	for _, name := range append(c.Files(), pricesIn(filepath.Dir(sv.flags.file))) {
		if abs, err := filepath.Abs(name); err == nil {
			seen.config = append(seen.config, abs)
		}
	}
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
	cert, err := readCertificate(c)
	if err != nil {
		return nil, err
	}
	sv.cert.Store(cert)
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return sv.cert.Load(), nil },
	}, nil
}

// readCertificate is the certificate that c names; nil is none.
func readCertificate(c *config.Config) (*tls.Certificate, error) {
	if c.TLS.Cert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(string(c.TLS.Cert), string(c.TLS.Key))
	if err != nil {
		return nil, fmt.Errorf("serve: tls: %w", err)
	}
	return &cert, nil
}

// write writes the outputs files of a backend where they are wanted.
func (sv *serve) write(b *backend.Backend) error {
	if sv.outputsDir == "" || b == nil {
		return nil
	}
	local := sv.server.Outputs()
	amplify, err := amplifyOutputs(b, sv.opened, local)
	if err != nil {
		return err
	}
	return outputs.Folder{Dir: sv.outputsDir, Force: sv.force}.Write(amplify, local)
}

// serve serves the doors until ctx ends and what runs there has ended, and the
// admin listener as long: whoever looks after the server sees it drain.
func (sv *serve) serve(ctx context.Context, l *listeners) error {
	group, running := errgroup.WithContext(ctx)
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	if err := sv.watch(running); err != nil {
		return failed(err)
	}
	drained, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	if l.admin != nil {
		group.Go(func() error {
			return sv.server.Serve(drained, l.admin, server.Listening{Handler: sv.server.Admin()})
		})
	}
	group.Go(func() error {
		defer end()
		drain := cmp.Or(time.Duration(sv.opened.DrainTimeout), -1) // none is not to wait
		return sv.server.Serve(running, l.doors, server.Listening{TLS: l.tls, Drain: drain})
	})
	group.Go(func() error {
		sv.follow(running, hangups)
		return nil
	})
	sv.announce(l)
	sv.server.Warm(running)
	if err := group.Wait(); err != nil {
		return failed(fmt.Errorf("serve: %w", err))
	}
	return nil
}

// announce says that calls can come.
func (sv *serve) announce(l *listeners) {
	if sv.opened.Simulates() {
		fmt.Fprintln(sv.Stderr, "simulated regions: latency, quotas and faults are modelled, no real region is called")
	}
	if l.admin != nil {
		fmt.Fprintf(sv.Stderr, "admin %s\n", baseURL(l.admin, false))
	}
	fmt.Fprintf(sv.Stderr, "ready %s\n", baseURL(l.doors, l.tls != nil))
	sv.notify(daemon.SdNotifyReady)
}

// follow reloads on SIGHUP until ctx ends, and waits for the reload under way.
func (sv *serve) follow(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			sv.notify(daemon.SdNotifyStopping)
			sv.reloading.Lock()
			defer sv.reloading.Unlock()
			return
		case <-hangups:
			sv.reload(ctx)
		}
	}
}

// watch reloads until ctx ends when something changes that the server is made of:
// its file and what that names, or its backend.
func (sv *serve) watch(ctx context.Context) error {
	reload := func() { sv.reload(ctx) }
	file, err := filepath.Abs(sv.flags.file)
	if err != nil {
		return err
	}
	if err := watch(ctx, filepath.Dir(file), "", func() []string { return append([]string{file}, sv.files.Load().config...) }, reload); err != nil {
		return fmt.Errorf("serve: watch the configuration: %w", err)
	}
	if sv.opened.Backend == "" {
		return nil
	}
	dir, err := projectRoot(string(sv.opened.Backend))
	if err != nil {
		return err
	}
	if err := watch(ctx, dir, "amplify", func() []string { return sv.files.Load().backend }, reload); err != nil {
		return fmt.Errorf("serve: watch the backend: %w", err)
	}
	return nil
}

// reload takes up what changed, or keeps what was.
func (sv *serve) reload(ctx context.Context) {
	sv.reloading.Lock()
	defer sv.reloading.Unlock()
	if ctx.Err() != nil {
		return
	}
	restart, err := sv.reread(ctx)
	switch {
	case ctx.Err() != nil: // nobody waits for it
	case err != nil:
		sv.log.Error("configuration not reloaded, the last good one goes on", "error", err)
	case len(restart) > 0:
		sv.log.Warn("configuration reloaded, some settings change with the next start only", "settings", strings.Join(restart, " "))
	default:
		sv.log.Info("configuration reloaded")
	}
}

// reread reads the configuration and the backend again and puts them in place. It
// gives the settings that need a restart.
func (sv *serve) reread(ctx context.Context) (restart []string, err error) {
	next, origins, err := sv.flags.read(sv.Surroundings, "")
	if err != nil {
		return nil, err
	}
	if err := config.ServeProblems(next, origins); err != nil {
		return nil, err
	}
	c := server.Kept(sv.opened, next)
	b, err := sv.load(ctx, c)
	if err != nil {
		return nil, err
	}
	cert, err := readCertificate(c)
	if err != nil {
		return nil, err
	}
	if err := sv.server.Reconfigure(ctx, c, b); err != nil {
		return nil, err
	}
	sv.cert.Store(cert)
	sv.limitMemory(c)
	return config.Changed(c, next), sv.write(b)
}

// notify tells systemd, where it started us, how we are.
func (sv *serve) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		sv.log.Warn("systemd could not be notified", "error", err)
	}
}
