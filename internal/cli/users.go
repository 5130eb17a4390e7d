package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fairway/internal/userpool"
)

// person is a user, and the password where one was made.
type person struct {
	userpool.Person
	Password string `json:"password,omitempty"`
}

// called is what a user is called: the address, where the user name is only an id.
func called(p userpool.Person) string {
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
		passwordCommand(s, &where), removeUserCommand(s, &where), rotateCommand(s, &where),
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
			if err := addPassword(s, body, password); err != nil {
				return err
			}
			var added person
			if err := where.call(cmd.Context(), s, "POST", "/api/users", body, &added); err != nil {
				return err
			}
			return added.show(s, asJSON)
		},
	}
	cmd.Flags().StringVar(&password, "password", "", passwordUsage)
	cmd.Flags().StringToStringVar(&attributes, "attribute", nil, "`NAME=VALUE` of an attribute, such as email=ana@example.com; repeats")
	cmd.Flags().StringSliceVar(&groups, "group", nil, "`GROUP` that the user is in; repeats")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the user as JSON")
	return cmd
}

// show prints a user whose password was set.
func (p person) show(s Surroundings, asJSON bool) error {
	if asJSON {
		return writeJSON(s, p)
	}
	fmt.Fprintf(s.Stdout, "user      %s\n", called(p.Person))
	if p.Password != "" {
		fmt.Fprintf(s.Stdout, "password  %s\n", p.Password)
	}
	return nil
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
				return writeJSON(s, map[string][]userpool.Person{"users": people})
			}
			return printPeople(s.Stdout, people)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the users as JSON")
	return cmd
}

// people are all users, a page at a time.
func (f *adminFlags) people(ctx context.Context, s Surroundings) ([]userpool.Person, error) {
	all, after := []userpool.Person{}, ""
	for {
		var page struct {
			Users []userpool.Person `json:"users"`
			Next  string            `json:"next"`
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

func printPeople(w io.Writer, people []userpool.Person) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(rows, "USER\tSTATUS\tGROUPS\tMFA\tSUB")
	for _, p := range people {
		status := strings.ToLower(p.Status)
		if !p.Enabled {
			status += ", disabled"
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\t%s\n", called(p), status, orDash(p.Groups), orDash(p.MFA), p.Sub)
	}
	return rows.Flush()
}

func orDash(list []string) string { return cmp.Or(strings.Join(list, ", "), "-") }

// userCommand is a command that does one thing to one user.
func userCommand(s Surroundings, where *adminFlags, verb, short string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p userpool.Person
			if err := where.call(cmd.Context(), s, "POST", userPath(args[0])+"/"+verb, nil, &p); err != nil {
				return err
			}
			return showPerson(s, p, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the user as JSON")
	return cmd
}

func groupCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var remove, asJSON bool
	cmd := &cobra.Command{
		Use:   "group NAME GROUP...",
		Short: "Put a user into groups, or take it out of them",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			method := "POST"
			if remove {
				method = "DELETE"
			}
			var p userpool.Person
			for _, group := range args[1:] {
				if err := where.call(cmd.Context(), s, method, userPath(args[0])+"/groups/"+segment(group), nil, &p); err != nil {
					return err
				}
			}
			return showPerson(s, p, asJSON)
		},
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "take the user out of the groups")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the user as JSON")
	return cmd
}

func passwordCommand(s Surroundings, where *adminFlags) *cobra.Command {
	var password string
	var temporary, asJSON bool
	cmd := &cobra.Command{
		Use:   "password NAME",
		Short: "Give a user another password, and end its sessions",
		Long: `Gives a user another password and ends its sessions. Without --password one is made and printed,
this once. With --temporary the user has to choose another at the next sign-in.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]any{"temporary": temporary}
			if err := addPassword(s, body, password); err != nil {
				return err
			}
			var changed person
			if err := where.call(cmd.Context(), s, "POST", userPath(args[0])+"/password", body, &changed); err != nil {
				return err
			}
			return changed.show(s, asJSON)
		},
	}
	cmd.Flags().StringVar(&password, "password", "", passwordUsage)
	cmd.Flags().BoolVar(&temporary, "temporary", false, "have the user choose another at the next sign-in")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the user as JSON")
	return cmd
}

const passwordUsage = "`REFERENCE` to the password, env:NAME or file:/path (default: one is made)"

// addPassword adds the password that a reference names to a request; without one the
// server makes it.
func addPassword(s Surroundings, body map[string]any, reference string) error {
	if reference == "" {
		return nil
	}
	text, err := readReference(s, "--password", reference)
	body["password"] = text
	return err
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

func userPath(name string) string { return "/api/users/" + segment(name) }

// segment is a name as one segment of a path, whatever it holds: dots alone would lead
// elsewhere.
func segment(name string) string {
	if strings.Trim(name, ".") == "" {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return url.PathEscape(name)
}

// showPerson prints a user as it is now.
func showPerson(s Surroundings, p userpool.Person, asJSON bool) error {
	if asJSON {
		return writeJSON(s, p)
	}
	return printPeople(s.Stdout, []userpool.Person{p})
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
