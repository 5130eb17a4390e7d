package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/google/go-cmp/cmp"
)

const provisioned = "arn:aws:bedrock:ap-southeast-1:111122223333:provisioned-model/abcdefghijkl"

// awsRegions is AWS as far as these tests need it: one region is down, a model is newer than
// the facts.
type awsRegions struct {
	mu    sync.Mutex
	asked []string // "METHOD PATH", and of a model call the guardrail in its body
}

func (a *awsRegions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := r.Method + " " + r.URL.Path
	if _, after, ok := strings.Cut(string(body), `"guardrailIdentifier":"`); ok {
		id, _, _ := strings.Cut(after, `"`)
		line += " " + id
	}
	a.mu.Lock()
	a.asked = append(a.asked, line)
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasPrefix(r.URL.Path, "/region/ap-southeast-1/foundation-models/newvendor."):
		io.WriteString(w, `{"modelDetails":{"modelId":"newvendor.new-v1:0","modelName":"New"}}`)
	case r.Method == http.MethodGet:
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"message":"none"}`)
	case strings.HasPrefix(r.URL.Path, "/region/ap-southeast-1/") && !strings.Contains(r.URL.Path, "newvendor."):
		w.Header().Set("X-Amzn-Errortype", "ServiceUnavailableException")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"message":"Bedrock is unable to process your request."}`)
	default:
		io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[{"text":"Hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}}`)
	}
}

// TestRegionalResources: what belongs to a region is asked of that region, and then
// of those that are configured to have its equivalent.
func TestRegionalResources(t *testing.T) {
	regions := &awsRegions{}
	far := httptest.NewServer(regions)
	t.Cleanup(far.Close)
	near := func(more string) *site {
		return listening(t, "model: bedrock\nretry: {wait: 0s}\nbedrock:\n  endpoint: "+far.URL+"/region/{region}\n  control_endpoint: "+far.URL+"/region/{region}\n"+more+caller, asApp(t))
	}
	with := near(`  equivalents:
    - {resource: "` + provisioned + `", regions: {us-west-2: "arn:aws:bedrock:us-west-2:111122223333:provisioned-model/lkjihgfedcba"}}
    - {resource: gr1, regions: {ap-northeast-1: gr2}}
`)
	guarded := &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("gr1"), GuardrailVersion: aws.String("1")}
	const nova = "apac.amazon.nova-micro-v1:0"
	for _, test := range []struct {
		name      string
		server    *site
		model     string
		guardrail *types.GuardrailConfiguration
		asked     []string
		ok        bool
	}{
		{"a provisioned model alone", near(""), provisioned, nil, []string{
			"POST /region/ap-southeast-1/model/" + provisioned + "/converse",
		}, false},
		{"a provisioned model with an equivalent", with, provisioned, nil, []string{
			"POST /region/ap-southeast-1/model/" + provisioned + "/converse",
			"POST /region/us-west-2/model/arn:aws:bedrock:us-west-2:111122223333:provisioned-model/lkjihgfedcba/converse",
		}, true},
		{"a prompt", with, "arn:aws:bedrock:ap-southeast-1:111122223333:prompt/ABCDEFGHIJ:1", nil, []string{
			"POST /region/ap-southeast-1/model/arn:aws:bedrock:ap-southeast-1:111122223333:prompt/ABCDEFGHIJ:1/converse",
		}, false},
		{"a resource of another region", with, strings.Replace(provisioned, "ap-southeast-1", "us-east-1", 1), nil, nil, false},
		{"a guardrail with an equivalent", with, nova, guarded, []string{
			"POST /region/ap-southeast-1/model/" + nova + "/converse gr1",
			"POST /region/ap-northeast-1/model/" + nova + "/converse gr2",
		}, true},
		{"a model newer than the facts", with, "newvendor.new-v1:0", nil, []string{
			"GET /region/ap-southeast-1/inference-profiles/newvendor.new-v1:0",
			"GET /region/ap-southeast-1/foundation-models/newvendor.new-v1:0",
			"POST /region/ap-southeast-1/model/newvendor.new-v1:0/converse",
		}, true},
		{"the same by its ARN", with, "arn:aws:bedrock:ap-southeast-1::foundation-model/newvendor.new-v1:0", nil, []string{
			"GET /region/ap-southeast-1/foundation-models/arn:aws:bedrock:ap-southeast-1::foundation-model/newvendor.new-v1:0",
		}, false},
	} {
		regions.asked = nil
		_, err := modelClient(test.server.url(), transport(t, false)).Converse(t.Context(), &bedrockruntime.ConverseInput{
			ModelId: aws.String(test.model), GuardrailConfig: test.guardrail,
			Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hi"}}}},
		})
		if diff := cmp.Diff(test.asked, regions.asked); diff != "" || (err == nil) != test.ok {
			t.Errorf("%s: Converse = %v, asked (-want +got):\n%s", test.name, err, diff)
		}
	}
}
