package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fairway/internal/config"
	"fairway/internal/store"
)

// maxSecret is the length of the longest secret that is sealed, in bytes.
const maxSecret = 4 << 10

func sealCommand(s Surroundings) *cobra.Command {
	var id, master string
	cmd := &cobra.Command{
		Use:   "seal",
		Short: "Seal the secret of an access key for the configuration; reads it from stdin",
		Long: `Reads the secret of an access key from standard input and prints it sealed, as the secret
of principals.access_keys in a configuration. A server opens it with the master key, for that
access key alone. "openssl rand -base64 32" makes a master key.`,
		Example: "  printf %s \"$SECRET\" | fairway config seal --id FWAK7Q2M5XJ4R6T3Y8ZA --master-key env:MASTER_KEY",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			key, err := masterKey(s, master)
			if err != nil {
				return err
			}
			secret, err := readSecret(s.Stdin)
			if err != nil {
				return err
			}
			sealed, err := store.Seal(key, id, secret)
			if err != nil {
				return err
			}
			fmt.Fprintln(s.Stdout, sealed)
			return nil
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "`ACCESS_KEY_ID` that the secret belongs to: it opens for no other")
	cmd.Flags().StringVar(&master, "master-key", "", "`REFERENCE` to the master key, env:NAME or file:/path")
	cmd.MarkFlagRequired("id")
	cmd.MarkFlagRequired("master-key")
	return cmd
}

// masterKey fetches the master key that a reference names.
func masterKey(s Surroundings, reference string) ([]byte, error) {
	text, err := readReference(s, "--master-key", reference)
	if err != nil {
		return nil, err
	}
	key, err := store.ParseMasterKey(text)
	if err != nil {
		return nil, fmt.Errorf("--master-key: %w", err)
	}
	return key, nil
}

// readReference fetches what a reference names; where is the flag or the variable
// that holds it.
func readReference(s Surroundings, where, reference string) (string, error) {
	var secret config.Secret
	if err := secret.UnmarshalText([]byte(reference)); err != nil {
		return "", fmt.Errorf("%s: %w", where, err)
	}
	text, err := secret.Read(s.lookup)
	if err != nil {
		return "", fmt.Errorf("%s: %w", where, err)
	}
	return text, nil
}

// readSecret reads a secret without the line end behind it.
func readSecret(r io.Reader) ([]byte, error) {
	secret, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	if len(secret) > maxSecret {
		return nil, fmt.Errorf("read secret: it is longer than %d bytes", maxSecret)
	}
	secret = bytes.TrimRight(secret, "\r\n")
	if len(secret) == 0 {
		return nil, errors.New("read secret: nothing on standard input: pipe the secret in")
	}
	return secret, nil
}
