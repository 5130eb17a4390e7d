package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"fairway/backend"
	"fairway/internal/outputs"
	"fairway/internal/server"
)

func devCommand(s Surroundings) *cobra.Command {
	var run runFlags
	var outputsDir string
	var force, local bool
	cmd := &cobra.Command{
		Use:   "dev [DIR]",
		Short: "Serve a folder on loopback with simulated regions, reloading on change",
		Long: `Serves the amplify/ folder of DIR (a project root or the folder itself; default: here) until
stopped, with simulated regions and a local user pool, and loads it again on each change. It
writes ` + outputs.AmplifyFile + `, ` + outputs.ClientFile + `, which has aws-amplify sign in here, and
` + outputs.FairwayFile + ` with the endpoint, keys and a test user, then prints "ready http://HOST:PORT".
Codes that the user pool sends are in the log.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := run.open(s, dirArgument(args))
			if err != nil {
				return err
			}
			d := &dev{
				Surroundings: s,
				workspace:    w,
				folder:       outputs.Folder{Dir: cmp.Or(outputsDir, w.dir), Force: force, Local: local},
			}
			return d.run(cmd.Context(), run)
		},
	}
	run.register(cmd)
	cmd.Flags().StringVar(&run.listen, "listen", "", "`ADDR` to listen on; port 0 picks one (default 127.0.0.1:20002)")
	cmd.Flags().StringVar(&outputsDir, "outputs-dir", "", "`DIR` for the outputs files (default: the project root)")
	cmd.Flags().BoolVar(&local, "local-outputs", false, "write "+outputs.AmplifyFile+" as "+outputs.ClientFile+": a frontend that imports it signs in here, unchanged")
	cmd.Flags().BoolVar(&force, "force", false, "replace outputs files that fairway did not write")
	return cmd
}

// dev is one run of the dev command.
type dev struct {
	Surroundings
	*workspace
	folder outputs.Folder
	server *server.Server
	files  []string // of the project that were loaded last
}

// run serves the folder until ctx ends.
func (d *dev) run(ctx context.Context, flags runFlags) error {
	if err := d.folder.Check(); err != nil {
		return err
	}
	state, err := d.folder.State()
	if err != nil {
		return fmt.Errorf("dev: %w: name a folder that can be written with --outputs-dir", err)
	}
	b, err := d.loadChecked(ctx)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", d.config.Listen)
	if err != nil {
		return failed(fmt.Errorf("dev: %w: another --listen address may be free, port 0 picks one", err))
	}
	defer listener.Close()
	d.server, err = server.New(ctx, server.Options{Config: d.config, Backend: b, State: state, BaseURL: baseURL(listener, false), Version: d.Version, Log: d.log, Development: true})
	if err != nil {
		return asFailure(err)
	}
	defer d.server.Close()
	if err := flags.fail(d.server); err != nil {
		return err
	}
	return d.serve(ctx, listener, b)
}

// baseURL is how this machine reaches the listener.
func baseURL(l net.Listener, secure bool) string {
	scheme, addr := "http", l.Addr().(*net.TCPAddr)
	if secure {
		scheme = "https"
	}
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("%s://127.0.0.1:%d", scheme, addr.Port)
	}
	return scheme + "://" + addr.String()
}

// loadChecked loads the folder and shows what check finds in it.
func (d *dev) loadChecked(ctx context.Context) (*backend.Backend, error) {
	b, err := d.load(ctx)
	if b == nil {
		return nil, failed(err)
	}
	d.files = b.Files
	printFindings(d.Stderr, d.check(ctx, b))
	if err != nil {
		return nil, failed(errors.New("dev: the folder does not load, see above"))
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
	if err := watch(ctx, d.dir, "amplify", func() []string { return d.files }, func() { d.reload(ctx) }); err != nil {
		return failed(fmt.Errorf("dev: watch the folder: %w", err))
	}
	if d.config.Simulates() {
		fmt.Fprintln(d.Stderr, "simulated regions: latency, quotas and faults are modelled, no real region is called")
	}
	fmt.Fprintf(d.Stderr, "ready %s\n", baseURL(listener, false))
	if err := d.server.Serve(ctx, listener, server.Listening{}); err != nil {
		return failed(fmt.Errorf("dev: %w", err))
	}
	return nil
}

// reload puts the changed folder in place, or keeps the last good backend.
func (d *dev) reload(ctx context.Context) {
	b, err := d.loadChecked(ctx)
	if err == nil {
		err = d.server.Reload(b)
	}
	if err == nil {
		err = d.write(b)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		if !errors.Is(err, server.ErrResolver) { // those are among the findings
			fmt.Fprintln(d.Stderr, "fairway:", err)
		}
		fmt.Fprintln(d.Stderr, "reload failed; the last good backend goes on")
		return
	}
	fmt.Fprintln(d.Stderr, "reloaded")
}

func (d *dev) write(b *backend.Backend) error {
	local := d.server.Outputs()
	amplify, err := amplifyOutputs(b, d.config, local)
	if err != nil {
		return err
	}
	return d.folder.Write(amplify, local)
}
