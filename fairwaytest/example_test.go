package fairwaytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	bedrocktypes "github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"fairway/fairwaytest"
)

// example stands for the *testing.T of a test, which an example has none of.
type example struct {
	testing.TB
	cleanups []func()
}

func (e *example) Helper()                  {}
func (e *example) Context() context.Context { return context.Background() }
func (e *example) Cleanup(f func())         { e.cleanups = append(e.cleanups, f) }
func (e *example) Error(args ...any)        { fmt.Println(args...) }
func (e *example) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }

func (e *example) end() {
	for _, f := range e.cleanups {
		f()
	}
}

// say is a user's message.
func say(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

// firstLine is the first line of a message's text.
func firstLine(m types.ConverseOutput) string {
	text := m.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberText).Value
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Code that calls a model gets a client of the test's own Bedrock.
func ExampleNewServer() {
	t := new(example) // in a test of yours: func TestAnswers(t *testing.T)
	defer t.end()

	server := fairwaytest.NewServer(t)
	client := bedrockruntime.NewFromConfig(server.Config())

	out, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId:  aws.String("us.anthropic.claude-sonnet-4-20250514-v1:0"),
		Messages: say("chicken, rice, carrots"),
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(firstLine(out.Output))
	fmt.Println(out.StopReason)
	// Output:
	// [simulated] This is the reply of a simulated region: no model ran.
	// end_turn
}

// An answer may come as a stream.
func ExampleNewServer_stream() {
	t := new(example)
	defer t.end()

	server := fairwaytest.NewServer(t)
	client := bedrockruntime.NewFromConfig(server.Config())

	out, err := client.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
		ModelId:  aws.String("us.anthropic.claude-sonnet-4-20250514-v1:0"),
		Messages: say("chicken, rice, carrots"),
	})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	defer stream.Close()
	var text strings.Builder
	for event := range stream.Events() {
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			text.WriteString(event.Value.Delta.(*types.ContentBlockDeltaMemberText).Value)
		case *types.ConverseStreamOutputMemberMessageStop:
			fmt.Println(strings.Contains(text.String(), "chicken"), event.Value.StopReason)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	// Output: true end_turn
}

// A region may be down from the start: the call runs in the next one.
func ExampleDown() {
	t := new(example)
	defer t.end()

	server := fairwaytest.NewServer(t, fairwaytest.Region("ap-southeast-1"), fairwaytest.Down("ap-southeast-1"))

	r, err := http.NewRequest("POST", server.URL+"/model/apac.anthropic.claude-sonnet-4-20250514-v1:0/converse",
		strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"chicken, rice, carrots"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+server.Gateway.Credentials().BearerKey)
	response, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status, "from", response.Header.Get("x-fairway-destination-region"))
	// Output: 200 OK from ap-northeast-1
}

// A fault may come and go while a test runs. A model that can run in one region
// only has no other to go to.
func ExampleServer_Fault() {
	t := new(example)
	defer t.end()

	server := fairwaytest.NewServer(t, fairwaytest.Region("us-east-1"))
	client := bedrockruntime.NewFromConfig(server.Config(), func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 })
	ask := func() error {
		_, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{
			ModelId: aws.String("amazon.nova-lite-v1:0"), Messages: say("Hi"),
		})
		return err
	}

	server.Fault("us-east-1", "throttle")
	_, throttled := errors.AsType[*types.ThrottlingException](ask())
	fmt.Println("throttled:", throttled)

	server.Fault("us-east-1", "up")
	fmt.Println("then:", ask())
	// Output:
	// throttled: true
	// then: <nil>
}

// Scripted answers make a test say what it wants to hear.
func ExampleResponses() {
	t := new(example)
	defer t.end()

	dir, err := os.MkdirTemp("", "example") // in a test of yours: t.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "responses.yaml")
	if err := os.WriteFile(file, []byte("- {match: carrots, text: Glazed carrots.}\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	server := fairwaytest.NewServer(t, fairwaytest.Responses(file))
	client := bedrockruntime.NewFromConfig(server.Config())
	out, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId:  aws.String("us.anthropic.claude-sonnet-4-20250514-v1:0"),
		Messages: say("chicken, rice, carrots"),
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(firstLine(out.Output))
	// Output: Glazed carrots.
}

// An application inference profile is called by its ARN as soon as it is made.
func ExampleServer_Config() {
	t := new(example)
	defer t.end()

	server := fairwaytest.NewServer(t, fairwaytest.Region("ap-southeast-1"))
	control := bedrock.NewFromConfig(server.Config())
	client := bedrockruntime.NewFromConfig(server.Config())

	profile, err := control.CreateInferenceProfile(t.Context(), &bedrock.CreateInferenceProfileInput{
		InferenceProfileName: aws.String("recipes"),
		ModelSource: &bedrocktypes.InferenceProfileModelSourceMemberCopyFrom{
			Value: "arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/apac.anthropic.claude-sonnet-4-20250514-v1:0",
		},
		Tags: []bedrocktypes.Tag{{Key: aws.String("team"), Value: aws.String("kitchen")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: profile.InferenceProfileArn, Messages: say("chicken, rice, carrots"),
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(profile.Status, out.StopReason)
	// Output: ACTIVE end_turn
}

// Clients of Anthropic and of OpenAI send the bearer key, and name models as
// Bedrock does.
func ExampleServer_Client() {
	t := new(example)
	defer t.end()

	server := fairwaytest.NewServer(t)
	post := func(path, body string) (answer struct {
		Content []struct{ Text string } // Anthropic's
		Choices []struct {              // OpenAI's
			Message struct{ Content string }
		}
	}) {
		r, err := http.NewRequest("POST", server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+server.Gateway.Credentials().BearerKey)
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		raw, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}

	const model = `"model":"us.anthropic.claude-sonnet-4-20250514-v1:0"`
	const messages = `"messages":[{"role":"user","content":"Hi"}]`
	message := post("/v1/messages", `{"max_tokens":200,`+model+`,`+messages+`}`)
	completion := post("/v1/chat/completions", `{`+model+`,`+messages+`}`)
	fmt.Println(message.Content[0].Text == completion.Choices[0].Message.Content)
	// Output: true
}
