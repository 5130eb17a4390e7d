package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fairway/internal/inference"
	"fairway/internal/simulate"
)

func simulateCommand(s Surroundings) *cobra.Command {
	var flags simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate [SCENARIO.yaml|NAME]",
		Short: "Compare routing policies in virtual time",
		Long: `Runs a scenario of traffic, latencies, quotas and faults through the routing engine in
virtual time, once for each policy, and compares what callers would have seen. Without a
scenario it lists those that come with it.`,
		Example: "  fairway simulate\n  fairway simulate region-out\n" +
			"  fairway simulate brownout --policy adaptive,latency --svg brownout.svg\n  fairway simulate my.yaml --json",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return flags.list(s)
			}
			scenario, err := findScenario(args[0])
			if err != nil {
				return err
			}
			options, err := flags.options(cmd)
			if err != nil {
				return err
			}
			return flags.run(cmd.Context(), s, scenario, options)
		},
	}
	cmd.Flags().StringSliceVar(&flags.policies, "policy", nil, "compare these `POLICIES` (default: the scenario's)")
	cmd.Flags().Uint64Var(&flags.seed, "seed", 0, "of everything that is left to chance (default: the scenario's)")
	cmd.Flags().StringVar(&flags.svg, "svg", "", "draw the run into `FILE`")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print the report as JSON")
	return cmd
}

// simulateFlags are what the command was asked for.
type simulateFlags struct {
	policies []string
	seed     uint64
	svg      string
	json     bool
}

func (f *simulateFlags) options(cmd *cobra.Command) (simulate.Options, error) {
	var o simulate.Options
	for _, name := range f.policies {
		p := inference.Policy(name)
		if err := simulate.CheckPolicy(p); err != nil {
			return o, fmt.Errorf("simulate: %w", err)
		}
		o.Policies = append(o.Policies, p)
	}
	if cmd.Flags().Changed("seed") {
		o.Seed = &f.seed
	}
	return o, nil
}

// list shows the shipped scenarios.
func (f *simulateFlags) list(s Surroundings) error {
	shipped := simulate.Shipped()
	if f.json {
		type entry struct {
			Name  string `json:"name"`
			About string `json:"about"`
		}
		entries := make([]entry, len(shipped))
		for i, scenario := range shipped {
			entries[i] = entry{scenario.Name, scenario.About}
		}
		return writeJSON(s, map[string][]entry{"scenarios": entries})
	}
	for _, scenario := range shipped {
		first, _, _ := strings.Cut(scenario.About, ".")
		fmt.Fprintf(s.Stdout, "%-14s %s\n", scenario.Name, first)
	}
	_, err := fmt.Fprintln(s.Stdout, "\nrun one: fairway simulate NAME, or your own: fairway simulate FILE.yaml")
	return err
}

// findScenario is the shipped one of that name, else the file's.
func findScenario(named string) (*simulate.Scenario, error) {
	if scenario, ok := simulate.Named(named); ok {
		return scenario, nil
	}
	file, err := os.Open(named)
	if errors.Is(err, os.ErrNotExist) {
		var names []string
		for _, scenario := range simulate.Shipped() {
			names = append(names, scenario.Name)
		}
		return nil, fmt.Errorf("simulate: no file and no shipped scenario %q: want a YAML file, or one of %s", named, strings.Join(names, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("simulate: read scenario: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, simulate.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("simulate: read scenario: %w", err)
	}
	scenario, err := simulate.Parse(named, data)
	if err != nil {
		return nil, fmt.Errorf("simulate: read scenario:\n%w", err)
	}
	return scenario, nil
}

func (f *simulateFlags) run(ctx context.Context, s Surroundings, scenario *simulate.Scenario, o simulate.Options) error {
	var drawing *plotFile
	if f.svg != "" {
		var err error
		if drawing, err = createPlot(f.svg, scenario.Name); err != nil {
			return failed(fmt.Errorf("simulate: write plot: %w", err))
		}
		defer drawing.discard()
	}
	finish := progress(s, "simulating "+scenario.Name)
	report, err := simulate.Run(ctx, scenario, o)
	finish()
	if err != nil {
		return failed(fmt.Errorf("simulate: %w", err))
	}
	if drawing != nil {
		if err := drawing.write(report); err != nil {
			return failed(fmt.Errorf("simulate: write plot: %w", err))
		}
	}
	if f.json {
		return writeJSON(s, report)
	}
	return report.WriteTable(s.Stdout)
}

// plotFile is a file that has its name only once it is whole.
type plotFile struct {
	name string
	part *os.File // beside it
}

// createPlot makes sure that a plot can be written to name, which is not to be the
// scenario's own file.
func createPlot(name, scenario string) (*plotFile, error) {
	if old, err := os.Stat(name); err == nil {
		read, err := os.Stat(scenario)
		switch {
		case err == nil && os.SameFile(old, read):
			return nil, fmt.Errorf("%s is the scenario itself", name)
		case !old.Mode().IsRegular():
			return nil, fmt.Errorf("%s is not a regular file", name)
		}
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, err
		}
	}
	part, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return nil, err
	}
	return &plotFile{name, part}, nil
}

func (p *plotFile) write(r *simulate.Report) error {
	err := errors.Join(r.WriteSVG(p.part), p.part.Chmod(0o644), p.part.Close())
	if err != nil {
		return err
	}
	return os.Rename(p.part.Name(), p.name)
}

// discard removes what is not whole.
func (p *plotFile) discard() {
	p.part.Close()
	os.Remove(p.part.Name())
}
