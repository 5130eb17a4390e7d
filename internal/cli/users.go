package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// person is a user as the admin API has it.
type person struct {
	Sub        string            `json:"sub"`
	Username   string            `json:"username"`
	Status     string            `json:"status"`
	Enabled    bool              `json:"enabled"`
	Attributes map[string]string `json:"attributes"`
	Groups     []string          `json:"groups"`
	MFA        []string          `json:"mfa"`
}

// name is what the user is called: the address, where the user name is only an id.
func (p person) name() string {
	if p.Username != p.Sub {
		return p.Username
	}
	return cmp.Or(p.Attributes["email"], p.Attributes["phone_number"], p.Username)
}

func usersCommand(s Surroundings) *cobra.Command {
	var where adminFlags
	cmd := &cobra.Command{
		Use:   "users",
		Short: "Users of a running server's user pool",
		Long: `Adds, lists and changes the users of a running server's own user pool. A user is named by its
user name, its e-mail address or its phone number.`,
		Example: "  fairway users add ana@example.com --group Admin\n  fairway users list\n  fairway users disable ana@example.com",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	where.registerAll(cmd)
	cmd.AddCommand(
		addUserCommand(s, &where), listUsersCommand(s, &where), groupCommand(s, &where),
		userCommand(s, &where, "confirm", "Confirm a user without the code"),
		userCommand(s, &where, "disable", "Keep a user from signing in, and end its sessions"),
		userCommand(s, &where, "enable", "Let a user sign in again"),
		removeUserCommand(s, &where), rotateCommand(s, &where),
	)
	return cmd
}

func addUserCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var password string
	var attributes map[string]string
	var groups []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a confirmed user",
		Long: `Adds a confirmed user. NAME is what the pool's users sign in with: an e-mail address, a phone
number or a user name. Without --password one is made and printed, this once.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"username": args[0], "attributes": attributes, "groups": groups, "confirmed": true}
			if password != "" {
				text, err := readReference(s, "--password", password)
				if err != nil {
					return err
				}
				body["password"] = text
			}
			var added struct {
				person
				Password string `json:"password"` // where one was made
			}
			if err := where.call(cmd.Context(), s, "POST", "/api/users", body, &added); err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s, added)
			}
			fmt.Fprintf(s.Stdout, "user      %s\n", added.name())
			if added.Password != "" {
				fmt.Fprintf(s.Stdout, "password  %s\n", added.Password)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&password, "password", "", "`REFERENCE` to the password, env:NAME or file:/path (default: one is made)")
	cmd.Flags().StringToStringVar(&attributes, "attribute", nil, "`NAME=VALUE` of an attribute, such as email=ana@example.com; repeats")
	cmd.Flags().StringSliceVar(&groups, "group", nil, "`GROUP` that the user is in; repeats")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the user as JSON")
	return cmd
}

func listUsersCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the users",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			people, err := where.people(cmd.Context(), s)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(s, map[string][]person{"users": people})
			}
			return printPeople(s.Stdout, people)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the users as JSON")
	return cmd
}

// people are all users, a page at a time.
func (f *adminFlags) people(ctx context.Context, s Surroundings) ([]person, error) {
	all, after := []person{}, ""
	for {
		var page struct {
			Users []person `json:"users"`
			Next  string   `json:"next"`
		}
		if err := f.call(ctx, s, "GET", "/api/users?after="+url.QueryEscape(after), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Users...)
		if after = page.Next; after == "" {
			return all, nil
		}
	}
}

func printPeople(w io.Writer, people []person) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "USER\tSTATUS\tGROUPS\tMFA\tSUB")
	for _, p := range people {
		status := strings.ToLower(p.Status)
		if !p.Enabled {
			status += ", disabled"
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\n", p.name(), status, orDash(p.Groups), orDash(p.MFA), p.Sub)
	}
	return rows.Flush()
}

func orDash(list []string) string { return cmp.Or(strings.Join(list, ", "), "-") }

// userCommand is a command that does one thing to one user.
func userCommand(s Surroundings, where *adminFlags, verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return where.change(cmd.Context(), s, "POST", userPath(args[0])+"/"+verb, nil)
		},
	}
}

func groupCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var remove bool
	cmd := &cobra.Command{
		Use:   "group NAME GROUP...",
		Short: "Put a user into groups, or take it out of them",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p person
			if err := where.call(cmd.Context(), s, "GET", userPath(args[0]), nil, &p); err != nil {
				return err
			}
			groups := slices.DeleteFunc(p.Groups, func(g string) bool { return slices.Contains(args[1:], g) })
			if !remove {
				groups = append(groups, args[1:]...)
			}
			return where.change(cmd.Context(), s, "PUT", userPath(args[0])+"/groups", map[string][]string{"groups": groups})
		},
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "take the user out of the groups")
	return cmd
}

func removeUserCommand(s Surroundings, where *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a user for good",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return where.call(cmd.Context(), s, "DELETE", userPath(args[0]), nil, nil)
		},
	}
}

func rotateCommand(s Surroundings, where *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate-key",
		Short: "Sign tokens with a new key; the old one is good until its tokens are over",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return where.call(cmd.Context(), s, "POST", "/api/user-pool/rotate-key", nil, nil)
		},
	}
}

func userPath(name string) string { return "/api/users/" + url.PathEscape(name) }

// change asks for a change of a user and shows the user as it is then.
func (f *adminFlags) change(ctx context.Context, s Surroundings, method, path string, body any) error {
	var p person
	if err := f.call(ctx, s, method, path, body, &p); err != nil {
		return err
	}
	return printPeople(s.Stdout, []person{p})
}

// call asks the admin API and reads its answer into out, unless that is nil.
func (f *adminFlags) call(ctx context.Context, s Surroundings, method, path string, body, out any) error {
	server, err := f.find(s)
	if err != nil {
		return err
	}
	var raw []byte
	if body != nil {
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	answer, err := server.do(ctx, method, path, raw)
	if err != nil {
		return failed(err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return failed(errors.New("the server's answer is not what this command knows: are both of one version?"))
	}
	return nil
}
