package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"
	"time"

	"fairway/internal/inference"
	"fairway/internal/outputs"
	"fairway/internal/tokens"
)

// unasked is how long a server may take that the command was not told to ask.
const unasked = 2 * time.Second

// estimator knows what the running server learned: the one that the flags name, else the
// one of this folder. From is its address; empty, the estimator has learned nothing. Only
// a server that the flags name has to answer.
func (f *tokensFlags) estimator(ctx context.Context, s Surroundings) (e *tokens.Estimator, from string, err error) {
	e = tokens.NewEstimator()
	named := f.where.url != "" || f.where.token != ""
	if _, err := os.Stat(outputs.FairwayFile); !named && errors.Is(err, fs.ErrNotExist) {
		return e, "", nil
	}
	server, err := f.where.find(s)
	if err == nil {
		if from, err = server.base, e.Load(ctx, lessons{server, named}); err == nil {
			return e, from, nil
		}
		err = failed(err)
	}
	if named {
		return nil, "", err
	}
	fmt.Fprintf(s.Stderr, "fairway: tokens: %v: estimating without it\n", err)
	return e, "", nil
}

// lessons are what a running server learned, to be read.
type lessons struct {
	server *admin
	asked  bool // it may take its time
}

func (l lessons) Calibrations(ctx context.Context) ([]inference.Calibration, error) {
	if !l.asked {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, unasked)
		defer cancel()
	}
	answer, err := l.server.get(ctx, "/api/tokens")
	if err != nil {
		return nil, err
	}
	var learned struct {
		Rows []inference.Calibration `json:"rows"`
	}
	if err := json.Unmarshal(answer, &learned); err != nil {
		return nil, errors.New("the server's answer is not what this command knows: are both of one version?")
	}
	return learned.Rows, nil
}

// AddCalibrations is an error: a server learns from answers alone.
func (lessons) AddCalibrations(context.Context, []inference.Calibration, float64) error {
	return errors.ErrUnsupported
}

// showCorrections prints how the estimates of a running server do.
func showCorrections(ctx context.Context, s Surroundings, where *adminFlags, asJSON bool) error {
	var learned struct {
		Corrections []inference.Correction `json:"calibrations"`
	}
	if err := where.call(ctx, s, "GET", "/api/tokens", nil, &learned); err != nil {
		return err
	}
	switch {
	case asJSON:
		return writeJSON(s, learned)
	case len(learned.Corrections) == 0:
		_, err := fmt.Fprintln(s.Stdout, "nothing was learned yet: answers of real models teach, simulated ones never do")
		return err
	}
	table := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tSCRIPT\tSAMPLES\tFACTOR\tERROR")
	for _, at := range learned.Corrections {
		fmt.Fprintf(table, "%s\t%s\t%.0f\t%.3f\t%.1f %%\n", at.Model, at.Script, at.Samples, at.Factor, 100*at.Error)
	}
	return table.Flush()
}
