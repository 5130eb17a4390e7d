package schema

import (
	"slices"
	"strings"
)

// checkRelations wants each relation to have its other side, with the same
// references, defined on the child with the types of the parent's identifier.
func (p *processor) checkRelations(name string, n *node) error {
	for _, f := range n.Fields {
		if f.Node.Kind != kindRelation {
			continue
		}
		if err := p.checkRelation(name, n, f); err != nil {
			return err
		}
	}
	return nil
}

func (p *processor) checkRelation(name string, n *node, f member) error {
	related, ok := p.known[f.Node.Type]
	if !ok {
		return fail(n.At, "Invalid ref. %s is referring to %s which is not defined in the schema", name, f.Node.Type)
	}
	if related.Kind != kindModel {
		return fail(n.At, "Expected to find model type with name %s", f.Node.Type)
	}
	var others []member
	for _, g := range related.Fields {
		opposite := (f.Node.Relation == "belongsTo") != (g.Node.Relation == "belongsTo")
		if g.Node.Kind == kindRelation && g.Node.Type == name && opposite && slices.Equal(g.Node.References, f.Node.References) {
			others = append(others, g)
		}
	}
	switch len(others) {
	case 0:
		return fail(n.At, "Unable to find associated relationship definition in %s for %s", f.Node.Type, f.relation(name))
	case 1:
	default:
		found := make([]string, len(others))
		for i, g := range others {
			found[i] = f.Node.Type + "." + g.Name
		}
		return fail(n.At, "Found multiple relationship associations with %s for %s", strings.Join(found, ", "), f.relation(name))
	}
	parent, child, down, up := n, related, f, others[0]
	if f.Node.Relation == "belongsTo" {
		parent, child, down, up = related, n, others[0], f
	}
	return checkReferences(n.At, parent, child, down, up)
}

// relation describes a relation as the builder's messages do.
func (m member) relation(model string) string {
	typ := m.Node.Type
	if m.Node.Array {
		typ = "[" + typ + "]"
	}
	references := make([]string, len(m.Node.References))
	for i, r := range m.Node.References {
		references[i] = "'" + r + "'"
	}
	return model + "." + m.Name + ": " + typ + " @" + m.Node.Relation + "(references: [" + strings.Join(references, ", ") + "])"
}

func checkReferences(at string, parent, child *node, down, up member) error {
	var theirs, ours []string
	for _, key := range parent.Identifier {
		if i := slices.IndexFunc(parent.Fields, func(m member) bool { return m.Name == key }); i >= 0 {
			theirs = append(theirs, parent.Fields[i].Node.Type)
		} else if key == "id" {
			theirs = append(theirs, "ID")
		}
	}
	for _, key := range down.Node.References {
		i := slices.IndexFunc(child.Fields, func(m member) bool { return m.Name == key })
		if i < 0 || child.Fields[i].Node.Kind != kindScalar {
			return fail(at, "reference field '%s' must be defined on %s. %s <-> %s", key, down.Node.Type, down.relation(up.Node.Type), up.relation(down.Node.Type))
		}
		ours = append(ours, child.Fields[i].Node.Type)
	}
	if len(theirs) != len(ours) {
		return fail(at, "The identifiers defined on %[1]s must match the reference fields defined on %[2]s.\n%[3]d identifiers defined on %[1]s.\n%[4]d reference fields found on %[2]s", up.Node.Type, down.Node.Type, len(theirs), len(ours))
	}
	text := func(t string) bool { return t == "ID" || t == "String" }
	for i := range theirs {
		if theirs[i] != ours[i] && !(text(theirs[i]) && text(ours[i])) {
			return fail(at, "Validate Error: types do not match")
		}
	}
	return nil
}
