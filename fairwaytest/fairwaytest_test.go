package fairwaytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"go.uber.org/goleak"

	"fairway"
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
func client(t *testing.T, s *fairwaytest.Server) *bedrockruntime.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) {
		o.RetryMaxAttempts = 1
		o.HTTPClient = &http.Client{Transport: transport}
	})
}

func invoke(t *testing.T, c *bedrockruntime.Client, model string) (*bedrockruntime.InvokeModelOutput, error) {
	t.Helper()
	return c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), Body: []byte(prompt)})
}

// header is a header of the answer behind a call's output.
func header(t *testing.T, metadata middleware.Metadata, name string) string {
	t.Helper()
	raw, ok := metadata.Get(rawResponseKey(t)).(*smithyhttp.Response)
	if !ok {
		t.Fatal("the output has no raw response")
	}
	return raw.Header.Get(name)
}
