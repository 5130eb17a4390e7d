package schema

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
)

// turnError is the input that Amplify deploys with every API, conversation or not.
const turnError = `input AmplifyAIConversationTurnErrorInput {
  errorType: String!
  message: String!
}`

// routeInputs are the inputs of a conversation's answers, named {{Name}}.
//
//go:embed route.graphql
var routeInputs string

// routeIntrospection is a conversation's entry in the introspection, named {{name}} and {{Name}}.
//
//go:embed conversation.json
var routeIntrospection string

func forRoute(template, name string) string {
	return strings.NewReplacer("{{Name}}", capital(name), "{{name}}", name).Replace(template)
}

// introspectConversation is the conversation's entry in the introspection.
func introspectConversation(name string) json.RawMessage {
	return json.RawMessage(forRoute(routeIntrospection, name))
}

// conversationModels are the two models that keep a conversation.
func conversationModels(name string) []*model {
	chat, message := "Conversation"+capital(name), "ConversationMessage"+capital(name)
	scalar := func(name, typ string) modelField {
		return modelField{field: field{name: name, typ: typ}, node: &node{}, kind: kindScalar}
	}
	custom := func(name, typ string) modelField {
		return modelField{field: field{name: name, typ: typ}, node: &node{}, kind: kindCustomType}
	}
	related := func(name, typ string, many bool) modelField {
		return modelField{field: field{name: name, typ: typ}, node: &node{Array: many}, kind: kindRelation}
	}
	role := modelField{field: field{name: "role", typ: "AmplifyAIConversationParticipantRole"}, node: &node{}, kind: kindEnum}
	owner := []rule{{Strategy: "owner", Provider: "userPools", Field: "owner"}}
	implied := []field{{name: "owner", typ: "String"}}
	return []*model{
		{
			name:       chat,
			identifier: []string{"id"},
			disabled:   []string{"subscriptions"},
			rules:      owner,
			implied:    implied,
			fields:     []modelField{scalar("id", "ID!"), scalar("name", "String"), scalar("metadata", "AWSJSON"), related("messages", message, true)},
		},
		{
			name:       message,
			identifier: []string{"id"},
			disabled:   []string{"update", "onUpdate", "onDelete"},
			rules:      owner,
			implied:    implied,
			fields: []modelField{
				scalar("id", "ID!"), scalar("conversationId", "ID!"), related("conversation", chat, false), role,
				custom("content", "[AmplifyAIContentBlock]"), scalar("aiContext", "AWSJSON"),
				custom("toolConfiguration", "AmplifyAIToolConfiguration"), scalar("associatedUserMessageId", "ID"),
			},
		},
	}
}

// answerFields are the fields through which a conversation's answers arrive.
func answerFields(name string) (mutations, subscriptions []field) {
	n := capital(name)
	input := func(suffix string) []field {
		return []field{{name: "input", typ: "CreateConversationMessage" + n + suffix + "Input!"}}
	}
	signedIn := []string{"@aws_cognito_user_pools"}
	stream := "createAssistantResponseStream" + n
	mutations = []field{
		{name: "createAssistantResponse" + n, arguments: input("Assistant"), typ: "ConversationMessage" + n, directives: signedIn},
		{name: stream, arguments: input("AssistantStreaming"), typ: "AmplifyAIConversationMessageStreamPart", directives: signedIn},
	}
	subscriptions = []field{{
		name:       "onCreateAssistantResponse" + n,
		arguments:  []field{{name: "conversationId", typ: "ID"}},
		typ:        "AmplifyAIConversationMessageStreamPart",
		directives: append([]string{"@aws_subscribe(mutations: [" + quote(stream) + "])"}, signedIn...),
	}}
	return mutations, subscriptions
}

// conversationRoots are the operations that a conversation brings beside its own field.
func conversationRoots(name string) []definition {
	mutations, subscriptions := answerFields(name)
	out := []definition{
		{keyword: "type", name: "Mutation", fields: mutations},
		{keyword: "type", name: "Subscription", fields: subscriptions},
	}
	for _, m := range conversationModels(name) {
		out = append(out, m.roots(0)...)
	}
	return out
}

// addConversations adds the types of the conversations; their answers' mutations
// come before the schema's own.
func (d *deployment) addConversations(names []string) {
	var answers, subscribed []field
	for _, name := range names {
		d.addParsed(forRoute(routeInputs, name))
		mutations, subscriptions := answerFields(name)
		answers = append(answers, mutations...)
		subscribed = append(subscribed, subscriptions...)
	}
	if t := d.find("Mutation"); t != nil {
		t.fields = slices.Concat(answers, t.fields)
	}
	d.extend("Subscription", subscribed...)
	for _, name := range names {
		for _, m := range conversationModels(name) {
			object := surface{base: d.base, m: m}.object()
			if strings.HasPrefix(m.name, "ConversationMessage") {
				object.implements = "AmplifyAIConversationMessage"
			}
			d.add(object)
		}
	}
}
