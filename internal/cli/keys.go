package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// keyKinds are the kinds of keys, and who takes them.
var keyKinds = []string{"bearer", "access", "api"}

// key is a key as the admin API has it.
type key struct {
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	ID        string     `json:"id,omitempty"` // of an access key
	Principal string     `json:"principal"`
	Budget    string     `json:"budget,omitempty"`
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires"` // null is never
	Disabled  bool       `json:"disabled"`

	Key    string `json:"key,omitempty"`    // only when it is made
	Secret string `json:"secret,omitempty"` // of an access key, likewise
}

func keysCommand(s Surroundings) *cobra.Command {
	var where adminFlags
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Keys of a running server's principals",
		Long: `Creates, lists, rotates and expires keys in a running server's store. A bearer key is for model
clients, an access key signs requests (SigV4), an api key is for the GraphQL API. A key is shown
once, when it is made: of bearer and api keys the server keeps the hash alone. Keys that the
configuration names are not among them.`,
		Example: "  fairway keys create checkout-2026 --principal checkout --expires 90d\n  fairway keys list\n" +
			"  fairway keys rotate checkout-2026 --overlap 24h\n  fairway keys expire checkout-2026",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where.registerAll(cmd)
	cmd.AddCommand(createKeyCommand(s, &where), listKeysCommand(s, &where), rotateKeyCommand(s, &where),
		keyCommand(s, &where, "expire", "Let a key expire at once", "POST", "/expire"),
		keyCommand(s, &where, "delete", "Delete a key for good", "DELETE", ""))
	return cmd
}

func createKeyCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var kind, principal, budget, expires string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a key and print it, this once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(keyKinds, kind) {
				return fmt.Errorf("keys create: --kind %s is none of %s", kind, strings.Join(keyKinds, ", "))
			}
			if principal == "" && kind != "api" {
				return errors.New("keys create: name the principal that it speaks for with --principal")
			}
			life, err := parseLife(expires)
			if err != nil {
				return err
			}
			body := map[string]any{"kind": kind, "name": args[0], "principal": principal, "budget": budget, "expires_in": int64(life / time.Second)}
			var made key
			if err := where.call(cmd.Context(), s, "POST", "/api/keys", body, &made); err != nil {
				return err
			}
			return made.show(s, asJSON)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "bearer", "`KIND`: bearer for model clients, access to sign requests, api for the GraphQL API")
	cmd.Flags().StringVar(&principal, "principal", "", "`NAME` of the principal that it speaks for")
	cmd.Flags().StringVar(&budget, "budget", "", "`NAME` of the budget that its calls count against")
	cmd.Flags().StringVar(&expires, "expires", "30d", "`LIFE` of the key, such as 12h or 90d, or never")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the key as JSON")
	return cmd
}

func rotateKeyCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var expires, overlap string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rotate NAME",
		Short: "Make a new key in the place of one, which goes on being good for a while",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			life, err := parseLife(expires)
			if err != nil {
				return err
			}
			both, err := parseLife(overlap)
			if err != nil {
				return err
			}
			body := map[string]any{"expires_in": int64(life / time.Second), "overlap": int64(both / time.Second)}
			var made key
			if err := where.call(cmd.Context(), s, "POST", keyPath(args[0])+"/rotate", body, &made); err != nil {
				return err
			}
			return made.show(s, asJSON)
		},
	}
	cmd.Flags().StringVar(&expires, "expires", "30d", "`LIFE` of the new key, such as 12h or 90d, or never")
	cmd.Flags().StringVar(&overlap, "overlap", "24h", "`LIFE` that is left to the old key")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the key as JSON")
	return cmd
}

func listKeysCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list struct {
				Keys []key `json:"keys"`
			}
			if err := where.call(cmd.Context(), s, "GET", "/api/keys", nil, &list); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s, list)
			}
			return printKeys(s.Stdout, list.Keys, time.Now())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the keys as JSON")
	return cmd
}

// keyCommand is a command that does one thing to one key.
func keyCommand(s Surroundings, where *adminFlags, verb, short, method, path string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return where.call(cmd.Context(), s, method, keyPath(args[0])+path, nil, nil)
		},
	}
}

func keyPath(name string) string { return "/api/keys/" + url.PathEscape(name) }

// show prints a key that was made.
func (k key) show(s Surroundings, asJSON bool) error {
	if asJSON {
		return writeJSON(s, k)
	}
	if k.ID != "" {
		fmt.Fprintf(s.Stdout, "access_key_id      %s\nsecret_access_key  %s\n", k.ID, k.Secret)
	} else {
		fmt.Fprintln(s.Stdout, k.Key)
	}
	fmt.Fprintf(s.Stderr, "%s key %s of %s, expires %s; it is not shown again\n", k.Kind, k.Name, cmp.Or(k.Principal, "nobody in particular"), k.until())
	return nil
}

func (k key) until() string {
	if k.Expires == nil {
		return "never"
	}
	return k.Expires.UTC().Format(time.DateTime)
}

func printKeys(w io.Writer, keys []key, now time.Time) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "NAME\tKIND\tPRINCIPAL\tBUDGET\tEXPIRES\tSTATE")
	for _, k := range keys {
		state := "good"
		switch {
		case k.Disabled:
			state = "disabled"
		case k.Expires != nil && !now.Before(*k.Expires):
			state = "expired"
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\t%s\n", k.Name, k.Kind, cmp.Or(k.Principal, "-"), cmp.Or(k.Budget, "-"), k.until(), state)
	}
	return rows.Flush()
}

// parseLife reads a duration that may be in days; "never" is 0.
func parseLife(text string) (time.Duration, error) {
	if text == "never" {
		return 0, nil
	}
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); n == 1 && err == nil && text == fmt.Sprintf("%dd", days) && days > 0 && days <= 36500 {
		return time.Duration(days) * 24 * time.Hour, nil
	}
	life, err := time.ParseDuration(text)
	if err != nil || life < time.Second {
		return 0, fmt.Errorf("%q is no life of a key: want such as 12h or 90d, or never", text)
	}
	return life, nil
}
