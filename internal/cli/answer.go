package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"fairway/internal/catalog"
	"fairway/internal/config"
	"fairway/internal/inference"
)

// answer is what ask prints; its JSON is a contract of the command line.
type answer struct {
	model config.Model // what answers

	Text      string             `json:"text"`
	Data      json.RawMessage    `json:"data"`
	Errors    json.RawMessage    `json:"errors,omitempty"`
	Route     *route             `json:"route"`            // the last model call, null when there was none
	Routes    []route            `json:"routes,omitempty"` // all of them, when several
	Usage     inference.Usage    `json:"usage"`
	Cost      inference.Money    `json:"cost_usd"`
	AWS       *inference.Verdict `json:"aws,omitempty"`
	Simulated bool               `json:"simulated"`
}

// route is the way one model call took.
type route struct {
	Profile     *string             `json:"profile"` // null for a bare model
	Model       inference.ModelID   `json:"model"`
	Source      inference.Region    `json:"source_region"`
	Destination *inference.Region   `json:"destination_region"`    // null when no region answered, or it is not known which did
	Unknown     string              `json:"destination,omitempty"` // "unknown (one of 8)" when it is not known
	Attempts    []inference.Attempt `json:"attempts"`
	Error       *inference.Failure  `json:"error,omitempty"` // what the model call was answered when it failed
}

// graphQLAnswer is a GraphQL response with Fairway's trace.
type graphQLAnswer struct {
	Data       json.RawMessage `json:"data"`
	Errors     json.RawMessage `json:"errors"`
	Extensions struct {
		Fairway struct {
			Calls []inference.Record `json:"calls"`
		} `json:"fairway"`
	} `json:"extensions"`
}

// newAnswer reads a GraphQL response body.
func newAnswer(body []byte) (*answer, error) {
	var g graphQLAnswer
	if err := json.Unmarshal(body, &g); err != nil {
		return nil, fmt.Errorf("read answer: not a GraphQL response: %w", err)
	}
	a := &answer{Text: firstText(g.Data), Data: g.Data, Errors: g.Errors}
	for _, call := range g.Extensions.Fairway.Calls {
		a.Routes = append(a.Routes, newRoute(call))
		a.Usage.InputTokens += call.Usage.InputTokens
		a.Usage.OutputTokens += call.Usage.OutputTokens
		a.Cost += call.Cost
		a.AWS = call.AWS
		a.Simulated = a.Simulated || call.Simulated
	}
	if n := len(a.Routes); n > 0 {
		a.Route = &a.Routes[n-1]
		if n == 1 {
			a.Routes = nil
		}
	}
	return a, nil
}

func newRoute(r inference.Record) route {
	out := route{Profile: r.Profile, Model: r.Model, Source: r.SourceRegion, Unknown: r.Destination, Attempts: r.Attempts, Error: r.Error}
	if r.DestinationRegion != "" {
		out.Destination = &r.DestinationRegion
	}
	return out
}

// err is nil when the question was answered: without GraphQL errors, and with no
// model call whose error a resolver swallowed.
func (a *answer) err() error {
	if len(a.Errors) > 0 && string(a.Errors) != "null" {
		return errors.New("ask: the answer has errors: " + graphQLMessages(a.Errors))
	}
	if a.Route != nil && a.Route.Error != nil {
		e := a.Route.Error
		return fmt.Errorf("ask: the resolver swallowed the answer HTTP %d %s: %q; its response function should read ctx.result.statusCode", e.Status, e.Type, e.Message)
	}
	return nil
}

func graphQLMessages(raw json.RawMessage) string {
	var list []struct {
		Type    string `json:"errorType"`
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return string(raw)
	}
	var messages []string
	for _, e := range list {
		if e.Type != "" {
			e.Message = e.Type + ": " + e.Message
		}
		messages = append(messages, e.Message)
	}
	return strings.Join(messages, "; ")
}

// firstText is the first non-empty string of a JSON value in depth-first order.
func firstText(raw json.RawMessage) string {
	return firstString(json.NewDecoder(bytes.NewReader(raw)))
}

// firstString reads one value; once it has found a string it stops reading.
func firstString(dec *json.Decoder) string {
	token, err := dec.Token()
	if err != nil {
		return ""
	}
	switch t := token.(type) {
	case string:
		return t
	case json.Delim:
		for dec.More() {
			if t == '{' {
				if _, err := dec.Token(); err != nil { // the key
					return ""
				}
			}
			if text := firstString(dec); text != "" {
				return text
			}
		}
		_, _ = dec.Token() // the closing delimiter
	}
	return ""
}

// warn tells what a reader must not miss: that the model is retired, that AWS
// would have refused the call, and that no model ran, or which server's did.
func (a *answer) warn(w io.Writer, now time.Time) {
	if a.Route != nil {
		a.Route.warnRetired(w, now)
	}
	if a.AWS != nil && !a.AWS.Allowed {
		fmt.Fprintf(w, "note: AWS would refuse this call: %s is not allowed; fairway check prints the statement to add\n", a.AWS.Resource)
	}
	switch {
	case !a.Simulated:
	case a.model == "": // another process's affair
		fmt.Fprintln(w, "note: simulated regions answered: latency, quotas and faults are modelled")
	case a.model == config.Simulated:
		fmt.Fprintln(w, "note: simulated regions answered: latency, quotas and faults are modelled, no model ran")
	default:
		fmt.Fprintf(w, "note: simulated regions answered with the text of %s: latency, quotas and faults are modelled\n", a.model)
	}
}

// printJSON writes a as one indented object.
func (a *answer) printJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(a)
}

// print writes the answer for a person.
func (a *answer) print(w io.Writer) {
	if a.Text != "" {
		fmt.Fprintf(w, "%s\n\n", strings.TrimRight(a.Text, "\n"))
	} else if len(a.Data) > 0 {
		fmt.Fprintf(w, "%s\n\n", a.Data)
	}
	a.printRoutes(w)
}

// printRoutes writes where the answer came from and what it took.
func (a *answer) printRoutes(w io.Writer) {
	routes := a.Routes
	if len(routes) == 0 && a.Route != nil {
		routes = []route{*a.Route}
	}
	for _, r := range routes {
		r.print(w)
	}
	if len(routes) > 0 {
		fmt.Fprintf(w, "tokens  %d in, %d out\n", a.Usage.InputTokens, a.Usage.OutputTokens)
		fmt.Fprintf(w, "cost    $%s\n", a.Cost)
	}
}

// warnRetired says when the model reached its end of life, and what to call instead.
func (r route) warnRetired(w io.Writer, now time.Time) {
	models := catalog.New(catalog.Options{})
	model, ok := models.Model(r.Model)
	if !ok || model.EndOfLife == "" || model.EndOfLife > now.UTC().Format(time.DateOnly) {
		return
	}
	fmt.Fprintf(w, "note: %s reached its published end of life on %s", model.Name, model.EndOfLife)
	if next, ok := models.Successor(r.Model, r.Source); ok && next.Invoke != "" {
		fmt.Fprintf(w, "; its %s successor from %s is %s", next.Basis, r.Source, next.Invoke)
	}
	fmt.Fprintln(w)
}

func (r route) print(w io.Writer) {
	named := string(r.Model)
	if r.Profile != nil {
		named = *r.Profile
	}
	fmt.Fprintf(w, "route   %s from %s\n", named, r.Source)
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, t := range r.Attempts {
		status := string(t.Kind)
		switch {
		case t.Outcome == inference.OK:
			status = fmt.Sprint(t.Status)
		case t.Status == 0:
			status += " (no answer)"
		}
		fmt.Fprintf(rows, "        %d  %s\t%s\t%s\t%d ms\n", i+1, t.Region, t.Outcome, status, t.MS)
	}
	_ = rows.Flush()
	if r.Unknown != "" {
		fmt.Fprintf(w, "        destination %s: AWS does not tell where a profile ran\n", r.Unknown)
	}
	if len(r.Attempts) == 0 && r.Error != nil {
		fmt.Fprintf(w, "        no attempt: %s\n", r.Error.Message)
	}
}
