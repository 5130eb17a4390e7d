package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

var faults = []string{"up", "down", "hang", "slow", "throttle", "5xx", "cut"}

func regionsCommand(s Surroundings) *cobra.Command {
	var where adminFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "regions [up|down|hang|slow|throttle|5xx|cut REGION...]",
		Short: "Show the regions of a running server, or give simulated ones a fault",
		Long: `Shows the regions and targets of a running server that were called, and how they are. With a
fault and regions, gives those simulated regions the fault; up takes it away. A fault changes
the region only: the router learns of it by calling.`,
		Example: "  fairway regions\n  fairway regions down ap-southeast-1\n  fairway regions up ap-southeast-1\n" +
			"  fairway regions --url http://127.0.0.1:20003 --token env:ADMIN_TOKEN",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !slices.Contains(faults, args[0]) {
				return fmt.Errorf("regions: unknown fault %q: use one of %s", args[0], strings.Join(faults, ", "))
			}
			if len(args) == 1 {
				return fmt.Errorf("regions: %s needs a region, such as ap-southeast-1", args[0])
			}
			server, err := where.find(s)
			if err != nil {
				return err
			}
			for _, region := range args[min(1, len(args)):] {
				if err := server.put(cmd.Context(), "/api/regions/"+url.PathEscape(region), map[string]string{"fault": args[0]}); err != nil {
					return failed(err)
				}
			}
			var status regionsStatus
			raw, err := server.get(cmd.Context(), "/api/regions")
			if err != nil {
				return failed(err)
			}
			if err := json.Unmarshal(raw, &status); err != nil {
				return failed(fmt.Errorf("regions: the server's answer is not JSON: %w", err))
			}
			if asJSON {
				return writeJSON(s, json.RawMessage(raw))
			}
			return status.print(s.Stdout)
		},
	}
	where.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the status as JSON")
	return cmd
}

// regionsStatus is what /api/regions answers, as far as the table shows it.
type regionsStatus struct {
	Simulated bool `json:"simulated"`
	Regions   []struct {
		Region    string `json:"region"`
		Fault     string `json:"fault"`
		InFlight  int    `json:"in_flight"`
		Requests  int    `json:"requests"`
		Throttled int    `json:"throttled"`
	} `json:"regions"`
	Targets []struct {
		Region   string `json:"region"`
		Model    string `json:"model"`
		Account  string `json:"account"`
		State    string `json:"state"`
		Failures int    `json:"failures"`
		InFlight int    `json:"in_flight"`

		FirstContentMS  int64    `json:"first_content_ms"`
		QuotaLeft       *float64 `json:"quota_left"`
		TokensPerMinute int64    `json:"tokens_per_minute"`
		QuotaLearned    bool     `json:"quota_learned"`
	} `json:"targets"`
}

// print writes a row for each simulated region, or each target where regions are
// real.
func (st regionsStatus) print(w io.Writer) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if st.Simulated {
		st.printRegions(rows)
	} else {
		st.printTargets(rows)
	}
	return rows.Flush()
}

func (st regionsStatus) printRegions(rows io.Writer) {
	fmt.Fprintln(rows, "REGION\tFAULT\tIN FLIGHT\tREQUESTS\tTHROTTLED\tTARGETS")
	for _, r := range st.Regions {
		var breakers []string
		for _, t := range st.Targets {
			if t.Region == r.Region {
				breakers = append(breakers, t.Model+" "+t.State)
			}
		}
		fmt.Fprintf(rows, "%s\t%s\t%d\t%d\t%d\t%s\n", r.Region, r.Fault, r.InFlight, r.Requests, r.Throttled, cmp.Or(strings.Join(breakers, ", "), "-"))
	}
}

func (st regionsStatus) printTargets(rows io.Writer) {
	fmt.Fprintln(rows, "REGION\tACCOUNT\tMODEL\tSTATE\tFAILURES\tIN FLIGHT\tFIRST CONTENT\tQUOTA LEFT")
	for _, t := range st.Targets {
		first, quota := "-", "-"
		if t.FirstContentMS > 0 {
			first = fmt.Sprintf("%d ms", t.FirstContentMS)
		}
		if t.QuotaLeft != nil {
			quota = fmt.Sprintf("%.0f%% of %d", 100**t.QuotaLeft, t.TokensPerMinute)
			if t.QuotaLearned {
				quota += ", learned"
			}
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n",
			t.Region, cmp.Or(t.Account, "-"), t.Model, t.State, t.Failures, t.InFlight, first, quota)
	}
}
