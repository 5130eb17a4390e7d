package check

import (
	"net/url"
	"strings"

	"fairway/backend"
	"fairway/internal/inference"
	"fairway/internal/policy"
)

// call is a model call that a pipeline makes.
type call struct {
	entry  string // resolver file
	source backend.DataSource
	model  string // as the resolver names it
	region inference.Region
	action string
}

// calls finds the model calls of all pipelines by running each request function
// on made-up arguments.
func (c *checker) calls() []call {
	sources := map[string]backend.DataSource{}
	for _, ds := range c.backend.DataSources {
		sources[ds.Name] = ds
	}
	var calls []call
	for f, op := range c.functions() {
		ds := sources[f.DataSource]
		region := bedrockRegion(ds.Endpoint)
		if region == "" {
			continue
		}
		model, operation, ok := invoked(c.request(f, op))
		if !ok {
			continue
		}
		calls = append(calls, call{f.Entry, ds, model, region, inference.Operation(operation).Action()})
	}
	return calls
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
	if err != nil {
		return "", "", false
	}
	switch segments[2] {
	case "invoke":
		return model, inference.InvokeModel, true
	case "converse":
		return model, inference.Converse, true
	case "count-tokens":
		return model, inference.CountTokens, true
	}
	return "", "", false
}

// call adds what one model call would meet: an endpoint that refuses it, a model
// that cannot be called there or is retired, a permission that is missing.
func (c *checker) call(call call) {
	c.signing(call)
	profile, err := c.catalog.Lookup(call.model, call.region)
	if err != nil {
		c.add(backend.SeverityError, "unusable-model", c.at(call.entry, call.model),
			call.model+" cannot be called in "+string(call.region)+": "+inference.AsError(err).Message,
			"call a model or profile that the endpoint of "+call.source.Name+" has")
		return
	}
	c.retired(call, profile)
	c.permissions(call, profile)
}

func (c *checker) signing(call call) {
	ds := call.source
	switch {
	case ds.SigningService == "":
		c.add(backend.SeverityError, "unsigned-data-source", ds.At, ds.Name+" calls Bedrock unsigned: Bedrock answers 403 Missing Authentication Token",
			`give it authorizationConfig: { signingRegion: "`+string(call.region)+`", signingServiceName: "bedrock" }`)
	case ds.SigningService != "bedrock":
		c.add(backend.SeverityError, "wrong-signing-service", ds.At, ds.Name+` signs for "`+ds.SigningService+`": Bedrock takes signatures for "bedrock" only`,
			`set signingServiceName: "bedrock"`)
	case inference.Region(ds.SigningRegion) != call.region:
		c.add(backend.SeverityError, "wrong-signing-region", ds.At, ds.Name+" signs for "+ds.SigningRegion+" and calls "+string(call.region)+": Bedrock refuses the signature",
			`set signingRegion: "`+string(call.region)+`"`)
	}
}

// retired warns of a model past its end of life, or near it, and says what to
// call instead from the same source region.
func (c *checker) retired(call call, profile inference.Profile) {
	model, ok := c.catalog.Model(profile.Model)
	if !ok || model.EndOfLife == "" {
		return
	}
	verb := "reaches"
	if model.EndOfLife <= c.now.UTC().Format("2006-01-02") {
		verb = "reached"
	}
	message := model.Name + " " + verb + " its published end of life on Bedrock on " + model.EndOfLife
	fix := ""
	if next, ok := c.catalog.Successor(profile.Model, call.region); ok {
		if !next.Retired.Confirmed {
			message += " (not confirmed by a call)"
		}
		if next.Invoke != "" {
			fix = "call " + next.Invoke + ", its " + next.Basis + " successor, which is reachable from " + string(call.region)
		} else {
			fix = "its " + next.Basis + " successor " + string(next.Model) + " is not reachable from " + string(call.region)
		}
	}
	if verb == "reached" {
		message += ": simulated regions still run it, AWS answers 404"
	}
	c.add(backend.SeverityWarning, "retired-model", c.at(call.entry, call.model), message, fix)
}

// permissions adds what the data source's role lacks for the call, as one
// finding with the statement that would give it.
func (c *checker) permissions(call call, profile inference.Profile) {
	evaluations, err := c.policy.Explain(call.source.Name, call.action, profile, c.now)
	if err != nil {
		return
	}
	var denied []string
	var by string // a statement that denies, which no added statement outweighs
	for _, e := range evaluations {
		if e.Effect != policy.Allowed {
			denied = append(denied, string(e.Resource))
			if by == "" {
				by = e.Statement
			}
		}
	}
	if len(denied) == 0 {
		return
	}
	at := c.statementAt(call.source)
	fix := ""
	if advice, ok := policy.Missing(evaluations...); ok {
		fix = "add to the policy of " + call.source.Name + ":\n" + advice.JSON() + "\nor in backend.ts:\n" + advice.TypeScript()
	} else if by != "" {
		fix = "remove or narrow the Deny at " + by
	}
	_, err = c.policy.Authorize(call.source.Name, call.action, profile, c.now)
	if err != nil {
		c.add(backend.SeverityError, "no-permitted-destination", at,
			call.source.Name+" may not call "+call.model+": "+inference.AsError(err).Message, fix)
		return
	}
	c.add(backend.SeverityError, "missing-destination-permission", at,
		"AWS refuses "+call.model+" from "+string(call.region)+", because "+call.source.Name+" is not allowed "+strings.Join(denied, ", ")+
			"; fairway skips those destinations", fix)
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
