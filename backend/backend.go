// Package backend describes an Amplify Gen 2 style backend as plain Go data: the
// GraphQL schema, the operations with their resolver pipelines, the data sources
// they call, the principals those call as, and who may call. An amplify/ folder
// loads into exactly this; a Go program may write it by hand.
package backend

// Backend is one GraphQL API with everything it calls.
type Backend struct {
	// Schema is the SDL as the Amplify builder writes it; Deployed is the SDL
	// that is served. A hand-written backend may leave Deployed empty: Schema is
	// served then.
	Schema   string
	Deployed string

	Operations  []Operation
	DataSources []DataSource
	Principals  []Principal

	Authorization Authorization
	Auth          *Auth             // nil without a user pool
	Env           map[string]string // ctx.env of resolvers
	Outputs       map[string]any    // backend.addOutput, merged into amplify_outputs.json

	// Introspection is amplify_outputs.json's model_introspection, from which
	// the typed client makes its operations. Nil leaves it out.
	Introspection map[string]any

	// Files are the project files the backend was made of, "amplify/backend.ts",
	// sorted; a hand-written backend has none.
	Files []string

	// Findings is what loading noticed and could go on with.
	Findings []Finding
}

// Operation is a field of Query, Mutation or Subscription and its pipeline.
type Operation struct {
	Type     string // "Query", "Mutation" or "Subscription"
	Field    string
	Pipeline []Function // in order; the last one's result is the field's value

	// Unsupported names the construct behind the field that has no engine yet,
	// e.g. "a.generation"; calling the field answers an error that says so.
	Unsupported string
	At          string // where it is declared, "amplify/data/resource.ts:10"
}

// Function is one step of a pipeline: exactly one of Code and Resolver is set.
type Function struct {
	DataSource string // "NONE_DS" for none
	Entry      string // path of the resolver file inside the project, for Code
	Code       string // source text of the resolver file, as it is on disk
	Resolver   Resolver
}

// Kinds of data sources.
const (
	HTTP = "HTTP"
	None = "NONE"
)

// NoneDataSource is the data source that every API has and that calls nothing.
const NoneDataSource = "NONE_DS"

// DataSource is where a resolver's request goes.
type DataSource struct {
	Name     string
	Kind     string // HTTP or None; any other kind is answered with an error that names it
	Endpoint string // scheme and host, for HTTP

	// SigningService and SigningRegion are the SigV4 scope of its requests; both
	// empty means requests go unsigned.
	SigningService string
	SigningRegion  string

	Principal string // name of the principal it calls as, its service role
	At        string // where it is declared
}

// Principal is a role with the policy statements attached to it, in source order.
type Principal struct {
	Name       string
	Statements []Statement
}

// Statement is one IAM policy statement.
type Statement struct {
	SID          string
	Effect       string // "Allow" or "Deny"
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	// Conditions maps operator to context key to values, as in IAM JSON.
	Conditions map[string]map[string][]string
	At         string   // where it is written, "amplify/backend.ts:30"
	ResourceAt []string // where each resource is written, parallel to Resources; may be nil
}

// Severity grades a finding.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Finding is something a person should know about a backend before it runs.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // stable, kebab-case, e.g. "placeholder-account"
	File     string   `json:"file"`
	Line     int      `json:"line"` // 0 when the finding has no one line
	Message  string   `json:"message"`
	Fix      string   `json:"fix"`
}
