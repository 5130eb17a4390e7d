package schema

import (
	_ "embed"
	"regexp"
	"strings"
)

// conversationTypes is the SDL that the builder appends once when there is a conversation.
//
//go:embed conversation.graphql
var conversationTypes string

// toolName is what Bedrock takes for a tool's name (API reference, ToolSpecification).
var toolName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]{0,63}$`)

func (p *processor) conversation(name string, n *node) error {
	if len(n.Rules) == 0 {
		return fail(n.At, "Conversation %s is missing authorization rules. Use .authorization((allow) => allow.owner()) to configure authorization for your conversation route.", name)
	}
	if n.Route == nil || n.Route.Model == "undefined" {
		return fail(n.At, "conversation %s names no known model: set aiModel to a.ai.model('...') or to { resourcePath: '...' }", name)
	}
	directive, err := n.Route.conversation(n, name)
	if err != nil {
		return err
	}
	p.operations = append(p.operations, operation{
		root: "Mutation",
		field: field{
			name: name,
			arguments: []field{
				{name: "conversationId", typ: "ID!"},
				{name: "content", typ: "[AmplifyAIContentBlockInput]"},
				{name: "aiContext", typ: "AWSJSON"},
				{name: "toolConfiguration", typ: "AmplifyAIToolConfigurationInput"},
			},
			typ:        "AmplifyAIConversationMessage",
			directives: []string{directive, "@aws_cognito_user_pools"},
		},
		rules: n.Rules,
		kind:  "a.conversation",
		at:    n.At,
	})
	p.conversations = append(p.conversations, name)
	return nil
}

// conversation is the @conversation directive.
func (r *routeNode) conversation(n *node, name string) (string, error) {
	sorted := routeNode{Model: r.Model, SystemPrompt: r.SystemPrompt}
	for _, key := range []string{"temperature", "maxTokens", "topP"} {
		for _, s := range r.Settings {
			if s.Name == key {
				sorted.Settings = append(sorted.Settings, s)
			}
		}
	}
	parts := append(sorted.parts(), "auth: { strategy: owner, provider: userPools }")
	if r.EventVersion != "" {
		parts = append(parts, "handler: { functionName: "+quote("Fn"+capital(name))+", eventVersion: "+quote(r.EventVersion)+" }")
	}
	var tools []string
	for _, t := range r.Tools {
		if !toolName.MatchString(t.Name) {
			return "", fail(n.At, "Tool name must be between 1 and 64 characters, start with a letter, and contain only letters, numbers, and underscores. Found: %s", t.Name)
		}
		tools = append(tools, t.sdl())
	}
	if len(tools) > 0 {
		parts = append(parts, "tools: ["+strings.Join(tools, ", ")+"]")
	}
	return "@conversation(" + strings.Join(parts, ", ") + ")", nil
}

func (t tool) sdl() string {
	source := "queryName: " + quote(t.Query)
	if t.Model != "" {
		source = "modelName: " + quote(t.Model) + ", modelOperation: " + t.Operation
	}
	return "{ name: " + quote(t.Name) + ", description: " + quote(t.Description) + ", " + source + " }"
}
