package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// operationTypes in the order in which the builder prints them.
var operationTypes = []string{"Mutation", "Query", "Subscription"}

// processor turns one schema's types into definitions. Types made on the way, for
// inline enums and custom types, join the end of the queue; custom types wait
// until the operations have said who may read them.
type processor struct {
	known     map[string]*node
	rules     []rule            // of the schema, for types without their own
	inherited map[string][]rule // custom type -> rules of the operations that return it

	queue         []member
	types         []definition
	inputs        []definition
	operations    []operation
	models        []*model
	conversations []string
}

// run processes the types in the order in which the builder prints them.
func (p *processor) run(types []member) error {
	p.queue = slices.Clone(types)
	if slices.ContainsFunc(types, func(m member) bool { return m.Node.answersEvent() }) {
		p.addEventResponse()
	}
	slices.SortStableFunc(p.queue, func(a, b member) int {
		return waits(a) - waits(b)
	})
	for i := 0; i < len(p.queue); i++ {
		if err := p.process(p.queue[i].Name, &p.queue[i].Node); err != nil {
			return positioned(err, p.queue[i].Node.At)
		}
	}
	p.types = append(p.types, p.inputs...)
	return nil
}

// waits orders types: custom types after all others.
func waits(m member) int {
	if m.Node.Kind == kindCustomType {
		return 1
	}
	return 0
}

// positioned gives an error without a position that of the type it arose in.
func positioned(err error, at string) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.At != "" {
		return err
	}
	return &Error{Message: e.Message, At: at}
}

func fail(at, format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...), At: at}
}

func (p *processor) process(name string, n *node) error {
	switch n.Kind {
	case kindEnum:
		return p.enum(name, n)
	case kindCustomType:
		return p.customType(name, n)
	case kindModel:
		return p.model(name, n)
	case kindOperation:
		return p.operation(name, n)
	case kindConversation:
		return p.conversation(name, n)
	}
	return fail(n.At, "%s is no type, model or operation: a schema's members are made with a.model, a.customType, a.enum, a.query and their like", name)
}

// rulesOf is the node's own rules, else the schema's.
func (p *processor) rulesOf(n *node) []rule {
	if len(n.Rules) > 0 {
		return n.Rules
	}
	return p.rules
}

func (p *processor) enum(name string, n *node) error {
	d := definition{keyword: "enum", name: name}
	for _, v := range n.Values {
		if strings.ContainsFunc(v, isSpace) {
			return fail(n.At, "Values of the enum type %s should not contain any whitespace.", name)
		}
		d.fields = append(d.fields, field{name: v})
	}
	p.types = append(p.types, d)
	return nil
}

func isSpace(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r\u00a0\u2028\u2029\ufeff", r) }

func (p *processor) customType(name string, n *node) error {
	if err := p.checkRefs(name, n.Fields, "custom type"); err != nil {
		return err
	}
	directives, invalid := nativeDirectives(p.inherited[name])
	if invalid != nil {
		return invalid
	}
	fields, err := p.fields(name, n.Fields)
	if err != nil {
		return err
	}
	p.types = append(p.types, definition{keyword: "type", name: name, directives: directives, fields: fields})
	return nil
}

// checkRefs refuses refs to what is not there and to models, which only relations reach.
func (p *processor) checkRefs(name string, fields []member, kind string) error {
	for _, f := range fields {
		if f.Node.Kind != kindRef {
			continue
		}
		target, err := p.target(&f.Node, name)
		if err != nil {
			return err
		}
		if target.Kind == kindModel {
			return fail(f.Node.At, "Cannot use `.ref()` to refer a model from a `%s`. Field `%s` of `%s` refers to model `%s`", kind, f.Name, name, f.Node.Type)
		}
	}
	return nil
}

// target is the type that a ref in referrer names.
func (p *processor) target(ref *node, referrer string) (*node, error) {
	if found, ok := p.known[ref.Type]; ok {
		return found, nil
	}
	return nil, fail(ref.At, "Invalid ref. %s is referring to %s which is not defined in the schema", referrer, ref.Type)
}

// fields prints the fields of a model or custom type and queues their inline types.
func (p *processor) fields(owner string, members []member) ([]field, error) {
	var out []field
	for _, m := range members {
		n, f := &m.Node, field{name: m.Name}
		if n.Generated {
			return nil, fail(n.At, "Invalid field definition for %s. DB-generated fields are only supported with PostgreSQL data sources.", m.Name)
		}
		switch n.Kind {
		case kindEnum, kindCustomType:
			f.typ = p.inline(capital(owner)+capital(m.Name), n)
		case kindScalar, kindRef, kindRelation:
			f.typ = n.typ(n.Type)
			f.directives = n.directives()
		default:
			return nil, fail(n.At, "Unexpected field definition: %s of %s", m.Name, owner)
		}
		out = append(out, f)
	}
	return out, nil
}

// inline queues an inline type under the name.
func (p *processor) inline(name string, n *node) string {
	p.queue = append(p.queue, member{Name: name, Node: *n})
	return name
}

// directives are a field's, without the keys of its model and its rules.
func (n *node) directives() []string {
	var out []string
	if n.Kind == kindRelation {
		references := ""
		if len(n.References) > 0 {
			references = "(references: [" + strings.Join(quoted(n.References), ",") + "])"
		}
		out = append(out, "@"+n.Relation+references)
	}
	if n.Default != nil {
		out = append(out, "@default(value: "+quote(*n.Default)+")")
	}
	for _, c := range n.Checks {
		message := ""
		if c.Message != "" {
			message = ", errorMessage: " + jsonString(c.Message)
		}
		out = append(out, "@validate(type: "+c.Type+", value: "+quote(c.Value)+message+")")
	}
	return out
}
