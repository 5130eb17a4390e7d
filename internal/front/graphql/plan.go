package graphql

import (
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
)

// operation is one operation of a document with the plans it has been given.
type operation struct {
	*ast.OperationDefinition
	schema   *schema
	switches []string // boolean variables that decide @skip and @include

	mu    sync.Mutex
	plans map[string][]*field // by the values of switches
}

// maxPlans bounds the plans kept of one operation; others are made anew.
const maxPlans = 16

// field is one key of a response object: all selections of that key, merged.
type field struct {
	key    string // alias or name
	label  []byte // `"key":`
	name   string
	parent *ast.Definition // an object type
	def    *ast.FieldDefinition
	typ    *ast.Definition // of the innermost value
	access *access

	// first is where the key is selected first. Its arguments are everyone's,
	// which validation has made sure of.
	first *ast.Field
	sets  []ast.SelectionSet

	fields   []*field  // of the value, when it is of an object type
	abstract *abstract // of the value, when it is of an interface or a union

	pipeline *pipeline // nil: the field is read from its parent's value
	info     info      // what a pipeline is told of the selection
}

// abstract makes the fields of an interface's or union's value once its type is
// known. They are not made ahead: their number grows with every level.
type abstract struct {
	planner *planner
	sets    []ast.SelectionSet
	mu      sync.Mutex
	fields  map[string][]*field
}

func (a *abstract) of(def *ast.Definition) []*field {
	a.mu.Lock()
	defer a.mu.Unlock()
	fields, ok := a.fields[def.Name]
	if !ok {
		fields = a.planner.fields(def, a.sets)
		a.fields[def.Name] = fields
	}
	return fields
}

// prepare makes the operations of a validated document.
func (s *schema) prepare(doc *ast.QueryDocument) *document {
	switches := switchesOf(doc)
	d := &document{}
	for _, op := range doc.Operations {
		d.operations = append(d.operations, &operation{
			OperationDefinition: op, schema: s, switches: switches, plans: map[string][]*field{},
		})
	}
	return d
}

// plan is the operation's fields under the variables given. Variables count only
// as far as @skip and @include read them.
func (op *operation) plan(variables map[string]any) []*field {
	var key [32]byte
	values := key[:0]
	p := &planner{schema: op.schema}
	for _, name := range op.switches {
		on, _ := variables[name].(bool)
		if on {
			values = append(values, '1')
			p.on = append(p.on, name)
		} else {
			values = append(values, '0')
		}
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	if fields, ok := op.plans[string(values)]; ok {
		return fields
	}
	fields := p.fields(op.schema.root(op.Operation), []ast.SelectionSet{op.SelectionSet})
	if len(op.plans) < maxPlans {
		op.plans[string(values)] = fields
	}
	return fields
}

// planner makes fields under fixed values of the operation's switches.
type planner struct {
	schema *schema
	on     []string // switches that are true
}

// fields collects what sets select of an object of type def, in the order of the
// response (GraphQL specification October 2021, section 6.3.2).
func (p *planner) fields(def *ast.Definition, sets []ast.SelectionSet) []*field {
	c := collection{planner: p, def: def, byKey: map[string]*field{}, spread: map[string]bool{}}
	for _, set := range sets {
		c.add(set)
	}
	for _, f := range c.fields {
		p.finish(f)
	}
	return c.fields
}

type collection struct {
	*planner
	def    *ast.Definition
	fields []*field
	byKey  map[string]*field
	spread map[string]bool // fragments taken already
}

func (c *collection) add(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if c.included(sel.Directives) {
				c.addField(sel)
			}
		case *ast.InlineFragment:
			if c.included(sel.Directives) && c.schema.covers(sel.TypeCondition, c.def) {
				c.add(sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if c.included(sel.Directives) && !c.spread[sel.Name] {
				c.spread[sel.Name] = true
				if c.schema.covers(sel.Definition.TypeCondition, c.def) {
					c.add(sel.Definition.SelectionSet)
				}
			}
		}
	}
}

func (c *collection) addField(sel *ast.Field) {
	f := c.byKey[sel.Alias]
	if f == nil {
		f = &field{
			key:    sel.Alias,
			label:  append(appendString(nil, sel.Alias), ':'),
			name:   sel.Name,
			parent: c.def,
			first:  sel,
		}
		c.byKey[sel.Alias] = f
		c.fields = append(c.fields, f)
	}
	if sel.SelectionSet != nil {
		f.sets = append(f.sets, sel.SelectionSet)
	}
}

// finish fills in what depends on all selections of the field.
func (p *planner) finish(f *field) {
	if f.name == "__typename" {
		return
	}
	f.def = f.parent.Fields.ForName(f.name)
	f.typ = p.schema.Types[f.def.Type.Name()]
	f.access = p.schema.access[f.def]
	switch {
	case f.typ.Kind == ast.Object:
		f.fields = p.fields(f.typ, f.sets)
	case f.typ.IsAbstractType():
		f.abstract = &abstract{planner: p, sets: f.sets, fields: map[string][]*field{}}
	}
	if f.pipeline = p.schema.pipelines[f.def]; f.pipeline != nil {
		f.info = p.info(f.sets)
	}
}

// included reports what @skip and @include say.
func (p *planner) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		if p.condition(d) == (d.Name == "skip") {
			return false
		}
	}
	return true
}

func (p *planner) condition(d *ast.Directive) bool {
	v := d.Arguments.ForName("if").Value
	if v.Kind != ast.Variable {
		return v.Raw == "true"
	}
	for _, name := range p.on {
		if name == v.Raw {
			return true
		}
	}
	return false
}

// switchesOf lists the variables that any @skip or @include of doc reads.
func switchesOf(doc *ast.QueryDocument) []string {
	var names []string
	seen := map[string]bool{}
	add := func(directives ast.DirectiveList) {
		for _, d := range directives {
			if d.Name != "skip" && d.Name != "include" {
				continue
			}
			if v := d.Arguments.ForName("if").Value; v.Kind == ast.Variable && !seen[v.Raw] {
				seen[v.Raw] = true
				names = append(names, v.Raw)
			}
		}
	}
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				add(sel.Directives)
				walk(sel.SelectionSet)
			case *ast.InlineFragment:
				add(sel.Directives)
				walk(sel.SelectionSet)
			case *ast.FragmentSpread:
				add(sel.Directives)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		walk(fragment.SelectionSet)
	}
	return names
}
