package schema

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// object is a JSON object that keeps the order of its members: the typed client
// selects and sends fields in the order in which it finds them.
type object []property

type property struct {
	name  string
	value any
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (o object) set(name string, value any) object { return append(o, property{name, value}) }

// Introspection is data.model_introspection of amplify_outputs.json. Its members
// marshal in the order in which the schema declares them.
func (b *Built) Introspection() map[string]any {
	x := &introspector{b: b, kinds: map[string]string{}}
	types := b.types
	if len(b.conversations) > 0 {
		types = slices.Concat(types, parseDefinitions(conversationTypes))
	}
	for _, t := range types {
		x.kinds[t.name] = map[string]string{"enum": "enum", "input": "input", "type": "nonModel", "interface": "interface"}[t.keyword]
	}
	for _, m := range b.models {
		x.kinds[m.name] = "model"
	}
	models, enums, nonModels, inputs := object{}, object{}, object{}, object{}
	for _, m := range b.models {
		models = models.set(m.name, x.model(m))
	}
	for _, t := range types {
		switch x.kinds[t.name] {
		case "enum":
			enums = enums.set(t.name, enumeration(t))
		case "nonModel":
			nonModels = nonModels.set(t.name, object{}.set("name", t.name).set("fields", x.members(t.fields, true)))
		case "input":
			inputs = inputs.set(t.name, object{}.set("name", t.name).set("attributes", x.members(t.fields, false)))
		}
	}
	out := map[string]any{"version": 1, "models": models, "enums": enums, "nonModels": nonModels}
	x.operations(out)
	if len(inputs) > 0 {
		out["inputs"] = inputs
	}
	return out
}

// introspector describes types and fields; kinds is the kind of each named type.
type introspector struct {
	b     *Built
	kinds map[string]string
}

// operations adds the sections of custom operations, each only where it has members.
func (x *introspector) operations(out map[string]any) {
	sections := map[string]object{}
	sorted := slices.Clone(x.b.operations) // those that Amplify compiles come last, as in the deployed schema
	slices.SortStableFunc(sorted, func(a, b operation) int { return after(a) - after(b) })
	for _, op := range sorted {
		switch {
		case op.kind == "a.conversation":
			sections["conversations"] = sections["conversations"].set(op.field.name, introspectConversation(op.field.name))
			continue
		case op.kind == "a.generation":
			sections["generations"] = sections["generations"].set(op.field.name, x.operation(op))
			continue
		}
		section := map[string]string{"Query": "queries", "Mutation": "mutations", "Subscription": "subscriptions"}[op.root]
		sections[section] = sections[section].set(op.field.name, x.operation(op))
	}
	for name, section := range sections {
		out[name] = section
	}
}

// after orders operations: those with AppSync's own directives first.
func after(op operation) int {
	if op.isNative() {
		return 0
	}
	return 1
}

func (x *introspector) operation(op operation) object {
	f := op.compiled(0)
	o := x.describe(f)
	if len(f.arguments) > 0 {
		o = o.set("arguments", x.members(f.arguments, false))
	}
	return o
}

func enumeration(t definition) object {
	values := make([]string, len(t.fields))
	for i, f := range t.fields {
		values[i] = f.name
	}
	return object{}.set("name", t.name).set("values", values)
}

// members describes fields by name, with the attributes that fields of types have.
func (x *introspector) members(fields []field, attributes bool) object {
	o := object{}
	for _, f := range fields {
		if attributes {
			o = o.set(f.name, x.typeField(f))
		} else {
			o = o.set(f.name, x.describe(f))
		}
	}
	return o
}

// describe is a field's name and type: isRequired is of the values, isArrayNullable of the list.
func (x *introspector) describe(f field) object {
	o, list := x.scalarPart(f)
	return append(o, list...)
}

// typeField is a field of a type: its attributes stand before what is said of the list.
func (x *introspector) typeField(f field) object {
	o, list := x.scalarPart(f)
	return append(o.set("attributes", []any{}), list...)
}

func (x *introspector) scalarPart(f field) (o, list object) {
	array := f.typ != "" && f.typ[0] == '['
	value := f.typ
	if array {
		required := value[len(value)-1] == '!'
		value = trimList(value)
		list = list.set("isArrayNullable", !required)
	}
	o = object{}.
		set("name", f.name).
		set("isArray", array).
		set("type", x.typ(named(f.typ))).
		set("isRequired", value != "" && value[len(value)-1] == '!')
	return o, list
}

// trimList is the type of a list's values.
func trimList(typ string) string {
	return typ[1:max(strings.LastIndexByte(typ, ']'), 1)]
}

// typ is a scalar's name, else an object with the kind of the type as its key.
func (x *introspector) typ(name string) any {
	if kind := x.kinds[name]; kind != "" {
		return object{}.set(kind, name)
	}
	return name
}
