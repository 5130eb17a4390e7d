package bedrock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth/bearer"
	awshttp "github.com/aws/smithy-go/transport/http"

	"fairway/internal/inference"
)

const (
	model  = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	arn    = "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/" + model
	prompt = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":"Hi"}]}`
	answer = `{"content":[{"type":"text","text":"Hello"}]}`
)

// newClient is the real client, once only, signing as AKID; options adjust it.
func newClient(t *testing.T, g *scriptedGateway, options ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	t.Helper()
	server := httptest.NewTLSServer(newFront(g, time.Now)) // the SDK sends bearer keys over TLS only
	t.Cleanup(server.Close)
	return newClientOf(server, options...)
}

// newClientOf is the real client of a server of ours.
func newClientOf(server *httptest.Server, options ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		BaseEndpoint:     aws.String(server.URL),
		Region:           "ap-southeast-1",
		HTTPClient:       inMemory{server.Client()},
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
		}),
	}, options...)
}

// inMemory sends bodies that net/http knows to be in memory. The SDK closes its
// own once an answer has begun; where that is sooner than net/http looks for more
// of the body, it takes io.EOF for a failed write and drops the connection, and
// with it the stream (smithy-go 1.28.8, over HTTP/1.1).
type inMemory struct{ client *http.Client }

func (c inMemory) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.client.Do(r)
}

func withBearer(key string) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) {
		o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: key}}
		o.AuthSchemePreference = []string{"httpBearerAuth"}
	}
}

func invoke(t *testing.T, c *bedrockruntime.Client, model string) (*bedrockruntime.InvokeModelOutput, error) {
	t.Helper()
	return c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(model), Body: []byte(prompt), ContentType: aws.String("application/json"),
	})
}

func TestSDKInvokes(t *testing.T) {
	for _, tt := range []struct {
		name    string
		model   string
		options []func(*bedrockruntime.Options)
		region  inference.Region
	}{
		{"signed", model, nil, "ap-southeast-1"},
		{"signed for an ARN", arn, nil, "ap-southeast-1"},
		{"bearer", model, []func(*bedrockruntime.Options){withBearer("bearer")}, "us-east-1"},
		{"bearer under a base path", arn, []func(*bedrockruntime.Options){withBearer("bearer"), func(o *bedrockruntime.Options) {
			o.BaseEndpoint = aws.String(*o.BaseEndpoint + "/region/eu-west-1")
		}}, "eu-west-1"},
		{"signed under a base path", model, []func(*bedrockruntime.Options){func(o *bedrockruntime.Options) {
			o.BaseEndpoint = aws.String(*o.BaseEndpoint + "/region/eu-west-1")
		}}, "ap-southeast-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &scriptedGateway{Answer: answer}
			out, err := invoke(t, newClient(t, g, tt.options...), tt.model)
			if err != nil {
				t.Fatal(err)
			}
			if string(out.Body) != answer || aws.ToString(out.ContentType) != "application/json" {
				t.Errorf("InvokeModel = %s of type %s, want %s", out.Body, aws.ToString(out.ContentType), answer)
			}
			if g.request.Model != tt.model || g.request.SourceRegion != tt.region || string(g.request.Body) != prompt {
				t.Errorf("the gateway was asked for %s from %s, want %s from %s", g.request.Model, g.request.SourceRegion, tt.model, tt.region)
			}
			if g.closed != 1 {
				t.Errorf("the stream was closed %d times, want 1", g.closed)
			}
		})
	}
}

// TestSDKReadsModelledErrors: each kind becomes the SDK's own type.
func TestSDKReadsModelledErrors(t *testing.T) {
	for kind, want := range map[inference.Kind]error{
		inference.Validation:           &types.ValidationException{},
		inference.ServiceQuotaExceeded: &types.ServiceQuotaExceededException{},
		inference.AccessDenied:         &types.AccessDeniedException{},
		inference.ResourceNotFound:     &types.ResourceNotFoundException{},
		inference.ModelTimeout:         &types.ModelTimeoutException{},
		inference.ModelError:           &types.ModelErrorException{},
		inference.Throttling:           &types.ThrottlingException{},
		inference.ModelNotReady:        &types.ModelNotReadyException{},
		inference.InternalServer:       &types.InternalServerException{},
		inference.ServiceUnavailable:   &types.ServiceUnavailableException{},
	} {
		g := &scriptedGateway{Error: &inference.Error{Kind: kind, Message: "message of " + string(kind), OriginalStatus: 502}}
		_, err := invoke(t, newClient(t, g), model)
		target := reflect.New(reflect.TypeOf(want))
		if !errors.As(err, target.Interface()) {
			t.Errorf("InvokeModel with %s = %v, want %T", kind, err, want)
			continue
		}
		checkAPIError(t, err, kind, "message of "+string(kind))
		if modelError, ok := target.Elem().Interface().(*types.ModelErrorException); ok && aws.ToInt32(modelError.OriginalStatusCode) != 502 {
			t.Errorf("OriginalStatusCode = %d, want 502", aws.ToInt32(modelError.OriginalStatusCode))
		}
	}
}

func withKey(id, secret, session string) func(*bedrockruntime.Options) {
	return func(o *bedrockruntime.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: session}, nil
		})
	}
}

// TestSDKReadsCallerErrors: the service does not model these for InvokeModel.
func TestSDKReadsCallerErrors(t *testing.T) {
	for _, tt := range []struct {
		option  func(*bedrockruntime.Options)
		kind    inference.Kind
		message string
	}{
		{withKey("NONE", "secret", ""), inference.UnrecognizedClient, "The security token included in the request is invalid."},
		{withKey("AKID", "secret", "token"), inference.UnrecognizedClient, "The security token included in the request is invalid."},
		{withKey("AKID", "other", ""), inference.InvalidSignature, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
		{withKey("EXPIRED", "secret", "token"), inference.ExpiredToken, "The security token included in the request is expired"},
		{withBearer("other"), inference.UnrecognizedClient, "The security token included in the request is invalid."},
	} {
		_, err := invoke(t, newClient(t, &scriptedGateway{unexpected: true}, tt.option), model)
		checkAPIError(t, err, tt.kind, tt.message)
	}
}

func checkAPIError(t *testing.T, err error, kind inference.Kind, message string) {
	t.Helper()
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Errorf("InvokeModel = %v, want %s", err, kind)
		return
	}
	got := fmt.Sprintf("%d %s: %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage())
	if want := fmt.Sprintf("%d %s: %s", kind.Status(), kind, message); got != want {
		t.Errorf("InvokeModel = %s, want %s", got, want)
	}
}

// TestSDKWithAnotherClock: five minutes either way are let pass.
func TestSDKWithAnotherClock(t *testing.T) {
	for skew, want := range map[time.Duration]string{
		4 * time.Minute:  "",
		-4 * time.Minute: "",
		6 * time.Minute:  "Signature expired: ",
		-6 * time.Minute: "Signature not yet current: ",
	} {
		g := &scriptedGateway{Answer: answer, unexpected: want != ""}
		server := httptest.NewServer(newFront(g, func() time.Time { return time.Now().Add(skew) }))
		_, err := invoke(t, newClientOf(server), model)
		server.Close()
		var api smithy.APIError
		switch {
		case want == "" && err != nil:
			t.Errorf("InvokeModel with a server %s ahead = %v, want an answer", skew, err)
		case want != "" && (!errors.As(err, &api) || api.ErrorCode() != string(inference.InvalidSignature) || !strings.HasPrefix(api.ErrorMessage(), want)):
			t.Errorf("InvokeModel with a server %s ahead = %v, want %s and %q", skew, err, inference.InvalidSignature, want)
		}
	}
}

func TestSDKSeesRetryAfter(t *testing.T) {
	g := &scriptedGateway{Error: &inference.Error{Kind: inference.Throttling, Message: "m", RetryAfter: 1500 * time.Millisecond}}
	_, err := invoke(t, newClient(t, g), model)
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.Response.Header.Get("Retry-After") != "2" {
		t.Errorf("InvokeModel = %v, want Retry-After: 2", err)
	}
}
