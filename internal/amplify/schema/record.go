package schema

import (
	"encoding/json"
	"fmt"
)

// recording is what record() returns: one schema, or those that a.combine took.
type recording struct {
	Schemas []schemaNode `json:"schemas"`
}

type schemaNode struct {
	Types []member `json:"types"`
	Rules []rule   `json:"rules"`
	At    string   `json:"at"`
}

// member is a named field, argument or type, recorded as [name, node] because the
// order of an object's members carries meaning.
type member struct {
	Name string
	Node node
}

// UnmarshalJSON reads the pair.
func (m *member) UnmarshalJSON(data []byte) error { return unmarshalPair(data, &m.Name, &m.Node) }

// setting is one [name, value] of an inference configuration, the value as JavaScript prints it.
type setting struct{ Name, Value string }

// UnmarshalJSON reads the pair.
func (s *setting) UnmarshalJSON(data []byte) error { return unmarshalPair(data, &s.Name, &s.Value) }

func unmarshalPair(data []byte, first, second any) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a pair of %d", len(pair))
	}
	if err := json.Unmarshal(pair[0], first); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], second)
}

// The kinds of node.
const (
	kindScalar       = "scalar"
	kindRef          = "ref"
	kindRelation     = "relation"
	kindEnum         = "enum"
	kindCustomType   = "customType"
	kindModel        = "model"
	kindOperation    = "operation"
	kindConversation = "conversation"
)

// node is one builder object. Kind says which of the groups below it fills.
type node struct {
	Kind  string `json:"kind"`
	At    string `json:"at"`
	Rules []rule `json:"rules"`

	// scalar, ref, relation: the GraphQL type, the name referred to, the related model
	Type          string   `json:"type"`
	Required      bool     `json:"required"`
	Array         bool     `json:"array"`
	ArrayRequired bool     `json:"arrayRequired"`
	Default       *string  `json:"default"`
	Generated     bool     `json:"generated"` // .default() without a value
	Checks        []check  `json:"checks"`
	Mutations     []string `json:"mutations"` // ref().mutations([...])
	Relation      string   `json:"relation"`  // "hasOne", "hasMany" or "belongsTo"
	References    []string `json:"references"`

	Values []string `json:"values"` // enum
	Fields []member `json:"fields"` // customType, model

	// model
	Identifier []string    `json:"identifier"`
	Indexes    []indexNode `json:"indexes"`
	Disabled   []string    `json:"disabled"`

	// operation: "Query", "Mutation", "Subscription" or "Generation"
	Operation string        `json:"operation"`
	Arguments []member      `json:"arguments"`
	Returns   *node         `json:"returns"`
	Handlers  []handlerNode `json:"handlers"`
	Sources   []node        `json:"sources"` // refs of .for()

	Route *routeNode `json:"route"` // conversation, Generation
}

// check is one rule of .validate().
type check struct {
	Type    string `json:"type"`
	Value   string `json:"value"`
	Message string `json:"message"`
}

// indexNode is one secondary index.
type indexNode struct {
	PartitionKey string   `json:"partitionKey"`
	SortKeys     []string `json:"sortKeys"`
	Name         string   `json:"name"`
	QueryField   string   `json:"queryField"`
	NoQuery      bool     `json:"noQuery"` // queryField(null)
	Projection   string   `json:"projection"`
	Attributes   []string `json:"attributes"`
}

// The kinds of handler.
const (
	handlerCustom       = "custom"
	handlerFunction     = "function"
	handlerAsync        = "asyncFunction"
	handlerInlineSQL    = "inlineSql"
	handlerSQLReference = "sqlReference"
)

var handlerKinds = []string{handlerCustom, handlerFunction, handlerAsync, handlerInlineSQL, handlerSQLReference}

// handlerNode is one handler. A custom one fills Entry and DataSource, a function
// one Function (a name) or Provider (made by defineFunction).
type handlerNode struct {
	Kind       string `json:"kind"`
	At         string `json:"at"`
	Entry      string `json:"entry"`
	DataSource struct {
		Name string `json:"name"`
		Type string `json:"type"` // the model of a.ref
	} `json:"dataSource"`
	Function string `json:"function"`
	Provider bool   `json:"provider"`
}

// routeNode is the input of a.generation and a.conversation.
type routeNode struct {
	Model        string    `json:"model"`
	SystemPrompt string    `json:"systemPrompt"`
	Settings     []setting `json:"settings"`
	Tools        []tool    `json:"tools"`
	EventVersion string    `json:"eventVersion"` // of a custom conversation handler
}

// tool is one a.ai.dataTool: a query, or an operation of a model.
type tool struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Model       string `json:"model"`
	Operation   string `json:"operation"`
	Query       string `json:"query"`
}

// typ is the node's type as GraphQL writes it, named name: "[Name!]!".
func (n *node) typ(name string) string {
	t := name
	if n.Required {
		t += "!"
	}
	if n.Array {
		t = "[" + t + "]"
	}
	if n.ArrayRequired {
		t += "!"
	}
	return t
}
