package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fairway/internal/keyring"
)

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
			if !slices.Contains(keyring.Kinds(), keyring.Kind(kind)) {
				return fmt.Errorf("keys create: --kind %s is none of %v", kind, keyring.Kinds())
			}
			if principal == "" && keyring.Kind(kind) != keyring.API {
				return errors.New("keys create: name the principal that it speaks for with --principal")
			}
			body := map[string]any{"kind": kind, "name": args[0], "principal": principal, "budget": budget}
			if err := addLife(body, "expires_in", expires, "never"); err != nil {
				return err
			}
			var made keyring.Key
			if err := where.call(cmd.Context(), s, "POST", "/api/keys", body, &made); err != nil {
				return err
			}
			return showKey(s, made, asJSON)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "bearer", "`KIND`: bearer for model clients, access to sign requests, api for the GraphQL API")
	cmd.Flags().StringVar(&principal, "principal", "", "`NAME` of the principal that it speaks for")
	cmd.Flags().StringVar(&budget, "budget", "", "`NAME` of the budget that its calls count against")
	cmd.Flags().StringVar(&expires, "expires", "", "`LIFE` of the key, such as 12h or 90d, or never (default: 30d)")
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
			body := map[string]any{}
			if err := cmp.Or(addLife(body, "expires_in", expires, "never"), addLife(body, "overlap", overlap, "none")); err != nil {
				return err
			}
			var made keyring.Key
			if err := where.call(cmd.Context(), s, "POST", keyPath(args[0])+"/rotate", body, &made); err != nil {
				return err
			}
			return showKey(s, made, asJSON)
		},
	}
	cmd.Flags().StringVar(&expires, "expires", "", "`LIFE` of the new key, such as 12h or 90d, or never (default: that of the old one)")
	cmd.Flags().StringVar(&overlap, "overlap", "", "`LIFE` that is left to the old key, or none (default: 24h)")
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
				Keys []keyring.Key `json:"keys"`
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

func keyPath(name string) string { return "/api/keys/" + segment(name) }

// showKey prints a key that was made.
func showKey(s Surroundings, k keyring.Key, asJSON bool) error {
	if asJSON {
		return writeJSON(s, k)
	}
	if k.ID != "" {
		fmt.Fprintf(s.Stdout, "access_key_id      %s\nsecret_access_key  %s\n", k.ID, k.Secret)
	} else {
		fmt.Fprintln(s.Stdout, k.Key)
	}
	fmt.Fprintf(s.Stderr, "%s key %s of %s, expires %s; it is not shown again\n", k.Kind, k.Name, cmp.Or(k.Principal, "nobody in particular"), moment(k.Expires, "never"))
	if k.BeforeUntil != nil {
		fmt.Fprintf(s.Stderr, "the one before it is good until %s\n", moment(k.BeforeUntil, ""))
	}
	return nil
}

// moment is a time for people, in UTC.
func moment(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.UTC().Format(time.DateTime)
}

func printKeys(w io.Writer, keys []keyring.Key, now time.Time) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "NAME\tKIND\tPRINCIPAL\tBUDGET\tEXPIRES\tSTATE\tBEFORE UNTIL")
	for _, k := range keys {
		state, before := "good", "-"
		switch {
		case k.Disabled:
			state = "disabled"
		case k.Expires != nil && !now.Before(*k.Expires):
			state = "expired"
		case k.BeforeUntil != nil && now.Before(*k.BeforeUntil):
			before = moment(k.BeforeUntil, "")
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Name, k.Kind, cmp.Or(k.Principal, "-"), cmp.Or(k.Budget, "-"), moment(k.Expires, "never"), state, before)
	}
	return rows.Flush()
}

// addLife adds a life to a request, in seconds, unless it is the server's to say. The
// word is for none at all.
func addLife(body map[string]any, member, text, word string) error {
	if text == "" {
		return nil
	}
	life, err := parseLife(text, word)
	body[member] = int64(life / time.Second)
	return err
}

// parseLife reads a duration that may be in days; the word is 0.
func parseLife(text, word string) (time.Duration, error) {
	if text == word {
		return 0, nil
	}
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(number, 10, 16); err == nil && days > 0 {
			return time.Duration(days) * 24 * time.Hour, nil
		}
	}
	life, err := time.ParseDuration(text)
	if err != nil || life < time.Second {
		return 0, fmt.Errorf("%q is no life of a key: want such as 12h or 90d, or %s", text, word)
	}
	return life, nil
}
