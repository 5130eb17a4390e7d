package control_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"

	"fairway/internal/auth"
	"fairway/internal/catalog"
	"fairway/internal/front"
	"fairway/internal/front/bedrock/control"
	"fairway/internal/inference"
	"fairway/internal/policy"
	"fairway/internal/store"
)

const (
	account   = "123456789012"
	singapore = "ap-southeast-1"
	sonnet4   = "anthropic.claude-sonnet-4-20250514-v1:0"
	sonnet35  = "anthropic.claude-3-5-sonnet-20240620-v1:0"
	apac      = "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac." + sonnet4
)

// plane is the control plane over the real catalog, store, policies and keys.
type plane struct {
	*httptest.Server
	catalog *catalog.Catalog
	store   *store.Store
}

// newPlane knows the developer, who may do everything, by the access key AKID and
// the bearer key "developer", the reader, who may only list, by the bearer key
// "reader", and ours, who may see what is of the account, by "ours". Regions are
// real where there is a remote.
func newPlane(t testing.TB, remote ...catalog.Remote) *plane {
	t.Helper()
	kept, err := store.Open(t.Context(), "", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kept.Close() })
	developer := inference.Principal{Name: "developer", ARN: "arn:aws:iam::123456789012:user/developer"}
	reader := inference.Principal{Name: "reader", ARN: "arn:aws:iam::123456789012:user/reader"}
	ours := inference.Principal{Name: "ours", ARN: "arn:aws:iam::123456789012:user/ours"}
	allow := func(action string) []policy.Statement {
		return []policy.Statement{{Effect: "Allow", Actions: []string{action}, Resources: []string{"*"}, At: "test"}}
	}
	engine, err := policy.New(policy.Options{Account: account},
		policy.Principal{Principal: developer, Statements: allow("bedrock:*")},
		policy.Principal{Principal: reader, Statements: allow("bedrock:List*")},
		policy.Principal{Principal: ours, Statements: []policy.Statement{{
			Effect: "Allow", Actions: []string{"bedrock:Get*"}, Resources: []string{"arn:aws:bedrock:*:" + account + ":*"}, At: "test",
		}}})
	if err != nil {
		t.Fatal(err)
	}
	keys := auth.NewKeys()
	keys.AddAccessKey(auth.AccessKey{ID: "AKID", Secret: "secret", Principal: developer})
	keys.AddBearerKey("developer", developer)
	keys.AddBearerKey("reader", reader)
	keys.AddBearerKey("ours", ours)
	options := catalog.Options{Account: account, Applications: kept.Recent()}
	for _, r := range remote {
		options.Remote = r
	}
	p := &plane{catalog: catalog.New(options), store: kept}
	p.Server = httptest.NewServer(control.New(control.Config{
		Config: front.Config{
			Authenticator: auth.Bedrock{Signatures: auth.Signatures{Keys: keys, Now: time.Now}},
			DefaultRegion: singapore,
			Log:           slog.New(slog.DiscardHandler),
		},
		Account: account, Catalog: p.catalog, Applications: kept,
		Permit: func(p inference.Principal, action string, resource inference.ARN, region inference.Region, c inference.Circumstances) error {
			return engine.Permit(policy.Question{Principal: p.Name, ARN: p.ARN, Action: action, Circumstances: c, Now: time.Now()}, resource, region)
		},
	}))
	t.Cleanup(p.Close)
	return p
}

// client is the real client, once only, signing as AKID.
func (p *plane) client(region string) *bedrock.Client {
	return bedrock.New(bedrock.Options{
		BaseEndpoint:     aws.String(p.URL),
		Region:           region,
		HTTPClient:       p.Client(),
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
		}),
	})
}

// ask sends a request as it is written, with the developer's bearer key.
func (p *plane) ask(t *testing.T, method, path, body string) (*http.Response, string) {
	t.Helper()
	return p.askAs(t, "developer", method, path, body)
}

func (p *plane) askAs(t *testing.T, key, method, path, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := p.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}
