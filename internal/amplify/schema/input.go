package schema

import "slices"

// arguments prints an operation's arguments. Custom types among them become input
// types, each printed once, after those it is made of; inline enums join the queue.
func (p *processor) arguments(operation string, members []member) ([]field, error) {
	w := &inputWriter{p: p, operation: operation}
	var out []field
	for _, m := range members {
		f := field{name: m.Name}
		typ, err := w.typ(&m.Node, operation, m.Name, capital(operation)+capital(m.Name), false)
		if err != nil {
			return nil, err
		}
		f.typ = typ
		if m.Node.Kind == kindScalar {
			f.directives = m.Node.directives()
		}
		out = append(out, f)
	}
	return out, nil
}

// inputWriter makes the input types of one operation.
type inputWriter struct {
	p         *processor
	operation string
	enums     []string
	open      []string // input types begun: a type may hold itself
}

// typ is the argument's or input field's type. inline is the name of a type
// defined in place; within a type that is referred to, its enums exist already.
func (w *inputWriter) typ(n *node, referrer, name, inline string, referred bool) (string, error) {
	switch n.Kind {
	case kindScalar:
		return n.typ(n.Type), nil
	case kindEnum:
		if !referred && !slices.Contains(w.enums, inline) {
			w.enums = append(w.enums, inline)
			w.p.inline(inline, n)
		}
		return inline, nil
	case kindCustomType:
		return inline + "Input", w.input(inline, n, referred)
	case kindRef:
		target, err := w.p.target(n, referrer)
		if err != nil {
			return "", err
		}
		switch target.Kind {
		case kindEnum:
			return n.typ(n.Type), nil
		case kindCustomType:
			return n.typ(n.Type + "Input"), w.input(n.Type, target, true)
		}
		return "", w.unsupported(n, target, referrer, name)
	}
	return "", fail(n.At, "Unsupported argument type for %s", name)
}

func (w *inputWriter) unsupported(n, target *node, referrer, name string) error {
	place := "field '" + name + "'"
	if referrer == w.operation {
		place = "argument '" + name + "' in '" + w.operation + "'"
	}
	return fail(n.At, "Unsupported reference type '%s' for %s. Only references to CustomType and Enum are supported.", target.title(), place)
}

// input makes the input type of a custom type, once a schema.
func (w *inputWriter) input(name string, n *node, referred bool) error {
	d := definition{keyword: "input", name: name + "Input"}
	if slices.ContainsFunc(w.p.inputs, func(have definition) bool { return have.name == d.name }) || slices.Contains(w.open, d.name) {
		return nil
	}
	w.open = append(w.open, d.name)
	for _, m := range n.Fields {
		typ, err := w.typ(&m.Node, name, m.Name, capital(name)+capital(m.Name), referred)
		if err != nil {
			return err
		}
		d.fields = append(d.fields, field{name: m.Name, typ: typ})
	}
	w.p.inputs = append(w.p.inputs, d)
	return nil
}
