package schema

import (
	"slices"
	"strings"
)

// surface is what a model compiles to. Its form is that of the deployed schemas in
// testdata; what none of them has (identifiers other than id, secondary indexes,
// lists of enums) follows the Amplify documentation's examples.
type surface struct {
	base providers // admitted everywhere
	m    *model
}

// roots are the model's operations, as fields of Query, Mutation and Subscription;
// base is admitted beside what the rules admit.
func (m *model) roots(base providers) []definition {
	s := surface{base: base, m: m}
	return []definition{
		{keyword: "type", name: "Query", fields: s.queries()},
		{keyword: "type", name: "Mutation", fields: s.mutations()},
		{keyword: "type", name: "Subscription", fields: s.subscriptions()},
	}
}

// admits are the directives of an operation of the model, of the model itself for "".
func (s surface) admits(operation string) []string {
	return (s.base | admitted(s.m.rules, operation)).directives()
}

func (s surface) name(before, after string) string { return before + capital(s.m.name) + after }

func (s surface) connection() string { return s.name("Model", "Connection") }
func (s surface) filter() string     { return s.name("Model", "FilterInput") }
func (s surface) condition() string  { return s.name("Model", "ConditionInput") }

// ownIdentifier reports whether the model is identified by other fields than id.
func (s surface) ownIdentifier() bool { return !slices.Equal(s.m.identifier, []string{"id"}) }

func (s surface) find(name string) (modelField, bool) {
	i := slices.IndexFunc(s.m.fields, func(f modelField) bool { return f.name == name })
	if i < 0 {
		return modelField{}, false
	}
	return s.m.fields[i], true
}

// keyType is the named type of a key field; the implicit id is an ID.
func (s surface) keyType(name string) string {
	if f, ok := s.find(name); ok {
		return named(f.typ)
	}
	return "ID"
}

// implicitID reports whether the model gets an id that it does not declare.
func (s surface) implicitID() bool {
	_, declared := s.find("id")
	return !declared && !s.ownIdentifier()
}

// timestamps are the fields Amplify adds, without those the model declares.
func (s surface) timestamps(typ string) []field {
	var out []field
	for _, name := range []string{"createdAt", "updatedAt"} {
		if _, declared := s.find(name); !declared {
			out = append(out, field{name: name, typ: typ})
		}
	}
	return out
}

// object is the model's type as it is served.
func (s surface) object() definition {
	d := definition{keyword: "type", name: s.m.name, directives: s.admits("")}
	for _, f := range s.m.fields {
		served := field{name: f.name, typ: f.typ}
		if f.kind == kindRelation && f.node.Array {
			related := capital(named(f.typ))
			served.typ = "Model" + related + "Connection"
			served.arguments = []field{
				{name: "filter", typ: "Model" + related + "FilterInput"},
				{name: "sortDirection", typ: "ModelSortDirection"},
				{name: "limit", typ: "Int"},
				{name: "nextToken", typ: "String"},
			}
		}
		if len(f.node.Rules) > 0 {
			served.directives = (s.base | admitted(f.node.Rules, "")).directives()
		}
		d.fields = append(d.fields, served)
	}
	if s.implicitID() {
		d.fields = append(d.fields, field{name: "id", typ: "ID!"})
	}
	d.fields = append(d.fields, s.timestamps("AWSDateTime!")...)
	d.fields = append(d.fields, s.m.implied...)
	return d
}

func (s surface) queries() []field {
	var out []field
	if s.m.has("get") {
		get := field{name: s.name("get", ""), typ: s.m.name, directives: s.admits("get")}
		for _, key := range s.m.identifier {
			get.arguments = append(get.arguments, field{name: key, typ: s.keyType(key) + "!"})
		}
		out = append(out, get)
	}
	if s.m.has("list") {
		list := s.page("list" + plural(capital(s.m.name)))
		if s.ownIdentifier() {
			list.arguments = slices.Concat(s.keyArguments(s.m.identifier, "Primary", ""), list.arguments, sortDirection)
		}
		out = append(out, list)
	}
	for _, ix := range s.m.indexes {
		if ix.NoQuery {
			continue
		}
		query := s.page(ix.query(s.m.name))
		keys := append([]string{ix.PartitionKey}, ix.SortKeys...)
		query.arguments = slices.Concat(s.keyArguments(keys, capital(ix.Name), "!"), sortDirection, query.arguments)
		out = append(out, query)
	}
	return out
}

var sortDirection = []field{{name: "sortDirection", typ: "ModelSortDirection"}}

// page is a query that pages through the model.
func (s surface) page(name string) field {
	return field{
		name: name,
		arguments: []field{
			{name: "filter", typ: s.filter()},
			{name: "limit", typ: "Int"},
			{name: "nextToken", typ: "String"},
		},
		typ:        s.connection(),
		directives: s.admits("list"),
	}
}

// keyArguments are the arguments that select by a key: the partition key, and a condition
// on the sort key, a composite one for several.
func (s surface) keyArguments(keys []string, index, required string) []field {
	out := []field{{name: keys[0], typ: s.keyType(keys[0]) + required}}
	switch sort := keys[1:]; len(sort) {
	case 0:
	case 1:
		out = append(out, field{name: sort[0], typ: keyCondition(s.keyType(sort[0]))})
	default:
		name := sort[0]
		for _, key := range sort[1:] {
			name += capital(key)
		}
		out = append(out, field{name: name, typ: s.name("Model", index+"CompositeKeyConditionInput")})
	}
	return out
}

func (s surface) mutations() []field {
	var out []field
	for _, op := range []string{"create", "update", "delete"} {
		if !s.m.has(op) {
			continue
		}
		out = append(out, field{
			name: s.name(op, ""),
			arguments: []field{
				{name: "input", typ: s.name(capital(op), "Input!")},
				{name: "condition", typ: s.condition()},
			},
			typ:        s.m.name,
			directives: s.admits(op),
		})
	}
	return out
}

func (s surface) subscriptions() []field {
	var out []field
	for _, op := range []string{"Create", "Update", "Delete"} {
		if !s.m.has("on" + op) {
			continue
		}
		f := field{
			name:       s.name("on"+op, ""),
			arguments:  []field{{name: "filter", typ: s.name("ModelSubscription", "FilterInput")}},
			typ:        s.m.name,
			directives: append([]string{"@aws_subscribe(mutations: [" + quote(s.name(strings.ToLower(op), "")) + "])"}, s.admits("listen")...),
		}
		for _, r := range s.m.rules {
			if r.Strategy == "owner" && !r.Multi && r.permits("listen") {
				f.arguments = append(f.arguments, field{name: r.Field, typ: "String"})
			}
		}
		out = append(out, f)
	}
	return out
}
