package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/outputs"
)

// priceFileName is the file of a project's own prices in its state folder, where its
// configuration names no other.
const priceFileName = "prices.yaml"

func pricesCommand(s Surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "Show the prices of models, and change them by a file",
		Long: `Shows what models and inference profiles cost, by the rows that are built in and the
project's own over them: those of the file that the configuration names as prices, or else of
.fairway/prices.yaml beside it. Prices are dollars per million tokens.`,
		Example: "  fairway prices list sonnet-4\n  fairway prices diff november.yaml\n  fairway prices update november.yaml",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(pricesListCommand(s), pricesDiffCommand(s), pricesUpdateCommand(s))
	return cmd
}

func pricesListCommand(s Surroundings) *cobra.Command {
	var run runFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [PATTERN]",
		Short: "List the prices in force, with their dates and sources",
		Long: `Lists the rows of prices, those alone whose id has PATTERN in it or matches it where it has
a * or ?. A profile without a row costs what its model does. A ? marks an uncertain row, which
is remembered or contradicted by another source. Of several rows of one id, the latest whose
date has begun holds.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := run.prices(s)
			if err != nil {
				return err
			}
			rows, err := list.matching(strings.Join(args, ""))
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s, struct {
					Prices  []catalog.Price `json:"prices"`
					BuiltIn string          `json:"built_in_as_of"`
					File    string          `json:"file,omitempty"`
				}{rows, catalog.BuiltinPrices().AsOf(), list.read()})
			}
			return printPrices(s.Stdout, rows, list.origin())
		},
	}
	registerConfig(cmd, &run)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the prices as JSON")
	return cmd
}

func pricesDiffCommand(s Surroundings) *cobra.Command {
	var run runFlags
	cmd := &cobra.Command{
		Use:   "diff FILE",
		Short: "Show what a price file would change",
		Long: `Compares each row of a price file with what holds without it from the row's date on, and
changes nothing.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := run.prices(s)
			if err != nil {
				return err
			}
			next, err := catalog.OpenPrices(args[0])
			if err != nil {
				return err
			}
			return printChanges(s.Stdout, list.force.Changes(next))
		},
	}
	registerConfig(cmd, &run)
	return cmd
}

func registerConfig(cmd *cobra.Command, run *runFlags) {
	cmd.Flags().StringVar(&run.file, "config", "", "configuration `FILE` (default: "+config.FileName+" in the folder, where there is one)")
}

// pricesIn is the file of a project's own prices where its configuration names none.
func pricesIn(dir string) string { return filepath.Join(dir, outputs.StateDir, priceFileName) }

// priceList is the prices of a project.
type priceList struct {
	force *catalog.Prices
	file  string          // of the project's own
	own   *catalog.Prices // in it, nil where it is not there
}

// prices are those in force in the folder that the command runs in.
func (f *runFlags) prices(s Surroundings) (*priceList, error) {
	dir, err := projectRoot(".")
	if err != nil {
		return nil, err
	}
	cfg, _, err := f.read(s, dir)
	if err != nil {
		return nil, err
	}
	list := &priceList{file: string(cfg.Prices)}
	if list.file == "" {
		if f.file != "" {
			dir = filepath.Dir(f.file)
		}
		list.file = pricesIn(dir)
	}
	if list.own, err = catalog.OpenPrices(list.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	list.force = catalog.BuiltinPrices().With(list.own)
	return list, nil
}

// read is the name of the project's own file, empty where it is not there.
func (l *priceList) read() string {
	if l.own == nil {
		return ""
	}
	return l.file
}

// origin says where the prices are from.
func (l *priceList) origin() string {
	from := "built-in as of " + catalog.BuiltinPrices().AsOf()
	if l.own != nil {
		from += ", and " + l.file
	}
	return from
}

// matching are the rows whose id has the pattern in it or matches it; where none does,
// that of what is called by that name.
func (l *priceList) matching(pattern string) ([]catalog.Price, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("prices: pattern %q: %w", pattern, err)
	}
	rows := slices.DeleteFunc(l.force.List(), func(row catalog.Price) bool {
		ok, _ := path.Match(pattern, row.ID)
		return !ok && !strings.Contains(row.ID, pattern)
	})
	if len(rows) > 0 {
		return rows, nil
	}
	if row, ok := l.force.At(pattern, catalog.DateOf(time.Now())); ok {
		return []catalog.Price{row}, nil
	}
	return nil, failed(fmt.Errorf("prices: no row for %q: list them with fairway prices list, or add one with fairway prices update", pattern))
}
