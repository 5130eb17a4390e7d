package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"fairway/backend"
	"fairway/internal/amplify/schema"
)

func schemaCommand(s Surroundings) *cobra.Command {
	var run runFlags
	var deployed, introspection bool
	cmd := &cobra.Command{
		Use:   "schema [DIR]",
		Short: "Print the folder's GraphQL schema",
		Long: `Prints the GraphQL SDL of an amplify/ folder as the Amplify builder writes it, also where
check has findings, as long as the schema itself builds.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := run.open(s, dirArgument(args))
			if err != nil {
				return err
			}
			b, err := w.load(cmd.Context())
			if b == nil || b.Schema == "" {
				return failed(fmt.Errorf("schema: %w", err))
			}
			if deployed {
				_, err = fmt.Fprintln(s.Stdout, strings.TrimRight(b.Deployed, "\n"))
				return err
			}
			if introspection {
				data, err := introspect(cmd.Context(), b)
				if err != nil {
					return failed(fmt.Errorf("schema: %w", err))
				}
				return writeJSON(s, data)
			}
			_, err = fmt.Fprintln(s.Stdout, b.Schema)
			return err
		},
	}
	cmd.Flags().BoolVar(&deployed, "deployed", false, "print the schema that is served, as AppSync has it after the transformer")
	cmd.Flags().BoolVar(&introspection, "introspection", false, "print the introspection JSON of the schema that is served")
	cmd.MarkFlagsMutuallyExclusive("deployed", "introspection")
	return cmd
}

// parseDeployed is the schema that is served for b.
func parseDeployed(b *backend.Backend) (*ast.Schema, error) {
	sdl := b.Deployed
	if sdl == "" {
		sdl = b.Schema
	}
	parsed, err := gqlparser.LoadSchema(
		&ast.Source{Name: "appsync", Input: schema.Prelude(), BuiltIn: true},
		&ast.Source{Name: "schema.graphql", Input: sdl},
	)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	return parsed, nil
}

func writeJSON(s Surroundings, v any) error {
	enc := json.NewEncoder(s.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
