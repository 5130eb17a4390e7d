package cli

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"path/filepath"

	"github.com/spf13/cobra"

	"fairway/backend"
	"fairway/internal/amplify"
	"fairway/internal/check"
	"fairway/internal/outputs"
	"fairway/internal/server"
)

func devCommand(s Surroundings) *cobra.Command {
	var run runFlags
	var listen, outputsDir string
	var force bool
	cmd := &cobra.Command{
		Use:   "dev [DIR]",
		Short: "Serve a folder on loopback with simulated regions, reloading on change",
		Long: `Serves the amplify/ folder of DIR (a project root or the folder itself; default: here) until
stopped, with simulated regions and a local user pool, and loads it again on each change. It
writes ` + outputs.AmplifyFile + ` for aws-amplify and ` + outputs.FairwayFile + ` with the endpoint, keys and a
test user, then prints "ready http://HOST:PORT".`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := openProject(dirArgument(args))
			if err != nil {
				return err
			}
			cfg, err := run.load(s, p)
			if err != nil {
				return err
			}
			d := &dev{
				Surroundings: s,
				project:      p,
				check:        checkOptions(cfg),
				folder:       outputs.Folder{Dir: cmp.Or(outputsDir, p.dir), Force: force},
			}
			if err := d.folder.Check(); err != nil {
				return err
			}
			state, err := d.folder.State()
			if err != nil {
				return fmt.Errorf("dev: %w", err)
			}
			b, err := d.load(cmd.Context())
			if err != nil {
				return err
			}
			listener, err := net.Listen("tcp", cmp.Or(listen, cfg.Listen))
			if err != nil {
				return failed(fmt.Errorf("dev: %w: another --listen address may be free, port 0 picks one", err))
			}
			d.server, err = server.New(server.Options{
				Config: cfg, Backend: b, State: state, BaseURL: baseURL(listener), Log: logger(s, cfg.Log),
			})
			if err != nil {
				_ = listener.Close()
				return failed(err)
			}
			defer d.server.Close()
			if err := run.fail(d.server); err != nil {
				_ = listener.Close()
				return err
			}
			return d.serve(cmd.Context(), listener, b)
		},
	}
	run.register(cmd)
	cmd.Flags().StringVar(&listen, "listen", "", "`ADDR`ess to listen on; port 0 picks one (default 127.0.0.1:20002)")
	cmd.Flags().StringVar(&outputsDir, "outputs-dir", "", "`DIR` for the outputs files (default: the project root)")
	cmd.Flags().BoolVar(&force, "force", false, "replace outputs files that fairway did not write")
	return cmd
}

// dev is one run of the dev command.
type dev struct {
	Surroundings
	project *project
	check   check.Options
	folder  outputs.Folder
	server  *server.Server
}

// baseURL is how this machine reaches the listener.
func baseURL(l net.Listener) string {
	addr := l.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", addr.Port)
	}
	return "http://" + addr.String()
}

// load loads the folder and shows what check finds in it.
func (d *dev) load(ctx context.Context) (*backend.Backend, error) {
	b, err := amplify.Load(ctx, d.project.files)
	printFindings(d.Stderr, check.Run(ctx, b, d.check))
	if err != nil {
		return nil, failed(fmt.Errorf("dev: the folder does not load; see above"))
	}
	return b, nil
}

// serve writes the outputs, says ready and serves until ctx ends.
func (d *dev) serve(ctx context.Context, listener net.Listener, b *backend.Backend) error {
	if err := d.write(b); err != nil {
		return failed(err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := watch(ctx, filepath.Join(d.project.dir, "amplify"), func() { d.reload(ctx) }); err != nil {
		return failed(fmt.Errorf("dev: watch the folder: %w", err))
	}
	fmt.Fprintln(d.Stderr, "simulated regions: latency, quotas and faults are modelled, no model runs")
	fmt.Fprintf(d.Stderr, "ready %s\n", baseURL(listener))
	if err := d.server.Serve(ctx, listener); err != nil {
		return failed(fmt.Errorf("dev: %w", err))
	}
	return nil
}

// reload puts the changed folder in place, or keeps the last good backend.
func (d *dev) reload(ctx context.Context) {
	b, err := d.load(ctx)
	if err == nil {
		err = d.server.Reload(b)
	}
	if err == nil {
		err = d.write(b)
	}
	if err != nil {
		fmt.Fprintf(d.Stderr, "fairway: %v\nreload failed; the last good backend goes on\n", err)
		return
	}
	fmt.Fprintln(d.Stderr, "reloaded")
}

func (d *dev) write(b *backend.Backend) error {
	local := d.server.Outputs()
	amplifyOutputs, err := outputs.Amplify(b, local)
	if err != nil {
		return err
	}
	return d.folder.Write(amplifyOutputs, local)
}
