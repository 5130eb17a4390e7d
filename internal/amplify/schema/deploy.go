package schema

import (
	_ "embed"
	"slices"
	"strings"

	"fairway/backend"
)

// modelInputs are the inputs that Amplify deploys with every API, used or not.
//
//go:embed boilerplate.graphql
var modelInputs string

// deployment is the schema as it is put together for AppSync.
type deployment struct {
	types []*definition
	base  providers // IAM where the API has it: the console calls every API with it
}

// Deploy is the SDL that AppSync serves: the builder's types with AppSync's own
// directives, what models and conversations compile to, and the inputs that Amplify
// adds to every API. auth says whether IAM may call, which under Amplify it always may.
func (b *Built) Deploy(auth backend.Authorization) string {
	d := &deployment{}
	if auth.Allows(backend.IAM) {
		d.base = providerIAM
	}
	models := b.allModels()
	d.addBuilt(b)
	d.addParsed(turnError)
	d.addConversations(b.conversations)
	d.addParsed(modelInputs)
	d.addModels(models)
	for _, op := range b.operations {
		if !op.isNative() {
			d.extend(op.root, op.compiled(d.base))
		}
	}
	blocks := make([]string, len(d.types))
	for i, t := range d.types {
		blocks[i] = t.deployedSDL()
	}
	return strings.Join(blocks, "\n\n") + "\n"
}

// allModels are the schema's models and those of its conversations.
func (b *Built) allModels() []*model {
	var out []*model
	for _, c := range b.conversations {
		out = append(out, conversationModels(c)...)
	}
	return slices.Concat(b.models, out)
}

// isNative reports whether the builder gives the field AppSync's own directives.
func (op operation) isNative() bool {
	return !slices.ContainsFunc(op.field.directives, func(d string) bool {
		return strings.HasPrefix(d, "@auth(") || strings.HasPrefix(d, "@generation(") || strings.HasPrefix(d, "@function(")
	})
}

// compiled is the field with AppSync's directives in place of Amplify's.
func (op operation) compiled(base providers) field {
	f := field{name: op.field.name}
	f.typ, _, _ = strings.Cut(op.field.typ, " ") // a scalar may carry @default
	for _, a := range op.field.arguments {
		f.arguments = append(f.arguments, field{name: a.name, typ: a.typ})
	}
	for _, d := range op.field.directives {
		if strings.HasPrefix(d, "@aws_") {
			f.directives = append(f.directives, d)
		}
	}
	if op.isNative() {
		f.directives = appendNew(f.directives, base.directives()...)
	} else {
		f.directives = appendNew(f.directives, (base | admitted(op.rules, "")).directives()...)
	}
	return f
}

func (d *deployment) find(name string) *definition {
	i := slices.IndexFunc(d.types, func(t *definition) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	return d.types[i]
}

// add adds a definition unless its name is taken.
func (d *deployment) add(t definition) {
	if d.find(t.name) == nil {
		d.types = append(d.types, &t)
	}
}

func (d *deployment) addParsed(sdl string) {
	for _, t := range parseDefinitions(sdl) {
		d.add(t)
	}
}

// extend adds fields to an operation type, which is made where it is first needed.
func (d *deployment) extend(root string, fields ...field) {
	if len(fields) == 0 {
		return
	}
	d.add(definition{keyword: "type", name: root})
	t := d.find(root)
	t.fields = append(t.fields, fields...)
}

// addBuilt adds the builder's own types and the custom operations. The operation
// types take @aws_iam because they hold custom fields.
func (d *deployment) addBuilt(b *Built) {
	for _, t := range b.types {
		if i := slices.IndexFunc(b.models, func(m *model) bool { return m.name == t.name }); i >= 0 {
			t = surface{base: d.base, m: b.models[i]}.object()
		}
		d.addObject(t)
	}
	for _, root := range roots(b.operations) {
		root.directives, root.fields = d.base.directives(), nil
		for _, op := range b.operations {
			if op.root == root.name && op.isNative() {
				root.fields = append(root.fields, op.compiled(d.base))
			}
		}
		d.add(root)
	}
	if len(b.conversations) > 0 {
		for _, t := range parseDefinitions(conversationTypes) {
			d.addObject(t)
		}
	}
}

// addObject adds a type of the builder's; an object keeps its own directives first
// and its fields lose those that only Amplify reads.
func (d *deployment) addObject(t definition) {
	fields := t.fields
	t.fields = nil
	for _, f := range fields {
		f.directives = slices.DeleteFunc(slices.Clone(f.directives), func(s string) bool { return !strings.HasPrefix(s, "@aws_") })
		t.fields = append(t.fields, f)
	}
	if t.keyword == "type" {
		t.directives = appendNew(slices.Clone(t.directives), d.base.directives()...)
	}
	d.add(t)
}

// addModels adds what the models compile to and opens the custom types they hold
// to whoever may read the model.
func (d *deployment) addModels(models []*model) {
	for _, m := range models {
		for _, f := range m.fields {
			if f.kind == kindCustomType {
				d.admit(named(f.typ), surface{base: d.base, m: m}.admits(""))
				d.addInput(named(f.typ))
			}
		}
	}
	for _, m := range models {
		groups := surface{base: d.base, m: m}.types()
		for i, root := range m.roots(d.base) {
			for _, t := range groups[i] {
				d.add(t)
			}
			d.extend(root.name, root.fields...)
		}
	}
	d.admitConnections(models)
}

// admitConnections opens a connection to whoever may read the model that holds it.
func (d *deployment) admitConnections(models []*model) {
	for _, m := range models {
		for _, f := range m.fields {
			if f.kind == kindRelation && f.node.Array {
				p := d.base | admitted(m.rules, "")
				if i := slices.IndexFunc(models, func(related *model) bool { return related.name == named(f.typ) }); i >= 0 {
					p |= admitted(models[i].rules, "")
				}
				if t := d.find("Model" + capital(named(f.typ)) + "Connection"); t != nil {
					t.directives = p.directives()
				}
			}
		}
	}
}

// admit adds directives to an object and to the custom types within it. A mode
// that is admitted as a whole replaces the same mode for some groups.
func (d *deployment) admit(name string, directives []string) {
	t := d.find(name)
	if t == nil || t.keyword != "type" || !slices.ContainsFunc(directives, func(s string) bool { return !slices.Contains(t.directives, s) }) {
		return
	}
	t.directives = slices.DeleteFunc(t.directives, func(have string) bool {
		mode, _, groups := strings.Cut(have, "(")
		return groups && slices.Contains(directives, mode)
	})
	t.directives = appendNew(t.directives, directives...)
	for _, f := range t.fields {
		d.admit(named(f.typ), directives)
	}
}

// addInput adds the input form of a custom type and of those within it.
func (d *deployment) addInput(name string) {
	t := d.find(name)
	if t == nil || d.find(name+"Input") != nil {
		return
	}
	input := definition{keyword: "input", name: name + "Input"}
	d.types = append(d.types, &input)
	i := len(d.types) - 1
	for _, f := range t.fields {
		typ := f.typ
		if inner := d.find(named(typ)); inner != nil && inner.keyword == "type" {
			typ = strings.Replace(typ, inner.name, inner.name+"Input", 1)
			d.addInput(inner.name)
		}
		d.types[i].fields = append(d.types[i].fields, field{name: f.name, typ: typ})
	}
}
