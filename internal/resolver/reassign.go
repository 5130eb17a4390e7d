package resolver

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/unistring"
)

// handlerFunctions is the request and response functions of a bundled script.
func handlerFunctions(tree *ast.Program) []ast.Expression {
	var found []ast.Expression
	isHandler := func(name unistring.String) bool {
		return name == unistring.String(request) || name == unistring.String(response)
	}
	module, ok := tree.Body[0].(*ast.ExpressionStatement).Expression.(*ast.FunctionLiteral)
	if !ok {
		return nil
	}
	for _, s := range module.Body.List {
		var bindings []*ast.Binding
		switch s := s.(type) {
		case *ast.FunctionDeclaration:
			if isHandler(s.Function.Name.Name) {
				found = append(found, s.Function)
			}
		case *ast.VariableStatement:
			bindings = s.List
		case *ast.LexicalDeclaration:
			bindings = s.List
		}
		for _, b := range bindings {
			if id, ok := b.Target.(*ast.Identifier); ok && isHandler(id.Name) && b.Initializer != nil {
				found = append(found, b.Initializer)
			}
		}
	}
	return found
}

// checkReassignment reports assignments to a handler's context parameter and to
// its base properties. What lies below a base property may be assigned.
func (l *linter) checkReassignment(handler ast.Expression) {
	name, ok := firstParameter(handler)
	if !ok {
		return
	}
	walk(handler, func(n ast.Node) bool {
		if inner, ok := n.(ast.Expression); ok && inner != handler {
			if shadow, ok := firstParameter(inner); ok && shadow == name {
				return false
			}
		}
		assignment, ok := n.(*ast.AssignExpression)
		if !ok {
			return true
		}
		target := assignment.Left
		switch t := target.(type) {
		case *ast.DotExpression:
			target = t.Left
		case *ast.BracketExpression:
			target = t.Left
		}
		if id, ok := target.(*ast.Identifier); ok && id.Name == name {
			l.report(n.Idx0(), "no-disallowed-re-assignment", "the context and its base properties are read-only",
				"use ctx.stash, or a variable of your own")
		}
		return true
	})
}

// firstParameter is the name of a function's first parameter, where it is a name.
func firstParameter(function ast.Expression) (unistring.String, bool) {
	var parameters *ast.ParameterList
	switch f := function.(type) {
	case *ast.FunctionLiteral:
		parameters = f.ParameterList
	case *ast.ArrowFunctionLiteral:
		parameters = f.ParameterList
	}
	if parameters == nil || len(parameters.List) == 0 {
		return "", false
	}
	id, ok := parameters.List[0].Target.(*ast.Identifier)
	if !ok {
		return "", false
	}
	return id.Name, true
}
