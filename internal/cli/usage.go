package cli

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fairway/internal/inference"
	"fairway/internal/usage"
)

func usageCommand(s Surroundings) *cobra.Command {
	var where adminFlags
	var flags usageFlags
	var budgets, asJSON bool
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "Show what calls used and what they cost",
		Long: `Sums the calls in a running server's ledger: tokens, dollars, failovers, what was wasted and
what prompt caches saved. Times are whole hours of UTC: 24h, 7d (seven days, today the last of
them), today, yesterday, 2026-11, 2026-11-01 or 2026-11-01T15Z. Dimensions are hour, day, month,
model, profile, region, source, principal, user, key, team, door and outcome.`,
		Example: "  fairway usage\n  fairway usage --by model,region --since 30d --top 10\n" +
			"  fairway usage --by user --where team=search --since 2026-11 --json\n  fairway usage --budgets\n" +
			"  fairway usage export --format csv --since yesterday --until today -o calls.csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if budgets {
				return showBudgets(cmd.Context(), s, &where, asJSON)
			}
			q, err := flags.query(time.Now())
			if err != nil {
				return err
			}
			return showUsage(cmd.Context(), s, &where, q, asJSON)
		},
	}
	where.registerAll(cmd)
	flags.registerRange(cmd)
	cmd.Flags().StringSliceVar(&flags.by, "by", []string{"day"}, "`DIMENSIONS` to tell calls apart by, up to three")
	cmd.Flags().IntVar(&flags.top, "top", 0, "show the `N` rows that cost most, and the sum of the others")
	cmd.Flags().BoolVar(&budgets, "budgets", false, "show what budgets have left in place of what calls used")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	for _, other := range []string{"since", "until", "where", "by", "top"} {
		cmd.MarkFlagsMutuallyExclusive("budgets", other)
	}
	cmd.AddCommand(exportCommand(s, &where))
	return cmd
}

// usageFlags say which calls a command is about, and how they are summed.
type usageFlags struct {
	since, until string
	where        []string
	by           []string
	top          int
}

func (f *usageFlags) registerRange(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.since, "since", "7d", "`TIME` from which on calls are counted")
	cmd.Flags().StringVar(&f.until, "until", "now", "`TIME` up to which they are, without it")
	cmd.Flags().StringArrayVar(&f.where, "where", nil, "`DIMENSION=VALUE` of the calls that count, such as model=ID; repeats")
}

func (f *usageFlags) query(now time.Time) (usage.Query, error) {
	params := url.Values{"since": {f.since}, "until": {f.until}, "where": f.where}
	params.Set("by", strings.Join(f.by, ","))
	params.Set("top", strconv.Itoa(f.top))
	q, err := usage.Parse(params, now)
	return q, plainly(err)
}

// plainly is an error of what was asked, as people read it.
func plainly(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(inference.AsError(err).Message)
}

func showUsage(ctx context.Context, s Surroundings, where *adminFlags, q usage.Query, asJSON bool) error {
	wide := screenWidth(s.Stdout)
	screen := usage.Screen{Width: wide, Draws: wide > 0}
	if screen.Draws && !asJSON {
		q.Step = q.StepFor()
	}
	var r usage.Report
	if err := where.call(ctx, s, "GET", "/api/usage?"+q.Values().Encode(), nil, &r); err != nil {
		return err
	}
	if asJSON {
		return writeJSON(s, r)
	}
	return r.WriteTable(s.Stdout, screen)
}

func showBudgets(ctx context.Context, s Surroundings, where *adminFlags, asJSON bool) error {
	var list struct {
		Budgets []usage.BudgetState `json:"budgets"`
	}
	if err := where.call(ctx, s, "GET", "/api/usage/budgets", nil, &list); err != nil {
		return err
	}
	if asJSON {
		return writeJSON(s, list)
	}
	return usage.WriteBudgets(s.Stdout, list.Budgets)
}

// screenWidth is how many characters a line of the terminal has that w is, 0 for none.
func screenWidth(w io.Writer) int {
	file, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return 0
	}
	wide, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return wide
}
