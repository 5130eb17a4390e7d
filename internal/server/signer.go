package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"fairway/internal/config"
	"fairway/internal/inference"
	"fairway/internal/wire/sigv4"
)

// awsSigner signs requests to data sources outside the process with the
// configured AWS credentials, read for each request so that they may change.
type awsSigner struct {
	aws config.AWS
	env func(name string) (value string, ok bool)
	now func() time.Time
}

func (s awsSigner) sign(_ context.Context, cred inference.Credential, r *http.Request, body []byte) error {
	id, err := s.aws.AccessKeyID.Read(s.env)
	if err != nil {
		return fmt.Errorf("aws.access_key_id: %w", err)
	}
	secret, err := s.aws.SecretAccessKey.Read(s.env)
	if err != nil {
		return fmt.Errorf("aws.secret_access_key: %w", err)
	}
	token, _ := s.aws.SessionToken.Read(s.env) // only temporary credentials have one
	sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token},
		string(cred.Region), cred.Service, s.now())
	return nil
}
