package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"fairway/internal/usage"
)

func exportCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var flags usageFlags
	var format, file string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the records of calls",
		Long: `Writes the record of each call, oldest first: as CSV, as JSON Lines, or as Bedrock writes its
model invocation log, without bodies, which are not kept. A transfer that breaks exits 1; FILE is
written whole or not at all.`,
		Example: "  fairway usage export --format csv --since yesterday --until today -o calls.csv\n" +
			"  fairway usage export --format jsonl --since 2026-11 --where team=search | jq .cost_usd",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := flags.query(time.Now())
			if err != nil {
				return err
			}
			server, err := where.find(s)
			if err != nil {
				return err
			}
			return export(cmd.Context(), s, server, usage.Format(format), q, file)
		},
	}
	flags.registerRange(cmd)
	cmd.Flags().StringVar(&format, "format", string(usage.CSV), "`FORMAT`: csv, jsonl or invocation-log")
	cmd.Flags().StringVarP(&file, "output", "o", "", "`FILE` to write (default: standard output)")
	return cmd
}

// export writes the calls that q is about to a file, or to stdout where it has no name.
func export(ctx context.Context, s Surroundings, from *admin, format usage.Format, q usage.Query, file string) error {
	if _, err := usage.NewExport(format, io.Discard); err != nil {
		return plainly(err)
	}
	if file == "" {
		calls, err := from.export(ctx, format, q, s.Stdout)
		if err != nil {
			return failed(fmt.Errorf("usage export: %w: what is written is not all, it ends after %d calls", err, calls))
		}
		return nil
	}
	part, err := createPart(file)
	if err != nil {
		return failed(fmt.Errorf("usage export: %w", err))
	}
	defer part.discard()
	finish := progress(s, "exporting to "+file)
	calls, err := from.export(ctx, format, q, part.file)
	finish()
	if err == nil {
		err = part.keep()
	}
	if err != nil {
		return failed(fmt.Errorf("usage export: %w: %s is not written", err, file))
	}
	fmt.Fprintf(s.Stderr, "%d calls in %s\n", calls, file)
	return nil
}

// export writes the server's records to w and says of how many calls they are.
func (a *admin) export(ctx context.Context, format usage.Format, q usage.Query, w io.Writer) (calls int, err error) {
	out, err := usage.NewExport(format, w)
	if err != nil {
		return 0, err
	}
	err = a.stream(ctx, "/api/usage/records?"+q.Values().Encode(), silence, func(body io.Reader) error {
		calls, err = usage.ReadRecords(body, out.Put)
		return err
	})
	return calls, errors.Join(err, out.Close())
}

// silence is how long a server may send nothing in the middle of an answer.
const silence = time.Minute

var errSilent = errors.New("the server went silent")

// stream gives read the body of a long answer as it comes, up to a silence of the
// server.
func (a *admin) stream(ctx context.Context, path string, silence time.Duration, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watch.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+path, nil)
	if err != nil {
		return err
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return fmt.Errorf("ask the server at %s: %w: is one running there?", a.base, cmp.Or(context.Cause(ctx), err))
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("read the answer of %s: %w", a.base, err)
		}
		return a.refusal(http.MethodGet, path, &reply{resp.StatusCode, resp.Header, raw})
	}
	err = read(heard{resp.Body, func() { watch.Reset(silence) }})
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}

// heard tells of each piece that is read.
type heard struct {
	io.Reader
	came func()
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.came()
	return n, err
}
