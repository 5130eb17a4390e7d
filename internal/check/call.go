package check

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"fairway/backend"
	"fairway/internal/explain"
	"fairway/internal/inference"
	"fairway/internal/policy"
)

// call is a model call that a pipeline makes.
type call struct {
	at     string // where the resolver names the model
	source backend.DataSource
	model  string // as the resolver names it
	region inference.Region
	action string
}

// signing adds the Bedrock data sources in use whose signature Bedrock refuses.
func (c *checker) signing() {
	for f := range c.functions() {
		ds := c.sources[f.DataSource]
		region, isBedrock := inference.BedrockEndpoint(ds.Endpoint)
		switch {
		case !isBedrock:
		case ds.SigningService == "":
			c.add(backend.SeverityError, "unsigned-data-source", ds.At, ds.Name+" calls Bedrock unsigned: Bedrock answers 403 Missing Authentication Token",
				`give it authorizationConfig: { signingRegion: "`+string(region)+`", signingServiceName: "bedrock" }`)
		case ds.SigningService != "bedrock":
			c.add(backend.SeverityError, "wrong-signing-service", ds.At, ds.Name+" signs for "+strconv.Quote(ds.SigningService)+`: Bedrock takes signatures for "bedrock" only`,
				`set signingServiceName: "bedrock"`)
		case inference.Region(ds.SigningRegion) != region:
			c.add(backend.SeverityError, "wrong-signing-region", ds.At, ds.Name+" signs for "+strconv.Quote(ds.SigningRegion)+" and calls "+string(region)+": Bedrock refuses the signature",
				`set signingRegion: "`+string(region)+`"`)
		}
	}
}

// calls adds what the model calls of all pipelines would meet. It finds them by
// running each request function on made-up arguments.
func (c *checker) calls() {
	for f, op := range c.functions() {
		ds := c.sources[f.DataSource]
		region, isBedrock := inference.BedrockEndpoint(ds.Endpoint)
		if !isBedrock {
			continue
		}
		if model, operation, ok := invoked(c.request(f, op)); ok {
			c.call(call{place(f, op, model), ds, model, region, operation.Action()})
		}
	}
}

// call adds what one model call would meet: a model that cannot be called there
// or is retired, a permission that is missing.
func (c *checker) call(call call) {
	profile, err := c.catalog.Lookup(c.ctx, call.model, call.region)
	if err != nil {
		c.add(backend.SeverityError, "unusable-model", call.at,
			strconv.Quote(call.model)+" cannot be called in "+string(call.region)+": Bedrock answers "+strconv.Quote(inference.AsError(err).Message),
			c.usable(call))
		return
	}
	c.retired(call, profile)
	c.permissions(call, profile)
}

// usable says what to call in place of an id that its region does not take: the
// profiles there of the same model, which are called the same after a prefix.
func (c *checker) usable(call call) string {
	var ids []string
	for _, p := range c.catalog.Profiles(call.region) {
		if strings.HasSuffix(call.model, string(p.Model)) {
			ids = append(ids, string(p.ID))
		}
	}
	if len(ids) == 0 {
		return "call a model or profile that the endpoint of " + call.source.Name + " has"
	}
	return "call " + strings.Join(ids, " or ")
}

// retired warns of a model past its end of life, or with one announced, and says
// what to call instead from the same source region.
func (c *checker) retired(call call, profile inference.Profile) {
	model, ok := c.catalog.Model(profile.Model)
	if !ok || model.EndOfLife == "" {
		return
	}
	past := model.EndOfLife <= c.Now.UTC().Format(time.DateOnly)
	verb := "reaches"
	if past {
		verb = "reached"
	}
	message := model.Name + " " + verb + " its published end of life on Bedrock on " + model.EndOfLife
	if past && model.EndOfLifeMarked {
		message += " (not confirmed by a call)"
	}
	if past {
		message += ": simulated regions still run it, AWS answers 404"
	}
	c.add(backend.SeverityWarning, "retired-model", call.at, message, c.successor(profile.Model, call.region))
}

// successor says what to call in place of a retired model, empty when there is
// nothing.
func (c *checker) successor(model inference.ModelID, region inference.Region) string {
	next, ok := c.catalog.Successor(model, region)
	switch {
	case !ok:
		return ""
	case next.Invoke == "":
		return "its " + next.Basis + " successor " + string(next.Model) + " is not reachable from " + string(region)
	}
	return "call " + next.Invoke + ", its " + next.Basis + " successor, which is reachable from " + string(region)
}

// permissions adds what the data source's role lacks for the call, as one
// finding with the statement that would give it.
func (c *checker) permissions(call call, profile inference.Profile) {
	if c.policy == nil {
		return
	}
	x, err := explain.Of(c.policy, policy.Question{Principal: call.source.Principal, Action: call.action, Now: c.Now}, profile)
	if err != nil {
		return
	}
	denied := x.Denied()
	if len(denied) == 0 {
		return
	}
	at, fix := c.statementAt(call.source), remedy(call.source.Name, x)
	if !x.Fairway.Allowed {
		c.add(backend.SeverityError, "no-permitted-destination", at,
			call.source.Name+" may not call "+call.model+" from "+string(call.region)+": "+
				string(denied[0].Resource)+" is refused, "+denied[0].Reason, fix)
		return
	}
	here := "fairway skips those destinations"
	if c.Strict {
		here = "fairway, being strict, refuses it too"
	}
	c.add(backend.SeverityError, "missing-destination-permission", at,
		"AWS refuses "+call.model+" from "+string(call.region)+", because "+call.source.Name+" is not allowed "+
			strings.Join(resources(denied), ", ")+"; "+here, fix)
}

func resources(evaluations []policy.Evaluation) []string {
	var all []string
	for _, e := range evaluations {
		all = append(all, string(e.Resource))
	}
	return all
}

// remedy is the statements to add for what nothing allows, and the Deny statements
// that no added statement outweighs.
func remedy(source string, x *explain.Explanation) string {
	var steps []string
	for _, s := range x.Missing {
		steps = append(steps, "add to the policy of "+source+":\n"+string(s.JSON)+"\nor in backend.ts:\n"+s.TypeScript)
	}
	for _, d := range x.Denies {
		steps = append(steps, "remove or narrow the Deny at "+d.Statement)
	}
	return strings.Join(steps, "\n")
}

// statementAt is where the role of a data source is given its permissions, else
// where the data source is declared.
func (c *checker) statementAt(ds backend.DataSource) string {
	for _, p := range c.backend.Principals {
		if p.Name == ds.Principal && len(p.Statements) > 0 {
			return p.Statements[0].At
		}
	}
	return ds.At
}

// operations are the runtime's operations by the last segment of their path.
var operations = map[string]inference.Operation{
	"invoke":                      inference.InvokeModel,
	"invoke-with-response-stream": inference.InvokeModelWithResponseStream,
	"converse":                    inference.Converse,
	"converse-stream":             inference.ConverseStream,
	"count-tokens":                inference.CountTokens,
}

// invoked takes the model and the operation out of what a request function
// returned: {resourcePath: "/model/MODEL/invoke"}.
func invoked(request any) (model string, operation inference.Operation, ok bool) {
	path := ""
	switch r := request.(type) {
	case *backend.HTTPRequest:
		path = r.ResourcePath
	case map[string]any:
		path, _ = r["resourcePath"].(string)
	}
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(segments) != 3 || segments[0] != "model" {
		return "", "", false
	}
	model, err := url.PathUnescape(segments[1])
	operation, ok = operations[segments[2]]
	return model, operation, ok && err == nil
}

// place is where a resolver file names the model, else the file; of a resolver
// in Go it is the field that it resolves.
func place(f backend.Function, op backend.Operation, model string) string {
	if f.Entry == "" {
		return op.At
	}
	if before, _, ok := strings.Cut(f.Code, model); ok {
		return f.Entry + ":" + strconv.Itoa(1+strings.Count(before, "\n"))
	}
	return f.Entry
}
