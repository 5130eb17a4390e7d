package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fairway/internal/capacity"
	"fairway/internal/catalog"
	"fairway/internal/inference"
)

func tokensCommand(s Surroundings) *cobra.Command {
	var flags tokensFlags
	cmd := &cobra.Command{
		Use:   "tokens TEXT|FILE|-",
		Short: "Estimate tokens, cost and capacity before the first call",
		Long: `Counts a text, a file, or a request body of any dialect for some models, and prices the call: with
the answer that is expected, and at most. With --calls-per-day it makes a budget of twelve months,
and with --plan it finds which quotas a peak takes, in how many regions and accounts.

It calls no model. A JSON object is taken for a request body; its form is detected. Estimates rest
on what the running server of this folder learned from answers, where there is one; --calibration
shows that. With --count the server's CountTokens counts for the models that have it.`,
		Example: "  fairway tokens how many tokens is this\n  fairway tokens body.json --model 'us.anthropic.*' --output 500\n" +
			"  fairway tokens body.json --calls-per-day 20000 --growth 5%\n" +
			"  fairway tokens body.json --model apac.anthropic.claude-sonnet-4-20250514-v1:0 --plan --calls-per-day 200000\n" +
			"  fairway tokens body.json --count\n  fairway tokens --calibration",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(args); err != nil {
				return fmt.Errorf("tokens: %w", err)
			}
			if flags.calibration {
				return showStandings(cmd.Context(), s, &flags.where, flags.json)
			}
			given, err := readPrompt(s, args)
			if err != nil {
				return fmt.Errorf("tokens: %w", err)
			}
			found, err := flags.ask(cmd.Context(), s, given)
			if err != nil {
				return fmt.Errorf("tokens: %w", err)
			}
			if flags.json {
				return writeJSON(s, found)
			}
			return found.print(s.Stdout)
		},
	}
	flags.register(cmd)
	return cmd
}

// tokensFlags are what the command was asked for.
type tokensFlags struct {
	run    runFlags
	as     string
	choice capacity.Choice
	source string
	dir    string
	asked  capacity.Asked
	count  bool
	json   bool

	where       adminFlags
	calibration bool

	callsPerDay int64
	growth      growth
	from        month

	plan      bool
	peak      float64
	peakCalls float64
	quota     int
}

func (f *tokensFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	registerConfig(cmd, &f.run)
	flags.StringVar(&f.dir, "dir", "", "the models that the folder in `DIR` may call, a project root or amplify/ folder")
	flags.StringVar(&f.as, "as", "", "take the prompt for this `FORM`: "+strings.Join(capacity.Forms(), ", ")+" (default: detected)")
	flags.StringSliceVar(&f.choice.Patterns, "model", nil, "`PATTERNS` of profiles and models, as callers name them (default: the body's, else some usual ones)")
	flags.BoolVar(&f.choice.All, "all", false, "every text model that can be called from the source region")
	flags.StringVar(&f.source, "source", "", "`REGION` that calls enter (default: the configuration's, else one from which the models can be called)")
	flags.IntVar(&f.asked.Output, "output", 0, fmt.Sprintf("expect `N` tokens of output a call (default: %d, a guess)", capacity.UsualOutput))
	flags.IntVar(&f.asked.MaxTokens, "max-tokens", 0, "at most `N` tokens of output a call (default: the body's, else the model's)")
	flags.Int64Var(&f.callsPerDay, "calls-per-day", 0, "budget twelve months of `N` calls a day")
	flags.Var(&f.growth, "growth", "of the calls a month, such as 5%")
	flags.Var(&f.from, "from", "first `MONTH` of the budget, such as 2027-01 (default: the next)")
	flags.BoolVar(&f.plan, "plan", false, "find the quotas, regions and accounts that a peak of calls to one profile takes")
	flags.Float64Var(&f.peak, "peak", 3, "`TIMES` that the peak is as high as the average of --calls-per-day")
	flags.Float64Var(&f.peakCalls, "peak-calls-per-minute", 0, "plan for a peak of `N` calls a minute in place of --peak")
	flags.IntVar(&f.quota, "quota", 0, "tokens a minute (`TPM`) that the account has in each region (default: the service's, where it is known)")
	flags.BoolVar(&f.count, "count", false, "have the running server's CountTokens count for the models that have it")
	flags.BoolVar(&f.calibration, "calibration", false, "show what the running server learned from answers in place of a prompt's tokens")
	flags.BoolVar(&f.json, "json", false, "print everything as one JSON object")
	f.where.register(cmd)
	for _, other := range []string{"as", "model", "all", "dir", "source", "output", "max-tokens", "calls-per-day", "plan", "count"} {
		cmd.MarkFlagsMutuallyExclusive("calibration", other)
	}
}

// Bounds of what is asked.
const (
	mostTokens    = 10_000_000 // of one answer: more than any model writes
	mostPeakCalls = 10_000_000 // a minute
	mostPeak      = 1000
	mostQuota     = 1_000_000_000
)

// check says what is wrong with the flags together.
func (f *tokensFlags) check(args []string) error {
	planned := f.callsPerDay > 0 || f.peakCalls > 0
	switch {
	case f.calibration && len(args) > 0:
		return errors.New("--calibration is of no prompt: leave it out")
	case f.calibration:
		return nil
	case len(args) == 0:
		return errors.New("name a text, a file, or - for what stands on stdin")
	case f.choice.All && len(f.choice.Patterns) > 0 || f.dir != "" && (f.choice.All || len(f.choice.Patterns) > 0):
		return errors.New("--model, --all and --dir each choose the models: name one of them")
	case f.asked.Output < 0 || f.asked.Output > mostTokens || f.asked.MaxTokens < 0 || f.asked.MaxTokens > mostTokens:
		return fmt.Errorf("want 0 to %d tokens for --output and --max-tokens", mostTokens)
	case f.callsPerDay < 0 || f.callsPerDay > capacity.MaxCallsPerDay:
		return fmt.Errorf("want 0 to %d for --calls-per-day", capacity.MaxCallsPerDay)
	case f.callsPerDay == 0 && (f.growth != 0 || f.from != month{}):
		return errors.New("--growth and --from are of a budget: name --calls-per-day too")
	case f.plan && !planned:
		return errors.New("--plan needs --calls-per-day with --peak, or --peak-calls-per-minute")
	case !f.plan && (f.peakCalls != 0 || f.quota != 0):
		return errors.New("--peak-calls-per-minute and --quota are of a plan: name --plan too")
	case !(f.peak >= 1 && f.peak <= mostPeak):
		return fmt.Errorf("want 1 to %d for --peak", mostPeak)
	case !(f.peakCalls >= 0 && f.peakCalls <= mostPeakCalls):
		return fmt.Errorf("want 0 to %d for --peak-calls-per-minute", mostPeakCalls)
	case f.quota < 0 || f.quota > mostQuota:
		return fmt.Errorf("want 0 to %d for --quota", mostQuota)
	}
	return nil
}

// readPrompt is the file that the one argument names, stdin for "-", or else the text of
// all of them.
func readPrompt(s Surroundings, args []string) ([]byte, error) {
	if len(args) > 1 {
		return []byte(strings.Join(args, " ")), nil
	}
	if args[0] == "-" {
		return readBounded(s.Stdin)
	}
	info, err := os.Stat(args[0])
	switch {
	case err != nil:
		return []byte(args[0]), nil
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder: name a file in it, or give a text of that word on stdin", args[0])
	}
	file, err := os.Open(args[0])
	if err != nil {
		return nil, fmt.Errorf("read prompt: %w", err)
	}
	defer file.Close()
	return readBounded(file)
}

// readBounded reads one byte more at most than a prompt may have.
func readBounded(from io.Reader) ([]byte, error) {
	given, err := io.ReadAll(io.LimitReader(from, capacity.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read prompt: %w", err)
	}
	return given, nil
}

// foreseen is what the command answers; docs/tokens.md says what its JSON has.
type foreseen struct {
	Prompt *capacity.Prompt `json:"prompt"`
	Source inference.Region `json:"source_region"`
	Quotes []capacity.Quote `json:"models"`
	Rests  rests            `json:"calibrations"`
	Growth growth           `json:"growth_percent,omitempty"`
	Years  []*capacity.Year `json:"years,omitempty"`
	Plan   *capacity.Plan   `json:"plan,omitempty"`
}

// ask answers for a prompt. Errors of the simulation are failures.
func (f *tokensFlags) ask(ctx context.Context, s Surroundings, given []byte) (*foreseen, error) {
	prompt, err := capacity.Read(given, capacity.Form(f.as))
	if err != nil {
		return nil, err
	}
	desk, rests, err := f.desk(ctx, s)
	if err != nil {
		return nil, err
	}
	choice, err := f.choose(ctx, s, prompt)
	if err != nil {
		return nil, err
	}
	chosen, err := desk.Choose(ctx, choice)
	if err != nil {
		return nil, err
	}
	found := &foreseen{Prompt: prompt, Source: chosen[0].SourceRegion, Rests: rests, Growth: f.growth}
	if found.Quotes, err = f.quote(ctx, s, desk, prompt, chosen); err != nil {
		return nil, err
	}
	if f.callsPerDay > 0 {
		if err := found.budget(f.callsPerDay, capacity.Growth(f.growth), f.from.orNext(desk.Now)); err != nil {
			return nil, err
		}
	}
	if !f.plan {
		return found, nil
	}
	if len(chosen) > 1 {
		return nil, fmt.Errorf("a plan is of one profile, not of %d: name it with --model", len(chosen))
	}
	finish := progress(s, "simulating the peak")
	defer finish()
	found.Plan, err = desk.Plan(ctx, chosen[0], &found.Quotes[0], f.load(&found.Quotes[0]), f.quota)
	if err != nil {
		return nil, failed(err)
	}
	return found, nil
}

// desk counts and prices by the project's prices, and by what its server learned.
func (f *tokensFlags) desk(ctx context.Context, s Surroundings) (*capacity.Desk, rests, error) {
	list, err := f.run.prices(s)
	if err != nil {
		return nil, "", err
	}
	estimator, from, err := f.estimator(ctx, s)
	if err != nil {
		return nil, "", err
	}
	return &capacity.Desk{
		Catalog:   catalog.New(catalog.Options{Prices: list.own}),
		Estimator: estimator,
		Now:       time.Now(),
	}, rests(from), nil
}

// quote quotes each of the models that were chosen.
func (f *tokensFlags) quote(ctx context.Context, s Surroundings, desk *capacity.Desk, prompt *capacity.Prompt, chosen []inference.Profile) (quotes []capacity.Quote, err error) {
	var counter *counter
	if f.count {
		if counter, err = newCounter(prompt); err != nil {
			return nil, err
		}
		defer progress(s, "counting")()
	}
	for _, p := range chosen {
		asked, by := f.asked, counted{}
		if m, ok := desk.Catalog.Model(p.Model); counter != nil && ok && m.CountTokens {
			by = counter.count(ctx, p)
			asked.Counted = by.tokens
		}
		q := desk.Quote(prompt, p, asked)
		q.Uncounted = by.why
		quotes = append(quotes, q)
	}
	return quotes, nil
}

// choose is the choice of models: by the flags, the folder, the body, or none of them.
func (f *tokensFlags) choose(ctx context.Context, s Surroundings, prompt *capacity.Prompt) (capacity.Choice, error) {
	settings, _, err := f.run.read(s, ".")
	if err != nil {
		return capacity.Choice{}, err
	}
	choice, source := f.choice, settings.Region
	switch {
	case f.dir != "":
		if choice.Patterns, source, err = f.run.reachable(ctx, s, f.dir); err != nil {
			return capacity.Choice{}, err
		}
	case prompt.Model != "" && len(choice.Patterns) == 0 && !choice.All:
		choice.Patterns = []string{prompt.Model}
	}
	choice.Source = cmp.Or(inference.Region(f.source), source)
	return choice, nil
}

// budget makes a year of each quote that has a price.
func (found *foreseen) budget(callsPerDay int64, g capacity.Growth, from time.Time) error {
	for i := range found.Quotes {
		if found.Quotes[i].Cost == nil {
			continue
		}
		year, err := found.Quotes[i].Year(callsPerDay, g, from)
		if err != nil {
			return err
		}
		found.Years = append(found.Years, year)
	}
	return nil
}

// load is the peak of the plan.
func (f *tokensFlags) load(q *capacity.Quote) capacity.Load {
	const minutesPerDay = 24 * 60
	perMinute := f.peakCalls
	if perMinute == 0 {
		perMinute = float64(f.callsPerDay) / minutesPerDay * f.peak
	}
	return capacity.Load{PerMinute: perMinute, Seconds: q.SecondsPerCall()}
}
