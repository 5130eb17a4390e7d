package sts_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	client "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"fairway/internal/auth"
	"fairway/internal/front/sts"
	"fairway/internal/inference"
)

const roleARN = "arn:aws:iam::123456789012:role/writer"

// stsClient is the SDK's client of a door, signing as principal with secret.
func stsClient(t *testing.T, principal, secret string) *client.Client {
	keys, sessions := auth.NewKeys(), auth.NewSessions([]byte("a secret of 32 bytes, as they go"), time.Now)
	for _, name := range []string{"ana", "eve"} {
		keys.AddAccessKey(auth.AccessKey{ID: name, Secret: "secret", Principal: principalOf(name)})
	}
	known := func(name string) (inference.Principal, bool) { return principalOf(name), true }
	front := sts.New(sts.Config{
		Authenticate: auth.Signatures{Keys: keys, Sessions: sessions, Principal: known, Now: time.Now}.Authenticate,
		Roles: func(a inference.ARN) (sts.Role, bool) {
			return sts.Role{
				Name: "writer", ARN: roleARN, AssumedBy: []string{"ana", "writer"}, WebIdentity: []string{"https://id.example.com"},
				MaxSession: 12 * time.Hour, SessionTags: []string{"ticket"},
			}, a == roleARN
		},
		Verify: func(_ context.Context, token string) (inference.Identity, error) {
			if token != "good" {
				return inference.Identity{}, &inference.Error{Kind: inference.ExpiredToken}
			}
			return inference.Identity{Issuer: "https://id.example.com", Caller: inference.Caller{ID: "subject"}}, nil
		},
		Issue: sessions.Issue,
		Log:   slog.New(slog.DiscardHandler),
		Now:   time.Now,
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !sts.Serves(r) {
			t.Errorf("%s %s %s is not served", r.Method, r.URL, r.Header.Get("Content-Type"))
		}
		front.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return client.New(client.Options{
		BaseEndpoint: aws.String(server.URL), Region: "ap-southeast-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(principal, secret, ""),
	})
}

func principalOf(name string) inference.Principal {
	return inference.Principal{Name: name, ARN: inference.ARN("arn:aws:iam::123456789012:user/" + name)}
}

// as lets one request be signed with other credentials.
func as(c *types.Credentials) func(*client.Options) {
	return func(o *client.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	}
}

// TestRealClient has the AWS SDK for Go ask every operation, and use what it is given.
func TestRealClient(t *testing.T) {
	c, ctx := stsClient(t, "ana", "secret"), t.Context()
	whoami := func(options ...func(*client.Options)) string {
		who, err := c.GetCallerIdentity(ctx, &client.GetCallerIdentityInput{}, options...)
		if err != nil {
			t.Fatal(err)
		}
		return *who.Arn + " of " + *who.Account
	}
	if got, want := whoami(), "arn:aws:iam::123456789012:user/ana of 123456789012"; got != want {
		t.Errorf("ana is %s, want %s", got, want)
	}

	role, err := c.AssumeRole(ctx, &client.AssumeRoleInput{
		RoleArn: aws.String(roleARN), RoleSessionName: aws.String("tty1"), DurationSeconds: aws.Int32(900),
		Tags: []types.Tag{{Key: aws.String("ticket"), Value: aws.String("forty two")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := time.Until(*role.Credentials.Expiration); got > 15*time.Minute || got < 14*time.Minute {
		t.Errorf("AssumeRole lasts %v, want 15m", got)
	}
	if got, want := whoami(as(role.Credentials)), *role.AssumedRoleUser.Arn+" of 123456789012"; got != want {
		t.Errorf("the session is %s, want %s", got, want)
	}

	web, err := c.AssumeRoleWithWebIdentity(ctx, &client.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(roleARN), RoleSessionName: aws.String("tty2"), WebIdentityToken: aws.String("good"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := whoami(as(web.Credentials)), "arn:aws:sts::123456789012:assumed-role/writer/tty2 of 123456789012"; got != want || *web.SubjectFromWebIdentityToken != "subject" {
		t.Errorf("the session of %s is %s, want %s", *web.SubjectFromWebIdentityToken, got, want)
	}

	own, err := c.GetSessionToken(ctx, &client.GetSessionTokenInput{DurationSeconds: aws.Int32(129_600)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := whoami(as(own.Credentials)), "arn:aws:iam::123456789012:user/ana of 123456789012"; got != want {
		t.Errorf("ana's session is %s, want %s", got, want)
	}
}

// TestRealChain has sessions ask for more than sessions get.
func TestRealChain(t *testing.T) {
	c, ctx := stsClient(t, "ana", "secret"), t.Context()
	in := &client.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("tty1"), DurationSeconds: aws.Int32(3600)}
	first, err := c.AssumeRole(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AssumeRole(ctx, in, as(first.Credentials)); err != nil {
		t.Errorf("AssumeRole by a session for an hour: %v", err)
	}
	in.DurationSeconds = aws.Int32(3601)
	_, err = c.AssumeRole(ctx, in, as(first.Credentials))
	wantCode(t, "AssumeRole by a session for longer", err, "ValidationError")
	_, err = c.GetSessionToken(ctx, &client.GetSessionTokenInput{}, as(first.Credentials))
	wantCode(t, "GetSessionToken by a session", err, "AccessDenied")
	first.Credentials.SessionToken = aws.String(*first.Credentials.SessionToken + "A")
	_, err = c.GetCallerIdentity(ctx, &client.GetCallerIdentityInput{}, as(first.Credentials))
	wantCode(t, "a session token that was changed", err, "InvalidClientTokenId")
}

// TestRealProviders has the SDK's credential providers assume the role.
func TestRealProviders(t *testing.T) {
	got, err := stscreds.NewAssumeRoleProvider(stsClient(t, "ana", "secret"), roleARN).Retrieve(t.Context())
	if err != nil || got.SessionToken == "" || !got.CanExpire || got.AccountID != "123456789012" {
		t.Errorf("assume role provider = %+v, %v", got, err)
	}
	got, err = stscreds.NewWebIdentityRoleProvider(stsClient(t, "ana", "secret"), roleARN, token("good")).Retrieve(t.Context())
	if err != nil || got.SessionToken == "" {
		t.Errorf("web identity provider = %+v, %v", got, err)
	}
}

type token string

func (t token) GetIdentityToken() ([]byte, error) { return []byte(t), nil }

// TestRealErrors wants the SDK to read the errors as what they are.
func TestRealErrors(t *testing.T) {
	_, err := stsClient(t, "eve", "secret").AssumeRole(t.Context(), &client.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("tty1")})
	wantCode(t, "not one's role", err, "AccessDenied")
	_, err = stsClient(t, "ana", "wrong").GetCallerIdentity(t.Context(), &client.GetCallerIdentityInput{})
	wantCode(t, "wrong secret", err, "SignatureDoesNotMatch")
	_, err = stsClient(t, "ana", "secret").AssumeRole(t.Context(), &client.AssumeRoleInput{
		RoleArn: aws.String(roleARN), RoleSessionName: aws.String("tty1"), Policy: aws.String("{}"),
	})
	wantCode(t, "session policy", err, "ValidationError")
	_, err = stsClient(t, "ana", "secret").AssumeRoleWithWebIdentity(t.Context(), &client.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(roleARN), RoleSessionName: aws.String("tty1"), WebIdentityToken: aws.String("late"),
	})
	if _, ok := errors.AsType[*types.ExpiredTokenException](err); !ok {
		t.Errorf("expired token: %v, want the SDK's ExpiredTokenException", err)
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || e.ErrorMessage() == "" {
		t.Errorf("%s: %v, want the code %s", what, err, code)
	}
}
