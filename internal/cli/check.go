package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"fairway/backend"
	"fairway/internal/config"
)

func checkCommand(s Surroundings) *cobra.Command {
	var run runFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: "Find what would fail at run time or on AWS",
		Long: `Loads a folder and says what would fail: missing permissions for destination regions with
the statement to add, placeholders, unknown data sources, retired models, resolver code that
the runtime refuses or that swallows errors. Exits 1 when there are errors.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := run.open(s, dirArgument(args))
			if err != nil {
				return err
			}
			b, err := w.load(cmd.Context())
			if b == nil {
				return failed(err)
			}
			findings := w.check(cmd.Context(), b)
			if err := showFindings(s, findings, asJSON); err != nil {
				return err
			}
			if count(findings, backend.SeverityError) > 0 {
				return errShown
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&run.file, "config", "", "configuration `FILE` (default: "+config.FileName+" in the project root, where there is one)")
	cmd.Flags().BoolVar(&run.strict, "strict", false, "check for a server that refuses what AWS refuses")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// showFindings is what the command prints: a line each and a count, or JSON.
func showFindings(s Surroundings, findings []backend.Finding, asJSON bool) error {
	if asJSON {
		return writeJSON(s, map[string][]backend.Finding{"findings": append([]backend.Finding{}, findings...)})
	}
	printFindings(s.Stdout, findings)
	_, err := fmt.Fprintln(s.Stdout, summary(findings))
	return err
}

// printFindings writes a line each, with the fix indented below it.
func printFindings(w io.Writer, findings []backend.Finding) {
	for _, f := range findings {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if at != "" {
			at += ": "
		}
		fmt.Fprintf(w, "%s%s: %s [%s]\n", at, f.Severity, f.Message, f.Code)
		if f.Fix != "" {
			fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(f.Fix, "\n", "\n    "))
		}
	}
}

func summary(findings []backend.Finding) string {
	if len(findings) == 0 {
		return "nothing found"
	}
	var parts []string
	for _, severity := range []backend.Severity{backend.SeverityError, backend.SeverityWarning, backend.SeverityInfo} {
		if n := count(findings, severity); n > 0 {
			part := fmt.Sprintf("%d %s", n, severity)
			if n > 1 && severity != backend.SeverityInfo {
				part += "s"
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

func count(findings []backend.Finding, severity backend.Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity == severity {
			n++
		}
	}
	return n
}
