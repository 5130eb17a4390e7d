package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	controltypes "github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"fairway/internal/front"
	"fairway/internal/inference"
)

var sea = []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
	&types.ContentBlockMemberText{Value: "Tell me of the sea."},
}}}

// TestSDKOperations: the SDK's client has every operation through two servers, the
// first of which calls the second as it would call AWS, and gets the answers that
// it gets from the second alone.
func TestSDKOperations(t *testing.T) {
	far := standIn(t, "")
	near := before(t, far, "")
	for protocol, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(protocol, func(t *testing.T) {
			tr := transport(t, two)
			for name, ask := range map[string]func(*testing.T, *bedrockruntime.Client) string{
				"InvokeModel": invoked, "InvokeModelWithResponseStream": invokedAsStream,
				"Converse": conversed, "ConverseStream": conversedAsStream, "CountTokens": counted, "tools": toolUse,
			} {
				t.Run(name, func(t *testing.T) {
					direct, through := ask(t, modelClient(far.url(), tr)), ask(t, modelClient(near.url(), tr))
					if direct == "" || through != direct {
						t.Errorf("through two servers = %q, want %q", through, direct)
					}
				})
			}
		})
	}
	if line := near.wait(t, "call"); line["profile"] != profile || line["outcome"] != "ok" || line["destination_region"] != "" {
		t.Errorf("call = %v, want %s in a region that AWS does not tell", line, profile)
	}
}

func invoked(t *testing.T, c *bedrockruntime.Client) string {
	out, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(profile), Body: []byte(prompt)})
	if err != nil {
		t.Fatal(err)
	}
	return claudeText(t, out.Body)
}

func claudeText(t *testing.T, body []byte) string {
	var message struct{ Content []struct{ Text string } }
	if err := json.Unmarshal(body, &message); err != nil || len(message.Content) != 1 {
		t.Fatalf("answer = %s: %v, want one block of text", body, err)
	}
	return message.Content[0].Text
}

func invokedAsStream(t *testing.T, c *bedrockruntime.Client) string {
	out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(profile), Body: []byte(prompt)})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	text, metrics := "", false
	for event := range stream.Events() {
		var chunk struct {
			Delta   struct{ Text string }
			Metrics any `json:"amazon-bedrock-invocationMetrics"`
		}
		if err := json.Unmarshal(event.(*types.ResponseStreamMemberChunk).Value.Bytes, &chunk); err != nil {
			t.Fatal(err)
		}
		text += chunk.Delta.Text
		metrics = chunk.Metrics != nil
	}
	if err := stream.Err(); err != nil || !metrics {
		t.Errorf("stream ended with %v, metrics in the last chunk: %t, want them", err, metrics)
	}
	return text
}

func conversed(t *testing.T, c *bedrockruntime.Client) string {
	out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(profile), Messages: sea})
	if err != nil {
		t.Fatal(err)
	}
	if out.StopReason != types.StopReasonEndTurn || aws.ToInt32(out.Usage.OutputTokens) == 0 {
		t.Errorf("Converse ended with %s after %+v, want end_turn and tokens", out.StopReason, out.Usage)
	}
	return out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberText).Value
}

func conversedAsStream(t *testing.T, c *bedrockruntime.Client) string {
	out, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(profile), Messages: sea})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	text, tokens := "", int32(0)
	for event := range stream.Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			text += e.Value.Delta.(*types.ContentBlockDeltaMemberText).Value
		case *types.ConverseStreamOutputMemberMetadata:
			tokens = aws.ToInt32(e.Value.Usage.OutputTokens)
		}
	}
	if err := stream.Err(); err != nil || tokens == 0 {
		t.Errorf("stream ended with %v after %d tokens, want some", err, tokens)
	}
	return text
}

func counted(t *testing.T, c *bedrockruntime.Client) string {
	out, err := c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{
		ModelId: aws.String(profile), Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: sea}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(int(aws.ToInt32(out.InputTokens)))
}

// toolUse is the input of the tool that is called, a forced one.
func toolUse(t *testing.T, c *bedrockruntime.Client) string {
	out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(profile), Messages: sea, ToolConfig: &types.ToolConfiguration{
		ToolChoice: &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("depth")}},
		Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String("depth"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{
				"type": "object", "required": []string{"place"}, "properties": map[string]any{"place": map[string]any{"type": "string"}},
			})},
		}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	use, ok := out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberToolUse)
	if !ok || out.StopReason != types.StopReasonToolUse {
		t.Fatalf("answer = %+v, want a tool use", out.Output)
	}
	input, err := use.Value.Input.MarshalSmithyDocument()
	if err != nil {
		t.Fatal(err)
	}
	return string(input)
}

// TestSDKErrors: what a region answers is the same type through both servers.
func TestSDKErrors(t *testing.T) {
	far := standIn(t, "retry: {wait: 0s}\n")
	near := before(t, far, "breaker: {failures: 1000}\n")
	c := modelClient(near.url(), transport(t, false))
	faults := func(fault string) {
		for _, region := range apac() {
			if err := far.SetFault(region, fault); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name, fault, model, body string
		want                     error
	}{
		{"unknown model", "up", "nobody.model-v1:0", prompt, &types.ValidationException{}},
		{"body that is none", "up", profile, `{"max_tokens":"many"}`, &types.ValidationException{}},
		{"throttled everywhere", "throttle", profile, prompt, &types.ThrottlingException{}},
		{"broken everywhere", "5xx", profile, prompt, &types.ServiceUnavailableException{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faults(tt.fault)
			defer faults("up")
			_, unary := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(tt.model), Body: []byte(tt.body)})
			_, stream := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(tt.model), Body: []byte(tt.body)})
			for _, err := range []error{unary, stream} {
				var api smithy.APIError
				if !errors.As(err, &api) || api.ErrorCode() != tt.want.(smithy.APIError).ErrorCode() || !sameType(err, tt.want) {
					t.Errorf("error = %v, want a %T", err, tt.want)
				}
			}
		})
	}
}

// sameType reports whether a chain has an error of want's type.
func sameType(err, want error) bool {
	switch want.(type) {
	case *types.ValidationException:
		_, ok := errors.AsType[*types.ValidationException](err)
		return ok
	case *types.ThrottlingException:
		_, ok := errors.AsType[*types.ThrottlingException](err)
		return ok
	case *types.ServiceUnavailableException:
		_, ok := errors.AsType[*types.ServiceUnavailableException](err)
		return ok
	}
	return false
}

// apac are the destinations of the profile.
func apac() []inference.Region {
	return []inference.Region{"ap-southeast-1", "ap-northeast-1", "ap-southeast-2", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-4"}
}

// TestCancellation: a client that leaves in the middle of a stream ends it in both
// servers, and both have what it used until then.
func TestCancellation(t *testing.T) {
	script := filepath.Join(t.TempDir(), "answers.yaml")
	if err := os.WriteFile(script, []byte("- text: "+strings.Repeat("wave after wave ", 3000)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	far := listening(t, "simulate: {hidden_routing: true, speed: 4, responses: "+script+"}\n"+caller)
	near := before(t, far, "")
	for protocol, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(protocol, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			long := strings.Replace(prompt, "500", "60000", 1)
			out, err := modelClient(near.url(), transport(t, two)).InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(profile), Body: []byte(long)})
			if err != nil {
				t.Fatal(err)
			}
			<-out.GetStream().Events()
			leave()
			out.GetStream().Close()
			for name, s := range map[string]*site{"near": near, "far": far} {
				line := s.wait(t, "call")
				if line["outcome"] != "failed" || line["input_tokens"] == "0" {
					t.Errorf("%s: call = %v, want it failed with the tokens that were used", name, line)
				}
			}
			drained(t, near.room)
			drained(t, far.room)
		})
	}
}

// TestControlPlane: application profiles are usable at once where they were made,
// and one of the far server is found by the near one, whose own it is not.
func TestControlPlane(t *testing.T) {
	far := standIn(t, "")
	near := before(t, far, "")
	tr := transport(t, false)
	for name, at := range map[string]*site{"near": near, "far": far} {
		t.Run(name, func(t *testing.T) {
			made, err := controlClient(at.url(), tr).CreateInferenceProfile(t.Context(), &bedrock.CreateInferenceProfileInput{
				InferenceProfileName: aws.String("team " + name),
				ModelSource:          &controltypes.InferenceProfileModelSourceMemberCopyFrom{Value: "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/" + profile},
				Tags:                 []controltypes.Tag{{Key: aws.String("team"), Value: aws.String("sea")}},
			})
			if err != nil {
				t.Fatal(err)
			}
			near.forget()
			_, err = modelClient(near.url(), tr).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: made.InferenceProfileArn, Body: []byte(prompt)})
			if err != nil {
				t.Fatalf("InvokeModel of a profile of the %s server = %v, want an answer", name, err)
			}
			if line := near.wait(t, "call"); line["outcome"] != "ok" || !strings.HasSuffix(*made.InferenceProfileArn, "/"+line["profile"]) || line["cost_usd"] == "0" {
				t.Errorf("call = %v, want the application profile at the price of what it copies", line)
			}
			got, err := controlClient(at.url(), tr).GetInferenceProfile(t.Context(), &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: made.InferenceProfileArn})
			if err != nil || got.Type != controltypes.InferenceProfileTypeApplication || len(got.Models) != len(apac()) {
				t.Errorf("GetInferenceProfile = %+v, %v, want the application profile", got, err)
			}
		})
	}
}

// TestUnknownProfilesAreNotRemembered: a profile that AWS did not know when it was
// first called is found once it does.
func TestUnknownProfilesAreNotRemembered(t *testing.T) {
	far := standIn(t, "")
	application, err := far.store.CreateApplication(t.Context(), inference.Application{
		Account: "123456789012", Region: entry, Name: "first", CopiedFrom: profile,
	})
	if err != nil {
		t.Fatal(err)
	}
	var isKnown atomic.Bool
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isKnown.Load() {
			front.Respond(w, front.ServiceError(&inference.Error{Kind: inference.ResourceNotFound, Message: "not there"}))
			return
		}
		far.ServeHTTP(w, r)
	}))
	defer control.Close()
	near := listening(t, "model: bedrock\nbedrock: {endpoint: "+far.url()+", control_endpoints: {ap-southeast-1: "+control.URL+"}}\n"+caller, asApp(t))
	c := modelClient(near.url(), transport(t, false))
	call := func() error {
		_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(string(application.ARN())), Body: []byte(prompt)})
		return err
	}
	if err := call(); !sameType(err, &types.ValidationException{}) {
		t.Errorf("InvokeModel of an unknown profile = %v, want a ValidationException", err)
	}
	isKnown.Store(true)
	if err := call(); err != nil {
		t.Errorf("InvokeModel of a profile that was made since = %v, want an answer", err)
	}
	isKnown.Store(false)
	if err := call(); err != nil {
		t.Errorf("InvokeModel of a profile that was found = %v, want an answer", err)
	}
}
