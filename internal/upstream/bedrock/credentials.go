package bedrock

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"fairway/internal/inference"
	"fairway/internal/wire/arn"
)

// Account is an AWS account that calls may be made in. Several with one ID and
// different regions are one account with a role for each region.
type Account struct {
	ID         string             // twelve digits
	Role       string             // ARN of the role to assume; empty calls with Config.Credentials as they are
	ExternalID string             // that the role's trust policy asks for, empty for none
	Regions    []inference.Region // where the role is for; empty is everywhere
}

// accounts are the credentials of each account. The empty one is always there.
type accounts []account

type account struct {
	Account
	credentials aws.CredentialsProvider // cached
}

// renewal is how long before their end credentials are replaced.
const renewal = 5 * time.Minute

// stsRegion is where roles are assumed when the SDK's configuration names no region.
const stsRegion = "us-east-1"

func openAccounts(ctx context.Context, c Config) (accounts, error) {
	options := []func(*config.LoadOptions) error{config.WithDefaultRegion(stsRegion)}
	if c.Credentials != nil {
		options = append(options, config.WithCredentialsProvider(c.Credentials))
	}
	shared, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("read AWS configuration: %w", err)
	}
	opened := make(accounts, 0, len(c.Accounts)+1)
	for _, a := range c.Accounts {
		if a.ID == "" {
			return nil, fmt.Errorf("read accounts: the account of role %q has no ID", a.Role)
		}
		opened = append(opened, account{a, assume(shared, a)})
	}
	return append(opened, account{credentials: shared.Credentials}), nil
}

// assume is the credentials of an account: those of shared, or of the role that
// they may take on.
func assume(shared aws.Config, a Account) aws.CredentialsProvider {
	if a.Role == "" {
		return shared.Credentials
	}
	role := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(shared), a.Role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "fairway"
		if a.ExternalID != "" {
			o.ExternalID = &a.ExternalID
		}
	})
	return aws.NewCredentialsCache(role, func(o *aws.CredentialsCacheOptions) {
		o.ExpiryWindow = renewal
		o.ExpiryWindowJitterFrac = 0.5
	})
}

// of is the credentials for a call in region. Where they cannot be had the region
// cannot be called: the error is what a lost connection gives, so that the next
// target has its turn and this one is left alone for a while.
func (as accounts) of(ctx context.Context, id string, region inference.Region) (aws.Credentials, error) {
	i := slices.IndexFunc(as, func(a account) bool {
		return a.ID == id && (len(a.Regions) == 0 || slices.Contains(a.Regions, region))
	})
	if i < 0 {
		return aws.Credentials{}, fmt.Errorf("find credentials: account %s has none for region %s", id, region)
	}
	credentials, err := as[i].credentials.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, lost(ctx, fmt.Errorf("retrieve credentials: %w", err))
	}
	return credentials, nil
}

// owner is the account that a profile belongs to by its ARN, if it is one of these.
func (as accounts) owner(named string) string {
	name, err := arn.Parse(named)
	if err != nil || !slices.ContainsFunc(as, func(a account) bool { return a.ID == name.Account }) {
		return ""
	}
	return name.Account
}
