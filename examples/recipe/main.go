// Command recipe is the built-in sample as a Go program: the same backend as plain
// data, with a Go function in place of its JavaScript resolver.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"fairway"
	"fairway/backend"
)

const model, profile = "foundation-model/anthropic.claude-sonnet-4-20250514-v1:0", "apac.anthropic.claude-sonnet-4-20250514-v1:0"
const schema = "type BedrockResponse @aws_cognito_user_pools\n{\n  body: String\n  error: String\n}\n\n" +
	"type Query {\n  askBedrock(ingredients: [String]): BedrockResponse @aws_cognito_user_pools\n}"

var recipes = &backend.Backend{
	Schema:      schema,
	Operations:  []backend.Operation{{Type: "Query", Field: "askBedrock", Pipeline: []backend.Function{{DataSource: "bedrockDS", Resolver: backend.Funcs{OnRequest: request, OnResponse: response}}}}},
	DataSources: []backend.DataSource{{Name: "bedrockDS", Kind: backend.HTTP, Endpoint: "https://bedrock-runtime.ap-southeast-1.amazonaws.com", SigningService: "bedrock", SigningRegion: "ap-southeast-1", Principal: "bedrockDS"}},
	Principals: []backend.Principal{{Name: "bedrockDS", Statements: []backend.Statement{{
		Effect: "Allow", Actions: []string{"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"},
		Resources: []string{
			"arn:aws:bedrock:ap-southeast-1:123456789012:inference-profile/" + profile,
			"arn:aws:bedrock:ap-southeast-1::" + model, "arn:aws:bedrock:ap-northeast-1::" + model, "arn:aws:bedrock:ap-southeast-2::" + model,
			"arn:aws:bedrock:ap-northeast-2::" + model, "arn:aws:bedrock:ap-northeast-3::" + model, "arn:aws:bedrock:*::" + model,
		},
	}}}},
	Authorization: backend.Authorization{Default: backend.APIKey, Additional: []backend.Mode{backend.UserPool, backend.IAM}, APIKeyExpiry: 30 * 24 * time.Hour},
	Auth:          &backend.Auth{Email: true, RequiredAttributes: []string{"email"}, VerificationTypes: []string{"email"}, MFA: "NONE", AllowGuests: true},
}

func request(c *backend.Context) (any, error) {
	var ingredients []string
	list, _ := c.Args["ingredients"].([]any)
	for _, each := range list {
		text, _ := each.(string) // null joins as nothing
		ingredients = append(ingredients, text)
	}
	question := "Suggest two recipes, in the language that the ingredients are written in. The ingredients: " + strings.Join(ingredients, ", ") + "."
	body, err := json.Marshal(map[string]any{
		"anthropic_version": "bedrock-2023-05-31", "max_tokens": 1000, "temperature": 0.4,
		"messages": []any{map[string]any{"role": "user", "content": []any{map[string]any{"type": "text", "text": question}}}},
	})
	return &backend.HTTPRequest{Method: "POST", ResourcePath: "/model/" + profile + "/invoke", Headers: map[string]string{"Content-Type": "application/json"}, Body: string(body)}, err
}

func response(c *backend.Context) (any, error) {
	if c.Error != nil {
		return nil, &backend.Error{Message: c.Error.Message, Type: c.Error.Type}
	}
	result := c.Result.(map[string]any)
	var answer struct {
		Content []struct{ Text *string }
		Message string
	}
	err := json.Unmarshal([]byte(result["body"].(string)), &answer)
	if result["statusCode"] != 200 || err != nil || len(answer.Content) == 0 {
		kind, _, _ := strings.Cut(fmt.Sprint(result["headers"].(map[string]any)["x-amzn-ErrorType"]), ":")
		return nil, &backend.Error{Message: answer.Message, Type: kind}
	}
	return map[string]any{"body": answer.Content[0].Text}, nil
}

func main() {
	gateway, err := fairway.New(fairway.Config{Backend: recipes})
	if err != nil {
		log.Fatal(err)
	}
	if token, err := gateway.Token(context.Background()); err == nil {
		fmt.Printf("curl http://127.0.0.1:20002/graphql -H 'Authorization: %s' -H 'Content-Type: application/json' -d '{\"query\":\"{ askBedrock(ingredients: [\\\"rice\\\"]) { body } }\"}'\n", token)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:20002", gateway))
}
