package fairwaytest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.uber.org/goleak"

	"fairway/backend"
	"fairway/fairwaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sonnet = "apac.anthropic.claude-sonnet-4-20250514-v1:0"
	prompt = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":"chicken, rice, carrots"}]}`
)

// destinations are sonnet's, as seen from ap-southeast-1.
var destinations = []string{
	"ap-southeast-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
	"ap-south-1", "ap-south-2", "ap-southeast-2", "ap-southeast-4",
}

// client is the real client, which tries once.
func client(s *fairwaytest.Server) *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(s.Config(), once)
}

func once(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 }

func invoke(t *testing.T, c *bedrockruntime.Client, model string) (*bedrockruntime.InvokeModelOutput, error) {
	t.Helper()
	return c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), Body: []byte(prompt)})
}

// destination is where the model ran, as the answer's header tells.
func destination(t *testing.T, out *bedrockruntime.InvokeModelOutput) string {
	t.Helper()
	raw, ok := awsmiddleware.GetRawResponse(out.ResultMetadata).(*smithyhttp.Response)
	if !ok {
		t.Fatal("the output has no raw response")
	}
	return raw.Header.Get("X-Fairway-Destination-Region")
}

func TestInvokeModelFailsOver(t *testing.T) {
	s := fairwaytest.NewServer(t, fairwaytest.Down("ap-southeast-1"), fairwaytest.Region("ap-southeast-1"))
	c := client(s)
	ran := func() string {
		t.Helper()
		out, err := invoke(t, c, sonnet)
		if err != nil {
			t.Fatalf("InvokeModel(%s) = %v, want an answer", sonnet, err)
		}
		var message struct {
			Content []struct{ Text string }
			Usage   struct {
				Input  int `json:"input_tokens"`
				Output int `json:"output_tokens"`
			}
		}
		if err := json.Unmarshal(out.Body, &message); err != nil {
			t.Fatal(err)
		}
		if len(message.Content) == 0 || message.Content[0].Text == "" || message.Usage.Input == 0 || message.Usage.Output == 0 {
			t.Errorf("InvokeModel(%s) = %s, want text and usage", sonnet, out.Body)
		}
		return destination(t, out)
	}
	if got := ran(); got != "ap-northeast-1" {
		t.Errorf("with ap-southeast-1 down the model ran in %q, want ap-northeast-1", got)
	}
	s.Fault("ap-northeast-1", "throttle")
	if got := ran(); got != "ap-northeast-2" {
		t.Errorf("with ap-northeast-1 throttling too the model ran in %q, want ap-northeast-2", got)
	}
}

func TestUnknownModel(t *testing.T) {
	s := fairwaytest.NewServer(t)
	_, err := invoke(t, client(s), "anthropic.claude-nobody-v1:0")
	if refused, ok := errors.AsType[*types.ValidationException](err); !ok || refused.ErrorMessage() == "" {
		t.Errorf("InvokeModel of an unknown model = %v, want a ValidationException with its message", err)
	}
}

func TestEveryRegionThrottles(t *testing.T) {
	s := fairwaytest.NewServer(t, fairwaytest.Region("ap-southeast-1"))
	for _, region := range destinations {
		s.Fault(region, "throttle")
	}
	c := client(s)
	_, err := invoke(t, c, sonnet)
	if _, ok := errors.AsType[*types.ThrottlingException](err); !ok {
		t.Errorf("InvokeModel with every destination throttling = %v, want a ThrottlingException", err)
	}
	for _, region := range destinations {
		s.Fault(region, "up")
	}
	if _, err := invoke(t, c, sonnet); err != nil {
		t.Errorf("InvokeModel with the fault taken away = %v, want an answer", err)
	}
}

func TestFaultRefuses(t *testing.T) {
	s := fairwaytest.NewServer(t)
	for _, c := range []struct{ region, fault string }{{"moon-1", "down"}, {"us-east-1", "tired"}} {
		if err := s.Gateway.Fault(c.region, c.fault); err == nil {
			t.Errorf("Fault(%s, %s) = nil, want an error", c.region, c.fault)
		}
	}
}

func TestConfigSignsForTheRegion(t *testing.T) {
	for want, options := range map[string][]fairwaytest.Option{
		"us-east-1": nil,
		"eu-west-1": {fairwaytest.Region("eu-west-1")},
	} {
		s := fairwaytest.NewServer(t, options...)
		if c := s.Config(); c.Region != want || aws.ToString(c.BaseEndpoint) != s.URL {
			t.Errorf("Config() = region %s, endpoint %s, want %s, %s", c.Region, aws.ToString(c.BaseEndpoint), want, s.URL)
		}
	}
}

// TestBackend: the same server has the GraphQL API of a backend.
func TestBackend(t *testing.T) {
	hello := &backend.Backend{
		Schema: "type Query { hello: String }",
		Operations: []backend.Operation{{Type: "Query", Field: "hello", Pipeline: []backend.Function{{
			DataSource: backend.NoneDataSource,
			Resolver: backend.Funcs{OnRequest: func(*backend.Context) (any, error) {
				return map[string]any{"payload": "hello"}, nil
			}},
		}}}},
		Authorization: backend.Authorization{Default: backend.APIKey},
	}
	s := fairwaytest.NewServer(t, fairwaytest.Backend(hello))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", strings.NewReader(`{"query":"{hello}"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Api-Key", s.Gateway.Credentials().APIKey)
	response, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(body)); got != `{"data":{"hello":"hello"}}` {
		t.Errorf("POST /graphql = %s, want hello", got)
	}
}
