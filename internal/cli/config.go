package cli

import (
	"fmt"
	"log/slog"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/server"
)

// runFlags are the flags of the commands that start a server.
type runFlags struct {
	file      string
	down      []string
	listen    string
	speed     string
	model     string
	strict    bool
	responses string
	show      func(text string) // is told the text of answers as it comes; nil waits for the whole
}

func (f *runFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "config", "", "configuration `FILE` (default: "+config.FileName+" in the project root, where there is one)")
	cmd.Flags().StringArrayVar(&f.down, "down", nil, "simulated `REGION` that refuses connections; repeats")
	cmd.Flags().StringVar(&f.speed, "speed", "", "`N` of simulated regions: 1 is real time, 10 ten times faster, instant does not wait")
	cmd.Flags().StringVar(&f.model, "model", "", "`WHAT` answers: sim, openai=URL for the text of simulated regions, bedrock for real regions, or anthropic (default sim)")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "refuse a call when one destination is denied, as AWS does")
	cmd.Flags().StringVar(&f.responses, "responses", "", "`FILE` of scripted answers for the simulated regions")
}

// read is the configuration of a run in the project root dir, empty for the sample.
func (f *runFlags) read(s Surroundings, dir string) (*config.Config, config.Origins, error) {
	source := config.Source{File: f.file, Flags: map[string]string{}, Env: s.lookup}
	if source.File == "" && dir != "" {
		source.File = config.Find(dir)
	}
	if f.listen != "" {
		source.Flags["listen"] = f.listen
	}
	if f.speed != "" {
		source.Flags["simulate.speed"] = f.speed
	}
	if f.model != "" {
		source.Flags["model"] = f.model
	}
	if f.strict {
		source.Flags["grant"] = string(config.Strict)
	}
	if f.responses != "" {
		source.Flags["simulate.responses"] = f.responses
	}
	return config.Load(source)
}

// fail takes the regions of --down down.
func (f *runFlags) fail(srv *server.Server) error {
	for _, region := range f.down {
		if err := srv.SetFault(inference.Region(region), "down"); err != nil {
			return fmt.Errorf("--down: %w", err)
		}
	}
	return nil
}

// logger logs to stderr: text for people, JSON for machines.
func logger(s Surroundings, c config.Log) *slog.Logger {
	if c.Format == config.LogJSON {
		return slog.New(slog.NewJSONHandler(s.Stderr, &slog.HandlerOptions{Level: c.Level}))
	}
	return slog.New(tint.NewTextHandler(s.Stderr, &tint.Options{Level: c.Level, TimeFormat: "15:04:05", NoColor: !s.Terminal}))
}

// quiet leaves out what a command prints itself.
func quiet(c config.Log) config.Log {
	if c.Level.Level() < slog.LevelWarn {
		c.Level = "warn"
	}
	return c
}

func configCommand(s Surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look at the configuration, and seal secrets for it",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var run runFlags
	var asJSON bool
	check := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Print the effective configuration, with where each value comes from",
		Long: `Reads a configuration as ask, dev and serve do and prints every setting with the source of
its value: the defaults, the file with its line, or the environment. Secrets show as the
references they are. What is wrong is listed with its line; the exit code is then 2. For a file
named by --config a note says what would keep serve from starting with it.`,
		Example: "  fairway config check\n  fairway config check --config fairway.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := projectRoot(dirArgument(args))
			if err != nil {
				return err
			}
			cfg, origins, err := run.read(s, dir)
			if err != nil {
				return err
			}
			if problems := config.ServeProblems(cfg, origins); run.file != "" && problems != nil {
				fmt.Fprintf(s.Stderr, "note: serve would not start with this configuration:\n%v\n", problems)
			}
			if asJSON {
				return writeJSON(s, map[string][]config.Setting{"settings": config.List(cfg, origins)})
			}
			return config.Effective(s.Stdout, cfg, origins)
		},
	}
	check.Flags().StringVar(&run.file, "config", "", "configuration `FILE` (default: "+config.FileName+" in DIR, where there is one)")
	check.Flags().BoolVar(&asJSON, "json", false, "print the settings as JSON")
	cmd.AddCommand(check, sealCommand(s))
	return cmd
}
