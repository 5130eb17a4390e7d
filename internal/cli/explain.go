package cli

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"fairway/internal/explain"
	"fairway/internal/inference"
	"fairway/internal/server"
)

func explainCommand(s Surroundings) *cobra.Command {
	var where adminFlags
	var run runFlags
	var principal, action, profile, region string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain [DIR] --principal NAME --profile ID",
		Short: "Show why a call is allowed or denied, statement by statement",
		Long: `Decides a call without making it, and shows each resource that it needs with the statement that
allowed or denied it, what AWS would answer, what fairway does, and the statement that would
grant what is missing. The principals are those of the folder in DIR (default: the built-in
sample), its data sources by name, and of the configuration; with --url those of a running
server. It exits 1 when the call is denied.`,
		Example: "  fairway explain --principal bedrockDS --profile apac.anthropic.claude-sonnet-4-20250514-v1:0\n" +
			"  fairway explain my-app --principal bedrockDS --action bedrock:InvokeModel --profile ID --region eu-west-1 --json",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if principal == "" || profile == "" {
				return errors.New("explain: name who calls with --principal, and what with --profile")
			}
			q := explained{principal, action, profile, region}
			var x *explain.Explanation
			var err error
			if cmd.Flags().Changed("url") {
				if len(args) > 0 {
					return errors.New("explain: a folder and --url are two places to ask: choose one")
				}
				if err := ofOwnServer(cmd, "url", "token", "strict", "principal", "action", "profile", "region", "json"); err != nil {
					return err
				}
				x, err = where.explain(cmd.Context(), s, run.strict, q)
			} else {
				x, err = explainFolder(cmd.Context(), s, run, strings.Join(args, ""), q)
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(s, x)
			} else {
				err = x.Text(s.Stdout)
			}
			if err == nil && !x.Fairway.Allowed {
				return errShown
			}
			return err
		},
	}
	where.register(cmd)
	cmd.Flags().Lookup("url").Usage = "`URL` of a running server to ask in place of a folder"
	cmd.Flags().StringVar(&run.file, "config", "", "configuration `FILE` (default: the one in DIR, where there is one)")
	cmd.Flags().BoolVar(&run.strict, "strict", false, "refuse a call when one destination is denied, as AWS does")
	cmd.Flags().StringVar(&principal, "principal", "", "`NAME` of who calls, such as a data source's")
	cmd.Flags().StringVar(&action, "action", "bedrock:InvokeModel", "`ACTION` of IAM")
	cmd.Flags().StringVar(&profile, "profile", "", "`ID` or ARN of the profile or model")
	cmd.Flags().StringVar(&region, "region", "", "`REGION` where the call enters (default: as the server has it)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the explanation as JSON")
	return cmd
}

// explained is the call that is asked about.
type explained struct{ principal, action, profile, region string }

// explainFolder asks a server that is made for the question, of the folder dir.
func explainFolder(ctx context.Context, s Surroundings, run runFlags, dir string, q explained) (*explain.Explanation, error) {
	w, err := run.open(s, dir)
	if err != nil {
		return nil, err
	}
	w.log = logger(s, quiet(w.config.Log))
	b, err := w.load(ctx)
	if err != nil {
		return nil, failed(err)
	}
	srv, err := server.New(ctx, server.Options{Config: w.config, Backend: b, Version: s.Version, Log: w.log, Development: true, Explains: true})
	if err != nil {
		return nil, asFailure(err)
	}
	defer srv.Close()
	x, err := srv.Explain(ctx, q.principal, q.action, q.profile, inference.Region(q.region))
	if err != nil {
		return nil, failed(errors.New("explain: " + inference.AsError(err).Message))
	}
	return x, nil
}

// explain asks a running server, which answers for both modes.
func (f *adminFlags) explain(ctx context.Context, s Surroundings, strict bool, q explained) (*explain.Explanation, error) {
	query := url.Values{"principal": {q.principal}, "action": {q.action}, "profile": {q.profile}, "region": {q.region}}
	x := &explain.Explanation{}
	if err := f.call(ctx, s, "GET", "/api/explain?"+query.Encode(), nil, x); err != nil {
		return nil, err
	}
	if strict {
		x.Mode, x.Fairway = "strict", x.Modes.Strict
	}
	return x, nil
}
