package schema

import (
	"slices"
	"strings"
)

// types are the model's definitions in Amplify's order, in three groups: those
// before its queries, before its mutations and before its subscriptions.
func (s surface) types() [3][]definition {
	var out [3][]definition
	connection := definition{keyword: "type", name: s.connection(), directives: s.admits("")}
	connection.fields = []field{{name: "items", typ: "[" + s.m.name + "]!"}, {name: "nextToken", typ: "String"}}
	out[0] = slices.Concat([]definition{connection}, s.enumInputs(), s.keyConditions(), []definition{s.filterInput()})

	for _, op := range []string{"create", "update", "delete"} {
		if !s.m.has(op) {
			continue
		}
		if out[1] == nil {
			out[1] = append(out[1], s.conditionInput())
		}
		out[1] = append(out[1], s.input(op))
	}
	if s.m.has("onCreate") || s.m.has("onUpdate") || s.m.has("onDelete") {
		out[2] = append(out[2], s.subscriptionInput())
	}
	return out
}

// filterOf is the input type that filters values of a scalar.
func filterOf(scalar string) string {
	switch scalar {
	case "ID", "Int", "Float", "Boolean":
		return scalar
	case "AWSTimestamp":
		return "Int"
	}
	return "String"
}

func keyCondition(scalar string) string { return "Model" + filterOf(scalar) + "KeyConditionInput" }

// filters are the fields one may filter by, without those skip names.
func (s surface) filters(prefix string, skip ...string) []field {
	var out []field
	for _, f := range s.m.fields {
		typ := prefix + filterOf(named(f.typ)) + "Input"
		switch {
		case slices.Contains(skip, f.name) || f.kind == kindRelation || f.kind == kindCustomType:
			continue
		case f.kind == kindEnum && prefix != "Model":
			typ = prefix + "StringInput"
		case f.kind == kindEnum:
			typ = s.enumInput(f)
		}
		out = append(out, field{name: f.name, typ: typ})
	}
	return out
}

func (s surface) enumInput(f modelField) string {
	if f.node.Array {
		return "Model" + named(f.typ) + "ListInput"
	}
	return "Model" + named(f.typ) + "Input"
}

// enumInputs are the filters of the model's enums.
func (s surface) enumInputs() []definition {
	var out []definition
	for _, f := range s.m.fields {
		if f.kind != kindEnum {
			continue
		}
		enum := named(f.typ)
		d := definition{keyword: "input", name: s.enumInput(f), fields: []field{{name: "eq", typ: enum}, {name: "ne", typ: enum}}}
		if f.node.Array {
			d.fields = []field{
				{name: "eq", typ: "[" + enum + "]"}, {name: "ne", typ: "[" + enum + "]"},
				{name: "contains", typ: enum}, {name: "notContains", typ: enum},
			}
		}
		out = append(out, d)
	}
	return out
}

// keyConditions are the conditions that the model's queries put on sort keys.
func (s surface) keyConditions() []definition {
	var out []definition
	add := func(keys []string, index string) {
		switch sort := keys[1:]; len(sort) {
		case 0:
		case 1:
			out = append(out, scalarCondition(s.keyType(sort[0])))
		default:
			out = append(out, s.compositeCondition(sort, index)...)
		}
	}
	if len(s.m.identifier) > 0 {
		add(s.m.identifier, "Primary")
	}
	for _, ix := range s.m.indexes {
		add(append([]string{ix.PartitionKey}, ix.SortKeys...), capital(ix.Name))
	}
	return out
}

func scalarCondition(scalar string) definition {
	typ := filterOf(scalar)
	d := definition{keyword: "input", name: keyCondition(scalar), fields: comparisons(typ)}
	if typ == "String" || typ == "ID" {
		d.fields = append(d.fields, field{name: "beginsWith", typ: typ})
	}
	return d
}

func comparisons(typ string) []field {
	var out []field
	for _, op := range []string{"eq", "le", "lt", "ge", "gt"} {
		out = append(out, field{name: op, typ: typ})
	}
	return append(out, field{name: "between", typ: "[" + typ + "]"})
}

func (s surface) compositeCondition(sort []string, index string) []definition {
	key := s.name("Model", index+"CompositeKeyInput")
	parts := definition{keyword: "input", name: key}
	for _, name := range sort {
		parts.fields = append(parts.fields, field{name: name, typ: s.keyType(name)})
	}
	condition := definition{keyword: "input", name: s.name("Model", index+"CompositeKeyConditionInput"), fields: comparisons(key)}
	condition.fields = append(condition.fields, field{name: "beginsWith", typ: key})
	return []definition{condition, parts}
}

func (s surface) filterInput() definition {
	d := definition{keyword: "input", name: s.filter(), fields: s.filters("Model")}
	if s.implicitID() {
		d.fields = append(d.fields, field{name: "id", typ: "ModelIDInput"})
	}
	d.fields = append(d.fields, s.timestamps("ModelStringInput")...)
	d.fields = append(d.fields, logic(d.name)...)
	d.fields = append(d.fields, s.impliedFilters()...)
	return d
}

func (s surface) conditionInput() definition {
	d := definition{keyword: "input", name: s.condition(), fields: s.filters("Model", s.m.identifier...)}
	d.fields = append(d.fields, logic(d.name)...)
	d.fields = append(d.fields, s.timestamps("ModelStringInput")...)
	d.fields = append(d.fields, s.impliedFilters()...)
	return d
}

func (s surface) subscriptionInput() definition {
	d := definition{keyword: "input", name: s.name("ModelSubscription", "FilterInput"), fields: s.filters("ModelSubscription")}
	if s.implicitID() {
		d.fields = append(d.fields, field{name: "id", typ: "ModelSubscriptionIDInput"})
	}
	d.fields = append(d.fields, s.timestamps("ModelSubscriptionStringInput")...)
	d.fields = append(d.fields, logic(d.name)[:2]...)
	d.fields = append(d.fields, s.impliedFilters()...)
	return d
}

// logic are the fields that combine filters.
func logic(name string) []field {
	return []field{{name: "and", typ: "[" + name + "]"}, {name: "or", typ: "[" + name + "]"}, {name: "not", typ: name}}
}

func (s surface) impliedFilters() []field {
	var out []field
	for _, f := range s.m.implied {
		out = append(out, field{name: f.name, typ: "ModelStringInput"})
	}
	return out
}

// input is the input of a mutation: an id that may be left out on create, and only
// the identifier required on update and delete.
func (s surface) input(op string) definition {
	d := definition{keyword: "input", name: s.name(capital(op), "Input")}
	for _, f := range s.m.fields {
		key := slices.Contains(s.m.identifier, f.name)
		if f.kind == kindRelation || op == "delete" && !key {
			continue
		}
		typ := f.typ
		if f.kind == kindCustomType {
			typ = strings.Replace(typ, named(typ), named(typ)+"Input", 1)
		}
		switch {
		case key && op == "create" && !s.ownIdentifier():
			typ = named(typ)
		case key:
			typ = named(typ) + "!"
		case op == "update":
			typ = strings.TrimSuffix(typ, "!")
		}
		d.fields = append(d.fields, field{name: f.name, typ: typ})
	}
	if s.implicitID() && op == "create" {
		d.fields = append(d.fields, field{name: "id", typ: "ID"})
	} else if s.implicitID() {
		d.fields = append(d.fields, field{name: "id", typ: "ID!"})
	}
	return d
}
