package schema

import (
	"slices"
	"strings"
)

// model is an a.model with what its compiled surface needs.
type model struct {
	name       string
	at         string
	fields     []modelField
	identifier []string
	indexes    []indexNode
	disabled   []string // as disableOperations has it
	rules      []rule
	implied    []field // the owner and group fields that rules bring
}

// modelField is a field as the builder prints it, with the node it comes from.
type modelField struct {
	field
	node *node
	kind string // of what its type names: kindScalar, kindEnum, kindCustomType or kindRelation
}

func (p *processor) model(name string, n *node) error {
	if err := p.checkRefs(name, n.Fields, "model"); err != nil {
		return err
	}
	keys, err := p.keys(name, n)
	if err != nil {
		return err
	}
	rules := p.rulesOf(n)
	auth := authDirective(rules)
	if auth == "" {
		return fail(n.At, "Model `%s` is missing authorization rules. Add global rules to the schema or ensure every model has its own rules.", name)
	}
	if err := p.checkRelations(name, n); err != nil {
		return err
	}
	implied, err := impliedFields(n, rules)
	if err != nil {
		return err
	}
	if err := checkIdentifier(n); err != nil {
		return err
	}
	fields, err := p.fields(name, n.Fields)
	if err != nil {
		return err
	}
	if len(n.Identifier) == 0 {
		return fail(n.At, "model %s has an empty identifier: name at least one field", name)
	}
	m := &model{name: name, at: n.At, identifier: n.Identifier, indexes: n.Indexes, disabled: n.Disabled, rules: rules, implied: implied}
	for i, f := range fields {
		fields[i] = keyed(f, &n.Fields[i].Node, n.Identifier, keys[f.name])
		m.fields = append(m.fields, p.modelField(fields[i], &n.Fields[i].Node))
	}
	directive := "@model"
	if off := disabledArguments(n.Disabled); off != "" {
		directive += "(" + off + ")"
	}
	p.types = append(p.types, definition{keyword: "type", name: name, directives: []string{directive, auth}, fields: fields})
	p.models = append(p.models, m)
	return nil
}

func (p *processor) modelField(f field, n *node) modelField {
	kind := n.Kind
	if target := p.known[n.Type]; kind == kindRef && target != nil {
		kind = target.Kind
	}
	return modelField{field: f, node: n, kind: kind}
}

// keyed adds the directives that make the field a key, and its own rules. The
// partition key is printed as a required value without its other directives.
func keyed(f field, n *node, identifier, indexes []string) field {
	inline := n.Kind == kindEnum || n.Kind == kindCustomType
	if len(identifier) > 0 && f.name == identifier[0] && !inline {
		primary := "@primaryKey"
		if sort := identifier[1:]; len(sort) > 0 {
			primary += "(sortKeyFields: " + quoteList(sort) + ")"
		}
		f.typ, f.directives = n.Type+"!", []string{primary}
	}
	checks := slices.IndexFunc(f.directives, func(d string) bool { return strings.HasPrefix(d, "@validate") })
	if checks < 0 {
		checks = len(f.directives)
	}
	f.directives = slices.Insert(slices.Clone(f.directives), checks, indexes...)
	if auth := authDirective(n.Rules); auth != "" && !inline {
		f.directives = append(f.directives, auth)
	}
	return f
}

// keys are the @index directives by partition key.
func (p *processor) keys(name string, n *node) (map[string][]string, error) {
	out := map[string][]string{}
	for _, ix := range n.Indexes {
		for _, key := range append([]string{ix.PartitionKey}, ix.SortKeys...) {
			if err := p.checkKey(name, key, n); err != nil {
				return nil, err
			}
		}
		out[ix.PartitionKey] = append(out[ix.PartitionKey], "@index("+strings.Join(ix.parts(name), ", ")+")")
	}
	return out, nil
}

func (p *processor) checkKey(name, key string, n *node) error {
	for _, f := range n.Fields {
		if f.Name != key || f.Node.Kind != kindRef {
			continue
		}
		target, err := p.target(&f.Node, name)
		if err != nil {
			return err
		}
		if target.Kind != kindEnum {
			return fail(f.Node.At, "The ref field `%s` used in the secondary index of `%s` should refer to an enum type. `%s` is not a enum type.", key, name, f.Node.Type)
		}
	}
	return nil
}

// parts are the arguments of @index.
func (ix indexNode) parts(model string) []string {
	var parts []string
	if ix.Name != "" {
		parts = append(parts, "name: "+quote(ix.Name))
	}
	if len(ix.SortKeys) > 0 {
		parts = append(parts, "sortKeyFields: "+quoteList(ix.SortKeys))
	}
	if ix.NoQuery {
		parts = append(parts, "queryField: null")
	} else {
		parts = append(parts, "queryField: "+quote(ix.query(model)))
	}
	switch {
	case ix.Projection == "KEYS_ONLY":
		parts = append(parts, "projection: { type: KEYS_ONLY }")
	case ix.Projection == "INCLUDE" && len(ix.Attributes) > 0:
		parts = append(parts, "projection: { type: INCLUDE, nonKeyAttributes: "+quoteList(ix.Attributes)+" }")
	}
	return parts
}

// query is the name of the index's query, "list<Model>By<Key>And<SortKey>" unless it is given.
func (ix indexNode) query(model string) string {
	if ix.QueryField != "" {
		return ix.QueryField
	}
	name := "list" + capital(model) + "By" + capital(ix.PartitionKey)
	for _, key := range ix.SortKeys {
		name += "And" + capital(key)
	}
	return name
}

func checkIdentifier(n *node) error {
	for _, f := range n.Fields {
		if slices.Contains(n.Identifier, f.Name) && !f.Node.Required && f.Node.Type != "ID" {
			return fail(n.At, "Invalid identifier definition. Field %s cannot be used in the identifier. Identifiers must reference required or DB-generated fields)", f.Name)
		}
	}
	return nil
}

// impliedFields are the fields that rules name and the model does not have. One
// that it has must be a string, or a list of strings for several owners or groups.
func impliedFields(n *node, rules []rule) ([]field, error) {
	all := slices.Clone(rules)
	for _, f := range n.Fields {
		all = append(all, f.Node.Rules...)
	}
	var out []field
	for _, r := range all {
		if r.Field == "" {
			continue
		}
		implied := field{name: r.Field, typ: "String"}
		if r.Multi {
			implied.typ = "[String]"
		}
		i := slices.IndexFunc(n.Fields, func(m member) bool { return m.Name == r.Field })
		if i >= 0 {
			if have := n.Fields[i].Node; have.Array != r.Multi || !storedAsString(have) {
				return nil, fail(n.At, "Implicit field %s conflicts with the explicit field definition.", r.Field)
			}
			continue
		}
		j := slices.IndexFunc(out, func(f field) bool { return f.name == r.Field })
		switch {
		case j < 0:
			out = append(out, implied)
		case out[j].typ != implied.typ:
			return nil, fail(n.At, "Field %s defined twice with conflicting definitions.", r.Field)
		}
	}
	return out, nil
}

func storedAsString(n node) bool {
	switch n.Type {
	case "ID", "String", "AWSDate", "AWSTime", "AWSDateTime", "AWSEmail", "AWSPhone", "AWSURL", "AWSIPAddress":
		return n.Kind == kindScalar
	}
	return false
}

// operationGroup is the argument of @model that each operation belongs to.
var operationGroup = map[string]string{
	"get": "queries", "list": "queries",
	"create": "mutations", "update": "mutations", "delete": "mutations",
	"onCreate": "subscriptions", "onUpdate": "subscriptions", "onDelete": "subscriptions",
}

// has reports whether the model has the operation ("get", "create", "onUpdate", ...).
func (m *model) has(operation string) bool {
	return !slices.Contains(m.disabled, operation) && !slices.Contains(m.disabled, operationGroup[operation])
}

// disabledArguments prints the arguments of @model: whole groups first.
func disabledArguments(disabled []string) string {
	var arguments []string
	single := map[string][]string{}
	for _, op := range disabled {
		if operationGroup[op] == "" {
			arguments = appendNew(arguments, op)
		}
	}
	for _, op := range disabled {
		if group := operationGroup[op]; group != "" && !slices.Contains(disabled, group) {
			arguments = appendNew(arguments, group)
			single[group] = appendNew(single[group], op+":null")
		}
	}
	for i, argument := range arguments {
		if list := single[argument]; list != nil {
			arguments[i] += ":{" + strings.Join(list, ",") + "}"
		} else {
			arguments[i] += ":null"
		}
	}
	return strings.Join(arguments, ",")
}
