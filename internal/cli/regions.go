package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fairway/internal/outputs"
)

var faults = []string{"up", "down", "hang", "slow", "throttle", "5xx", "cut"}

func regionsCommand(s Surroundings) *cobra.Command {
	var base string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "regions [up|down|hang|slow|throttle|5xx|cut REGION...]",
		Short: "Show the regions of a running server, or give simulated ones a fault",
		Long: `Shows the health of every region and target of a running server. With a fault and regions,
gives those simulated regions the fault; up takes it away. A fault changes the region only:
the router learns of it by calling.`,
		Example: "  fairway regions\n  fairway regions down ap-southeast-1\n  fairway regions up ap-southeast-1",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !slices.Contains(faults, args[0]) {
				return fmt.Errorf("regions: unknown fault %q: use one of %s", args[0], strings.Join(faults, ", "))
			}
			if len(args) == 1 {
				return fmt.Errorf("regions: %s needs a region, such as ap-southeast-1", args[0])
			}
			server, err := running(base)
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
	cmd.Flags().StringVar(&base, "url", "", "`URL` of the server to ask (default: the endpoint in "+outputs.FairwayFile+" here)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the status as JSON")
	return cmd
}

// regionsStatus is what /api/regions answers, as far as the table shows it.
type regionsStatus struct {
	Regions []struct {
		Region    string `json:"region"`
		Fault     string `json:"fault"`
		InFlight  int    `json:"in_flight"`
		Requests  int    `json:"requests"`
		Throttled int    `json:"throttled"`
	} `json:"regions"`
	Targets []struct {
		Region string `json:"region"`
		Model  string `json:"model"`
		State  string `json:"state"`
	} `json:"targets"`
}

func (st regionsStatus) print(w io.Writer) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "REGION\tFAULT\tIN FLIGHT\tREQUESTS\tTHROTTLED\tBREAKERS")
	for _, r := range st.Regions {
		var breakers []string
		for _, t := range st.Targets {
			if t.Region == r.Region {
				breakers = append(breakers, t.Model+" "+t.State)
			}
		}
		fmt.Fprintf(rows, "%s\t%s\t%d\t%d\t%d\t%s\n", r.Region, r.Fault, r.InFlight, r.Requests, r.Throttled, cmp.Or(strings.Join(breakers, ", "), "-"))
	}
	return rows.Flush()
}

// client asks a running server's admin API.
type client struct{ base string }

// running finds the server to ask: the given URL, else the one whose outputs are here.
func running(base string) (*client, error) {
	if base == "" {
		out, err := outputs.Read(".")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no %s here: start fairway dev in this folder, or name a server with --url", outputs.FairwayFile)
		}
		if err != nil {
			return nil, err
		}
		base = out.Endpoint
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("--url %s is not a URL such as http://127.0.0.1:20002", base)
	}
	return &client{base: strings.TrimSuffix(base, "/")}, nil
}

func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	return c.do(ctx, http.MethodGet, path, nil)
}

func (c *client) put(ctx context.Context, path string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = c.do(ctx, http.MethodPut, path, body)
	return err
}

func (c *client) do(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the server at %s: %w: is fairway dev running?", c.base, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		var e struct {
			Message string `json:"message"`
		}
		_ = json.Unmarshal(raw, &e)
		return nil, fmt.Errorf("%s %s: HTTP %d: %s", strings.ToLower(method), path, resp.StatusCode, cmp.Or(e.Message, "no message"))
	}
	return raw, nil
}
