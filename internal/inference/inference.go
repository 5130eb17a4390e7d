// Package inference is the vocabulary every other package speaks: requests,
// events, regions, models, grants, attempts and records, named as Amazon
// Bedrock and IAM name them. It holds plain data and imports only the standard
// library, so that stages can share words without knowing one another.
package inference

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Region is an AWS Region code such as "ap-southeast-1".
type Region string

// ModelID is a foundation model id such as
// "anthropic.claude-sonnet-4-20250514-v1:0".
type ModelID string

// ProfileID is an inference profile id such as
// "apac.anthropic.claude-sonnet-4-20250514-v1:0".
type ProfileID string

// ARN is an Amazon Resource Name in its text form. Package wire/arn takes it apart.
type ARN string

// Operation is a Bedrock Runtime API operation by its API name.
type Operation string

// The operations of the Bedrock Runtime API that run a model.
const (
	InvokeModel                   Operation = "InvokeModel"
	InvokeModelWithResponseStream Operation = "InvokeModelWithResponseStream"
	Converse                      Operation = "Converse"
	ConverseStream                Operation = "ConverseStream"
	CountTokens                   Operation = "CountTokens"
)

// Action is the IAM action that permits the operation: the Converse operations
// are permitted by their Invoke counterparts (User Guide, "API permissions").
func (o Operation) Action() string {
	switch o {
	case InvokeModelWithResponseStream, ConverseStream:
		return "bedrock:InvokeModelWithResponseStream"
	case CountTokens:
		return "bedrock:CountTokens"
	default:
		return "bedrock:InvokeModel"
	}
}

// Streams reports whether the answer is a stream of event-stream frames.
func (o Operation) Streams() bool {
	return o == InvokeModelWithResponseStream || o == ConverseStream
}

// Request is one model call after a front has decoded it. It is immutable once
// built: every attempt starts from the same Request.
type Request struct {
	ID            string        // request id, a UUID; sent back as x-amzn-RequestId
	Door          string        // that it came by: DoorBedrock and its like
	Operation     Operation     // API operation
	Model         string        // as the caller named it: id or ARN of a model or profile, percent-decoded once
	SourceRegion  Region        // where the request enters
	Principal     Principal     // who calls
	Caller        Caller        // who is behind the principal, zero when nobody is
	Circumstances Circumstances // under which it was made
	Header        http.Header   // the X-Amzn-Bedrock-* and Accept headers of the request; may be nil
	Body          []byte        // the model's own JSON, byte for byte
	PayloadHash   string        // lower-case hex SHA-256 of Body, where it is known already
	Steering      Steering
	Deadline      time.Time // when the caller stops waiting, as far as it says; zero where it does not
}

// Principal is an identity that policy statements are attached to.
type Principal struct {
	Name string // unique within one server, e.g. "developer" or a data source's name
	ARN  ARN    // as it appears in denials
}

// Caller is who stands behind a principal: the end user on whose behalf it calls, such
// as the signed-in user of a GraphQL request behind its data source's role, and the key
// that was shown. A session has the caller that it was asked for by.
type Caller struct {
	ID     string // subject of the token, empty for keys
	Name   string // user name
	Alias  string // verified e-mail address in lower case, empty where it is not known
	Key    string // name of the API key, access key or bearer key, empty for none
	Budget string // name of that key's budget, empty for none
	Group  string // the first that its token names, empty for none
}

// The doors.
const (
	DoorBedrock   = "bedrock"
	DoorOpenAI    = "openai"
	DoorAnthropic = "anthropic"
	DoorGraphQL   = "graphql"
)

// Circumstances are what the conditions of policies may ask of a request beside what
// it calls. The zero Circumstances are those of a call from inside the process.
type Circumstances struct {
	SourceIP   string // of whoever sent it, without a port; empty inside the process
	Secure     bool   // it came over TLS
	UserAgent  string
	BearerType string   // LongTerm or ShortTerm; empty without a bearer key
	Session    *Session // of temporary credentials; nil for those that last
}

// What kind of bearer key came, by the values of the condition key
// bedrock:bearerTokenType (User Guide, "Permissions for Amazon Bedrock API keys").
const (
	LongTerm  = "LONG_TERM"
	ShortTerm = "SHORT_TERM"
)

// Session is what is known of temporary credentials beside whom they speak for. It is
// not modified.
type Session struct {
	Name   string              // of the role session
	Issued time.Time           // aws:TokenIssueTime
	Tags   map[string]string   // aws:PrincipalTag by name
	Keys   map[string][]string // further condition keys, such as "cognito-identity.amazonaws.com:amr"
}

// Credential is what a call from inside the process presents in place of a
// signature: the principal and the scope it would have signed for. The zero
// Service means the call is unsigned.
type Credential struct {
	Principal Principal
	Service   string // signing service, "bedrock" for Bedrock
	Region    Region // signing region
	Bearer    bool   // a bearer key, and no signature

	BearerType string   // of a bearer key: LongTerm or ShortTerm
	Session    *Session // of temporary credentials, else nil
	Caller     Caller   // the user of a token or session, and the key by its name

	PayloadHash string // lower-case hex SHA-256 of the body that was signed, empty where none was
}

// HTTPRequest is an HTTP request as plain data, for callers inside the process.
type HTTPRequest struct {
	Method string
	URL    string // absolute, path percent-encoded as it goes on the wire
	Header http.Header
	Body   []byte
}

// HTTPResponse is an HTTP response as plain data.
type HTTPResponse struct {
	Status int
	Header http.Header
	Body   []byte
}

// Profile is an inference profile as seen from one source region, or a bare
// model: then ID and ARN are empty and the source region is the one destination.
type Profile struct {
	ID           ProfileID
	ARN          ARN // in the source region and the configured account
	Model        ModelID
	SourceRegion Region
	Destinations []Region // catalog order
	Global       bool     // a global. profile, which IAM checks by the regionless model ARN

	// CopiedFrom is what an application inference profile was made of: the id of a
	// system-defined profile, or of a model. Empty for every other profile.
	CopiedFrom string
	Remote     bool // only the region's own control plane knows it

	// Equivalents are what stands for a regional resource in its destinations beside
	// the source region.
	Equivalents map[Region]ARN
}

// IsRegional reports whether it is a resource of one region that runs a model, such
// as a provisioned or custom model, or a prompt: it has an ARN and no profile's id,
// and Model is that ARN.
func (p Profile) IsRegional() bool { return p.ID == "" && p.ARN != "" }

// IsRegionalKind reports whether resources of a kind, by the word in their ARN, are
// such resources (what modelId may be, by the SDK).
func IsRegionalKind(kind string) bool {
	switch kind {
	case "provisioned-model", "custom-model", "custom-model-deployment", "imported-model",
		"prompt", "prompt-router", "default-prompt-router":
		return true
	}
	return false
}

// In is the ARN that a regional resource is called by in region, empty where
// nothing stands for it.
func (p Profile) In(region Region) ARN {
	if region == p.SourceRegion {
		return p.ARN
	}
	return p.Equivalents[region]
}

// Named is what a caller invokes: the profile id, or the model id when bare.
func (p Profile) Named() string {
	if p.ID != "" {
		return string(p.ID)
	}
	return string(p.Model)
}

// ModelARN is the foundation model's ARN in region; the empty region gives the
// regionless ARN that global profiles are checked by.
func ModelARN(region Region, model ModelID) ARN {
	return ARN("arn:aws:bedrock:" + string(region) + "::foundation-model/" + string(model))
}

// ProfileARN is a system-defined inference profile's ARN.
func ProfileARN(region Region, account string, profile ProfileID) ARN {
	return ARN("arn:aws:bedrock:" + string(region) + ":" + account + ":inference-profile/" + string(profile))
}

// Model is what the stages need to know of a foundation model. Zero limits mean
// the limit is not known and is not enforced.
type Model struct {
	ID              ModelID
	Name            string
	Provider        string
	ContextWindow   int    // tokens
	MaxOutput       int    // tokens
	MaxOutputExcl   bool   // max_tokens equal to MaxOutput is refused
	Prefill         bool   // a trailing assistant message is continued
	Streaming       bool   // has the streaming operations
	CountTokens     bool   // has CountTokens
	Caching         bool   // has prompt caching
	OutputBurndown  int    // tokens of quota one output token takes, at least 1
	EndOfLife       string // YYYY-MM-DD, empty while active
	EndOfLifeMarked bool   // the date is published but not confirmed by a call
}

// IsAnthropic reports whether the model speaks Anthropic Messages.
func (m ModelID) IsAnthropic() bool { return strings.HasPrefix(string(m), "anthropic.") }

// Target is what one attempt calls.
type Target struct {
	Region    Region   // entry region, the endpoint
	Model     string   // model or profile id invocable there
	Account   string   // whose quota and credentials; empty is the default account
	RunSet    []Region // where the model may run; nil is Region alone
	OpenEnded bool     // the service may add regions to the run set, as it does to a global profile's
	Guardrail string   // what stands there for the guardrail that the request names; empty is that itself
	Simulated bool
}

// Pinned reports whether the target's run set is one region.
func (t Target) Pinned() bool { return len(t.RunSet) <= 1 && !t.OpenEnded }

// RunsIn reports whether the model may run in region.
func (t Target) RunsIn(region Region) bool {
	if t.RunSet == nil {
		return t.Region == region
	}
	return slices.Contains(t.RunSet, region)
}

// Usage counts tokens as Bedrock reports them: InputTokens excludes cached ones.
type Usage struct {
	InputTokens      int `json:"input_tokens"`
	OutputTokens     int `json:"output_tokens"`
	CacheReadTokens  int `json:"cache_read_tokens,omitempty"`
	CacheWriteTokens int `json:"cache_write_tokens,omitempty"`
	CacheWrite1h     int `json:"cache_write_1h_tokens,omitempty"` // those of CacheWriteTokens that are kept for an hour; the others for five minutes

	Caching bool `json:"-"` // the model reports cached tokens, also when there are none
}

// mostTokens is more than any call has of a kind.
const mostTokens = 100_000_000

// Bounded is u as far as it can be true, whatever a model server says: no count is below
// zero or above a hundred million, and what is written for an hour is part of what is
// written.
func (u Usage) Bounded() Usage {
	for _, n := range [...]*int{&u.InputTokens, &u.OutputTokens, &u.CacheReadTokens, &u.CacheWriteTokens, &u.CacheWrite1h} {
		*n = min(max(*n, 0), mostTokens)
	}
	u.CacheWrite1h = min(u.CacheWrite1h, u.CacheWriteTokens)
	return u
}

// Plus is the usage of both together.
func (u Usage) Plus(other Usage) Usage {
	u.InputTokens += other.InputTokens
	u.OutputTokens += other.OutputTokens
	u.CacheReadTokens += other.CacheReadTokens
	u.CacheWriteTokens += other.CacheWriteTokens
	u.CacheWrite1h += other.CacheWrite1h
	u.Caching = u.Caching || other.Caching
	return u
}

// Identity is who sent a GraphQL request, or whom a token speaks for, by the
// authorization mode that knew them.
type Identity struct {
	Mode      string         // AppSync's name of the mode: "API_KEY", "AMAZON_COGNITO_USER_POOLS", "AWS_IAM", ...
	Caller    Caller         // the end user; the key by its name, the session for IAM
	Principal string         // name of the principal that the token or key speaks for, empty for none. It is who calls at Bedrock's doors; behind a GraphQL API, whose data sources call as their own roles, it is whom a budget can be of
	Issuer    string         // of the token
	Groups    []string       // cognito:groups
	Claims    map[string]any // of the token, nil without one; of IAM and Lambda what ctx.identity says; shared, never modified
	SourceIP  string

	Credential    *Credential   // of a signed request, else nil
	Circumstances Circumstances // of a signed request
	DeniedFields  []string      // by a Lambda authorizer: "Type.field", or a field's ARN
}
