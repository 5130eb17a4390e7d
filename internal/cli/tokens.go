package cli

import (
	"cmp"
	"context"
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
				return showCorrections(cmd.Context(), s, &flags.where, flags.json)
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
