package schema

import "slices"

// model describes a model: its fields with the identifier first and the timestamps
// last, its directives as attributes, and its primary key.
func (x *introspector) model(m *model) object {
	s := surface{m: m}
	fields := object{}
	if s.implicitID() {
		fields = fields.set("id", x.typeField(field{name: "id", typ: "ID!"}))
	}
	for _, f := range m.fields {
		o := x.typeField(f.field)
		if f.kind == kindRelation {
			o = o.set("association", association(f))
		}
		fields = fields.set(f.name, o)
	}
	for _, f := range s.timestamps("AWSDateTime") {
		fields = fields.set(f.name, x.typeField(f).set("isReadOnly", true))
	}
	attributes := []object{attribute("model", disabledProperties(m))}
	if s.ownIdentifier() {
		attributes = append(attributes, attribute("key", object{}.set("fields", m.identifier)))
	}
	for _, ix := range m.indexes {
		attributes = append(attributes, attribute("key", indexProperties(ix, m.name)))
	}
	rules := make([]object, len(m.rules))
	for i, r := range m.rules {
		rules[i] = r.properties()
	}
	attributes = append(attributes, attribute("auth", object{}.set("rules", rules)))
	return object{}.
		set("name", m.name).
		set("fields", fields).
		set("syncable", true).
		set("pluralName", plural(m.name)).
		set("attributes", attributes).
		set("primaryKeyInfo", object{}.
			set("isCustomPrimaryKey", s.ownIdentifier()).
			set("primaryKeyFieldName", m.identifier[0]).
			set("sortKeyFieldNames", append([]string{}, m.identifier[1:]...)))
}

func attribute(kind string, properties object) object {
	return object{}.set("type", kind).set("properties", properties)
}

func association(f modelField) object {
	switch f.node.Relation {
	case "hasMany":
		return object{}.set("connectionType", "HAS_MANY").set("associatedWith", f.node.References)
	case "hasOne":
		return object{}.set("connectionType", "HAS_ONE").set("associatedWith", f.node.References).set("targetNames", []string{})
	}
	return object{}.set("connectionType", "BELONGS_TO").set("targetNames", f.node.References)
}

// disabledProperties are the arguments of @model: a group or an operation that is off is null.
func disabledProperties(m *model) object {
	o := object{}
	for _, group := range []string{"queries", "mutations", "subscriptions"} {
		single, off := object{}, 0
		for _, op := range []string{"get", "list", "create", "update", "delete", "onCreate", "onUpdate", "onDelete"} {
			if operationGroup[op] == group && !m.has(op) {
				single, off = single.set(op, nil), off+1
			}
		}
		switch {
		case slices.Contains(m.disabled, group):
			o = o.set(group, nil)
		case off > 0:
			o = o.set(group, single)
		}
	}
	return o
}

func indexProperties(ix indexNode, model string) object {
	o := object{}
	if ix.Name != "" {
		o = o.set("name", ix.Name)
	}
	if !ix.NoQuery {
		o = o.set("queryField", ix.query(model))
	}
	return o.set("fields", append([]string{ix.PartitionKey}, ix.SortKeys...))
}

// properties are the rule as code generation fills it in with its defaults.
func (r rule) properties() object {
	operations := r.Operations
	if operations == nil {
		operations = []string{"create", "update", "delete", "read"}
	}
	provider := r.Provider
	if provider == "" {
		provider = "userPools"
	}
	var o object
	switch r.Strategy {
	case "owner":
		claim := r.IdentityClaim
		if claim == "" {
			claim = "cognito:username"
		}
		o = object{}.set("provider", provider).set("ownerField", r.Field).set("allow", r.Strategy).set("identityClaim", claim)
	case "groups":
		claim := r.GroupClaim
		if claim == "" {
			claim = "cognito:groups"
		}
		o = object{}.set("groupClaim", claim).set("provider", provider).set("allow", r.Strategy)
		if r.Field != "" {
			o = o.set("groupsField", r.Field)
		} else {
			o = o.set("groups", r.Groups)
		}
	default:
		o = object{}.set("allow", r.Strategy)
		if r.Provider != "" {
			o = o.set("provider", r.Provider)
		}
	}
	return o.set("operations", operations)
}
