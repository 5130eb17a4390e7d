package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"fairway/internal/catalog"
)

func pricesUpdateCommand(s Surroundings) *cobra.Command {
	var run runFlags
	cmd := &cobra.Command{
		Use:   "update FILE",
		Short: "Take the rows of a price file into the project's own",
		Long: `Checks a price file, shows what it changes, and puts its rows into the project's own file, in
place of those with the same id and date. That is the file that the configuration names as
prices, or else .fairway/prices.yaml beside it. The former file is kept, with .bak after its
name. Comments of the project's file are not kept in the new one.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := run.prices(s)
			if err != nil {
				return err
			}
			if isSameFile(args[0], list.file) {
				return fmt.Errorf("prices: %s is the project's own file: name the file with the new rows", args[0])
			}
			next, err := catalog.OpenPrices(args[0])
			if err != nil {
				return err
			}
			if err := printChanges(s.Stdout, list.force.Changes(next)); err != nil {
				return err
			}
			return list.update(s, next)
		},
	}
	registerConfig(cmd, &run)
	return cmd
}

func isSameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// update puts rows over those of the project's own file.
func (l *priceList) update(s Surroundings, next *catalog.Prices) error {
	former, err := os.ReadFile(l.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(fmt.Errorf("prices: %w", err))
	}
	merged := l.own.With(next)
	text, err := merged.Text(l.file)
	if err != nil {
		return failed(fmt.Errorf("prices: %w", err))
	}
	if _, err := catalog.ReadPrices(l.file, text); err != nil {
		return failed(fmt.Errorf("prices: the rows of both files together are too many: %w", err))
	}
	if bytes.Equal(text, former) {
		_, err := fmt.Fprintf(s.Stdout, "%s has these rows already\n", l.file)
		return err
	}
	if err := replace(l.file, former, text); err != nil {
		return failed(fmt.Errorf("prices: write %s: %w", l.file, err))
	}
	rows := "1 row"
	if n := len(merged.List()); n != 1 {
		rows = fmt.Sprintf("%d rows", n)
	}
	_, err = fmt.Fprintf(s.Stdout, "%s has %s now; fairway serve watches the file and takes them up\n", l.file, rows)
	return err
}

// replace writes the project's own file, and what was in it beside it.
func replace(name string, former, text []byte) error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
		if err := writeWhole(name+".bak", former, mode); err != nil {
			return err
		}
	} else if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	return writeWhole(name, text, mode)
}

// writeWhole writes a file that has its name only once it is whole.
func writeWhole(name string, text []byte, mode os.FileMode) error {
	part, err := createPart(name)
	if err != nil {
		return err
	}
	defer part.discard()
	_, err = part.file.Write(text)
	if err = errors.Join(err, part.file.Chmod(mode)); err != nil {
		return err
	}
	return part.keep()
}
