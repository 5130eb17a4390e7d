package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fairway/backend"
)

// operation is a custom operation, a generation or a conversation.
type operation struct {
	root     string // "Query", "Mutation" or "Subscription"
	field    field  // as the builder prints it
	rules    []rule
	handlers []handlerNode
	kind     string // the construct behind it, as Operation.Unsupported names it; empty for JS resolvers
	at       string
}

// eventResponse is the type that an asynchronous function's operation returns.
const eventResponse = "EventInvocationResponse"

// answersEvent reports whether the operation's last handler is asynchronous.
func (n *node) answersEvent() bool {
	return n.Kind == kindOperation && len(n.Handlers) > 0 && n.Handlers[len(n.Handlers)-1].Kind == handlerAsync
}

func (p *processor) addEventResponse() {
	success := member{Name: "success", Node: node{Kind: kindScalar, Type: "Boolean", Required: true}}
	response := node{Kind: kindCustomType, Fields: []member{success}}
	p.queue = slices.DeleteFunc(p.queue, func(m member) bool { return m.Name == eventResponse })
	p.queue = append(p.queue, member{Name: eventResponse, Node: response})
	p.known[eventResponse] = &response
}

// roots are the operation types with the operations as their fields.
func roots(operations []operation) []definition {
	var out []definition
	for _, name := range operationTypes {
		d := definition{keyword: "type", name: name}
		for _, op := range operations {
			if op.root == name {
				d.fields = append(d.fields, op.field)
			}
		}
		if len(d.fields) > 0 {
			out = append(out, d)
		}
	}
	return out
}

func (p *processor) operation(name string, n *node) error {
	rules := p.rulesOf(n)
	if err := p.checkOperation(name, n, rules); err != nil {
		return err
	}
	op := operation{root: n.Operation, rules: rules, handlers: n.Handlers, kind: n.construct(), at: n.At}
	if op.root == "Generation" {
		op.root = "Query"
	}
	auth, err := operationAuth(n, rules)
	if err != nil {
		return err
	}
	returns, err := p.returns(name, n, rules)
	if err != nil {
		return err
	}
	arguments, err := p.arguments(name, n.Arguments)
	if err != nil {
		return err
	}
	handlers, err := p.handlerDirectives(name, n)
	if err != nil {
		return err
	}
	op.field = field{name: name, arguments: arguments, typ: returns, directives: append(handlers, auth...)}
	p.operations = append(p.operations, op)
	return nil
}

// construct names what stands behind the operation when no engine runs it.
func (n *node) construct() string {
	switch {
	case n.Operation == "Generation":
		return "a.generation"
	case n.Operation == "Subscription":
		return "a.subscription"
	case len(n.Handlers) == 0:
		return "a." + strings.ToLower(n.Operation) + " without a handler"
	}
	switch {
	case n.isCustom():
		return ""
	case n.isFunction():
		return "handler.function"
	}
	return "handler." + n.Handlers[0].Kind
}

// isCustom reports whether JS resolvers run the operation.
func (n *node) isCustom() bool { return len(n.Handlers) > 0 && n.Handlers[0].Kind == handlerCustom }

// isFunction reports whether functions run the operation.
func (n *node) isFunction() bool {
	return len(n.Handlers) > 0 && (n.Handlers[0].Kind == handlerFunction || n.Handlers[0].Kind == handlerAsync)
}

func operationAuth(n *node, rules []rule) ([]string, error) {
	if !n.isCustom() {
		if auth := authDirective(rules); auth != "" {
			return []string{auth}, nil
		}
		return nil, nil
	}
	if err := checkCustomHandler(rules); err != nil {
		return nil, err
	}
	directives, err := nativeDirectives(rules)
	if err != nil {
		return nil, err
	}
	return directives, nil
}

// returns is the operation's type; a custom type among it inherits the rules.
func (p *processor) returns(name string, n *node, rules []rule) (string, error) {
	result, referrer := n.Returns, name
	if n.answersEvent() {
		result = &node{Kind: kindRef, Type: eventResponse}
	}
	if result == nil { // a subscription: checkOperation has seen to its sources
		source := &n.Sources[0]
		mutation, err := p.target(source, name)
		if err != nil {
			return "", err
		}
		if mutation.Kind == kindModel {
			return source.typ(source.Type), nil
		}
		if result, referrer = mutation.Returns, source.Type; mutation.answersEvent() {
			result = &node{Kind: kindRef, Type: eventResponse}
		}
	}
	inline := capital(referrer) + "ReturnType"
	switch result.Kind {
	case kindRef:
		target, err := p.target(result, name)
		if err != nil {
			return "", err
		}
		if target.Kind == kindCustomType {
			p.inherit(result.Type, target, rules)
		}
		return result.typ(result.Type), nil
	case kindScalar:
		return withDirectives(result.typ(result.Type), result.directives()), nil
	case kindEnum, kindCustomType:
		if referrer == name {
			p.inline(inline, result)
		}
		if referrer == name && result.Kind == kindCustomType {
			p.inherit(inline, result, rules)
		}
		return inline, nil
	}
	return "", fail(n.At, "Unrecognized return type on %s", name)
}

// inherit gives the custom type and those within it the rules of an operation that returns it.
func (p *processor) inherit(name string, n *node, rules []rule) {
	seen := map[string]bool{}
	var walk func(name string, n *node)
	walk = func(name string, n *node) {
		if seen[name] {
			return
		}
		seen[name] = true
		p.inherited[name] = append(p.inherited[name], rules...)
		for _, f := range n.Fields {
			target := p.known[f.Node.Type]
			switch {
			case f.Node.Kind == kindCustomType:
				walk(capital(name)+capital(f.Name), &f.Node)
			case f.Node.Kind == kindRef && target != nil && target.Kind == kindCustomType:
				walk(f.Node.Type, target)
			}
		}
	}
	walk(name, n)
}

// handlerDirectives are those of functions, of a subscription's sources and of a generation.
func (p *processor) handlerDirectives(name string, n *node) ([]string, error) {
	var out []string
	if n.isFunction() {
		for i, h := range n.Handlers {
			directive, err := h.directive(name, i)
			if err != nil {
				return nil, err
			}
			out = append(out, directive)
		}
	}
	if n.Operation == "Subscription" {
		var mutations []string
		for _, source := range n.Sources {
			if len(source.Mutations) == 0 {
				mutations = append(mutations, source.Type)
			}
			for _, m := range source.Mutations {
				mutations = append(mutations, m+capital(source.Type))
			}
		}
		out = append(out, "@aws_subscribe(mutations: "+quoteList(mutations)+")")
	}
	if n.Operation == "Generation" {
		out = append(out, "@generation("+strings.Join(n.Route.parts(), ", ")+")")
	}
	return out, nil
}

// directive is @function; a function made by defineFunction is named after its operation.
func (h handlerNode) directive(operation string, i int) (string, error) {
	if h.Function != "" {
		return "@function(name: " + quote(h.Function) + ")", nil
	}
	if !h.Provider {
		return "", fail(h.At, "Invalid value specified for %s handler.function(). Expected: defineFunction or string.", operation)
	}
	name := "Fn" + capital(operation)
	if i > 0 {
		name += fmt.Sprint(i + 1)
	}
	if h.Kind == handlerAsync {
		return "@function(name: " + quote(name) + ", invocationType: Event)", nil
	}
	return "@function(name: " + quote(name) + ")", nil
}

var newline = regexp.MustCompile(`\r?\n`)

// parts are the arguments of @generation.
func (r *routeNode) parts() []string {
	parts := []string{
		"aiModel: " + quote(r.Model),
		"systemPrompt: " + quote(newline.ReplaceAllString(r.SystemPrompt, `\n`)),
	}
	var settings []string
	for _, s := range r.Settings {
		settings = append(settings, s.Name+": "+s.Value)
	}
	if len(settings) > 0 {
		parts = append(parts, "inferenceConfiguration: { "+strings.Join(settings, ", ")+" }")
	}
	return parts
}

// exported is the operation as the backend lists it, with its handlers' positions.
func (op operation) exported() (backend.Operation, []string) {
	out := backend.Operation{Type: op.root, Field: op.field.name, Unsupported: op.kind, At: op.at}
	var at []string
	for _, h := range op.handlers {
		if h.Kind == handlerCustom {
			out.Pipeline = append(out.Pipeline, backend.Function{DataSource: h.dataSource(), Entry: h.Entry})
			at = append(at, h.At)
		}
	}
	return out, at
}

func (h handlerNode) dataSource() string {
	switch {
	case h.DataSource.Type != "":
		return h.DataSource.Type + "Table"
	case h.DataSource.Name != "":
		return h.DataSource.Name
	}
	return backend.NoneDataSource
}

// jsonString is s as JSON.stringify writes it.
func jsonString(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return quote(s)
	}
	return strings.TrimSpace(b.String())
}
