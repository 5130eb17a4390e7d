package graphql

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// info is the part of ctx.info that follows from the document alone.
type info struct {
	list []string // paths of all selected fields by alias, "nested/inner"
	text string   // the selection as GraphQL, fragments not unfolded
}

func (p *planner) info(sets []ast.SelectionSet) info {
	if len(sets) == 0 {
		return info{}
	}
	l := lister{planner: p, seen: map[string]bool{}}
	w := printer{planner: p}
	w.line("{")
	for _, set := range sets {
		l.add(set, "")
		w.set(set)
	}
	w.b.WriteString("}")
	return info{list: slices.Clip(l.list), text: w.b.String()}
}

type lister struct {
	*planner
	list []string
	seen map[string]bool
}

func (l *lister) add(set ast.SelectionSet, prefix string) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if !l.included(sel.Directives) {
				continue
			}
			path := prefix + sel.Alias
			if !l.seen[path] {
				l.seen[path] = true
				l.list = append(l.list, path)
			}
			l.add(sel.SelectionSet, path+"/")
		case *ast.InlineFragment:
			if l.included(sel.Directives) {
				l.add(sel.SelectionSet, prefix)
			}
		case *ast.FragmentSpread:
			if l.included(sel.Directives) {
				l.add(sel.Definition.SelectionSet, prefix)
			}
		}
	}
}

// printer writes selections with two spaces a level. Variables stay variables;
// @skip and @include are applied, not printed.
type printer struct {
	*planner
	b     strings.Builder
	depth int
}

func (w *printer) line(parts ...string) {
	for range w.depth {
		w.b.WriteString("  ")
	}
	for _, part := range parts {
		w.b.WriteString(part)
	}
	w.b.WriteByte('\n')
}

func (w *printer) set(set ast.SelectionSet) {
	w.depth++
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if w.included(sel.Directives) {
				w.block(fieldHead(sel), sel.SelectionSet)
			}
		case *ast.InlineFragment:
			if w.included(sel.Directives) {
				head := "..."
				if sel.TypeCondition != "" {
					head += " on " + sel.TypeCondition
				}
				w.block(head, sel.SelectionSet)
			}
		case *ast.FragmentSpread:
			if w.included(sel.Directives) {
				w.line("...", sel.Name)
			}
		}
	}
	w.depth--
}

func (w *printer) block(head string, set ast.SelectionSet) {
	if len(set) == 0 {
		w.line(head)
		return
	}
	w.line(head, " {")
	w.set(set)
	w.line("}")
}

func fieldHead(f *ast.Field) string {
	head := f.Name
	if f.Alias != f.Name {
		head = f.Alias + ": " + f.Name
	}
	if len(f.Arguments) == 0 {
		return head
	}
	args := make([]string, len(f.Arguments))
	for i, arg := range f.Arguments {
		args[i] = arg.Name + ": " + arg.Value.String()
	}
	return head + "(" + strings.Join(args, ", ") + ")"
}
