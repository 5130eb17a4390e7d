package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"fairway/internal/capacity"
)

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
